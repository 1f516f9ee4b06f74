public import CSocketKit
public import SocketKitCore

/// A connection of virtual machine sockets that keeps the boundaries of messages (vsock(7), SOCK_SEQPACKET, Linux 5.14).
///
/// ```swift
/// let listener = try VsockSequencedPacketSocket.listen(port: 1024)
/// let client = try VsockSequencedPacketSocket.connect(to: .host(port: 1024), until: .after(.seconds(5)))
/// ```
/// **Packets are sent whole, or the connection ends.** The kernel alone does not do that: a non-blocking send for which the
/// peer's buffer has room only in part sends that part, says EAGAIN, and joins the next packet to it
/// (vsock_connectible_sendmsg). Nobody can ask beforehand how much room there is, nor afterwards how much was sent. A
/// blocking send waits for the rest. So packets are queued here, 64 KiB of them or one that is longer, and a thread of the
/// socket's own, which starts with the first packet and ends after a second without any, sends them one after the other,
/// blocking, with all signals blocked. What it costs: each packet is copied once more and changes threads, and each
/// sending socket has a thread (256 KiB of address space), the memory of its queue and an event descriptor.
///
/// - Sending tries the connection first, so that an end that is known is told at once. Errors of a packet that waits in
///   the queue are told by the next send: the connection has ended then.
/// - Suspending the machine, a debugger, a freezer of containers, and setuid(2) and its like while other threads run
///   interrupt the thread as a signal does, and end the connection likewise.
/// - A packet longer than the own ``SocketOption/bufferSize`` is `.messageTooLarge`, because the kernel takes none such
///   for sending either; set that size before the first send. One longer than the peer's buffer only ends the connection,
///   and the next send says `.messageTooLarge`.
/// - A process that was stopped (SIGSTOP) amid a packet for which the peer has no room loses the connection: the
///   kernel ends the send then, and cannot tell what of it went out. The peer gets no part of it.
/// - Closing waits as long as the peer has room; what is left is sent behind the program's back, and given up after a
///   minute in which the peer received no whole packet. ``flush(until:)`` before a process ends.
/// - The descriptor blocks while packets are under way: send through this socket only, and receive through it or with
///   MSG_DONTWAIT. A poller watches an event descriptor for writing.
///
/// **Many small packets** that nobody receives can end the connection. Newer kernels (Debian's 6.12, not 6.1) keep one
/// packet waiting for each 576 bytes or so of the receiver's ``SocketOption/bufferSize``, but promise the sender room by
/// bytes alone: with the usual 256 KiB the 456th that waits resets the connection. Sending is `.brokenPipe` then, receiving
/// `.outOfMemory` (ENOBUFS) from then on, and what waited is lost. Let the receiver set a larger buffer before it listens
/// or connects, or receive sooner.
///
/// **Empty packets** cannot be sent, `.invalidArgument`: the kernel would take one and deliver nothing. Peeking is
/// `.notSupported` before Linux 6.6 or so.
@frozen
public struct VsockSequencedPacketSocket: ~Copyable, SequencedPacketSocket, ConnectionTransport, VsockSocket {
  public typealias Address = VsockAddress

  // Owns the descriptor.
  @usableFromInline let sender: PacketSender
  @usableFromInline let number: RawDescriptor

  @inlinable
  public init(owning descriptor: consuming Descriptor) {
    number = descriptor.raw
    sender = PacketSender(descriptor)
  }

  @inlinable public var descriptor: RawDescriptor { number }
  @inlinable public var writeSource: RawDescriptor { sender.source }
  @inlinable public var mayReceiveDescriptors: Bool { false }

  /// Gives the descriptor away, once the peer has had room for all that was sent: waits for that.
  @inlinable
  public consuming func releaseDescriptor() -> Descriptor { sender.release() }

  /// Closes, as the end of the socket's life does: see there what becomes of packets that are still queued.
  @inlinable
  public consuming func attemptClose() -> IOResult { IOResult(raw: sender.close()) }

  @inlinable public static var capabilities: SocketCapabilities { [.halfClose, .refusesByReset, .silentListeners] }
  @inlinable public static var socketType: SocketType { .sequencedPacket }

  /// The kernel delivers no empty packets: they are the end.
  @inlinable
  public static func isEnd(_ info: MessageInfo) -> Bool { info.length == 0 }

  /// Ends one or both directions; the end of writing comes behind the packets that are queued.
  public borrowing func attemptShutdown(_ direction: ShutdownDirection) -> IOResult {
    sender.shutdown(direction.rawValue)
  }

  /// Waits on this thread until the kernel has all packets, which is when the peer has room for the last one.
  /// - Throws: `.timedOut`, `.cancelled`; what a send would say when the connection has ended: packets are lost then.
  public borrowing func flush(
    until limit: some WaitLimit
  ) throws(SocketError) {
    try waiting(for: .writable, .send, until: limit) { (socket) throws(SocketError) -> Void? in
      let result = socket.sender.attemptFlush()
      if result.isWouldBlock { return nil }
      if result.isFailure { throw SocketError(result, .send) }
      return ()
    }
  }

  @inlinable
  public borrowing func attemptReceive(
    into buffer: inout MutableRawSpan, control: inout MutableRawSpan, flags: ReceiveFlags, _ info: inout MessageInfo
  ) -> IOResult {
    // The descriptor may be blocking at the moment.
    let flags = flags.union(ReceiveFlags(rawValue: CSK_MSG_DONTWAIT))
    if buffer.isEmpty { return attemptReceive(droppingBytes: &control, flags: flags, &info) }
    let result = number.attemptReceiveMessage(
      into: &buffer, control: &control, flags: flags, &info, descriptorsMayCome: false)
    return result.isFailure ? explained(result, flags) : result
  }

  /// With an empty buffer the kernel would say 0 and leave the packet where it is.
  @usableFromInline
  borrowing func attemptReceive(
    droppingBytes control: inout MutableRawSpan, flags: ReceiveFlags, _ info: inout MessageInfo
  ) -> IOResult {
    var byte = InlineArray<1, UInt8>(repeating: 0)
    var span = byte.mutableSpan
    var room = span.mutableBytes
    let result = number.attemptReceiveMessage(
      into: &room, control: &control, flags: flags, &info, descriptorsMayCome: false)
    if result.isFailure { return explained(result, flags) }
    if result.raw > 0 { info.flags.insert(.truncated) }
    return result
  }

  @usableFromInline
  borrowing func explained(_ result: IOResult, _ flags: ReceiveFlags) -> IOResult {
    // A transport that cannot peek says EOPNOTSUPP, out of which older kernels make ENOMEM.
    if result.errno == CSK_ENOMEM && flags.contains(.peek) { return .failure(errno: CSK_EOPNOTSUPP) }
    return result.namingTransportReset(on: number)
  }

  @inlinable
  public borrowing func attemptSend(
    _ bytes: RawSpan, control: RawSpan, to address: RawSpan, flags: SendFlags
  ) -> IOResult {
    address.isEmpty ? sender.attemptSend(bytes, flags) : .failure(errno: CSK_EISCONN)
  }

  // By the methods above, because the kernel's own ways would go round the queue, wait while the descriptor blocks, and
  // take an empty buffer for an end.

  @inlinable
  public borrowing func attemptReceive(
    into buffer: inout MutableRawSpan, from address: inout AnySocketAddress, flags: ReceiveFlags
  ) -> IOResult { attemptReceiveByMessage(into: &buffer, from: &address, flags: flags) }

  @inlinable
  public borrowing func attemptReceive(batch: inout MessageBatch) -> IOResult { attemptReceiveOneByOne(batch: &batch) }

  @inlinable
  public borrowing func attemptSend(batch: inout MessageBatch) -> IOResult { attemptSendOneByOne(batch: &batch) }
}
