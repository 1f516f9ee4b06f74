public import CSocketKit
public import SocketKitCore

/// A connection between virtual machines that preserves message boundaries (vsock(7), SOCK_SEQPACKET, Linux 5.14).
///
/// ```swift
/// let listener = try VsockSequencedPacketSocket.listen(port: 1024)
/// let client = try VsockSequencedPacketSocket.connect(to: .host(port: 1024), until: .after(.seconds(5)))
/// ```
/// **Packets are sent whole, or the connection ends.** The kernel alone does not guarantee this. If the peer's buffer
/// has space for only part of a packet, a non-blocking send sends that part and fails with EAGAIN, and the kernel joins
/// the next packet to that part (vsock_connectible_sendmsg). Before a send call, a program cannot query the free space.
/// After a failed send call, it cannot query how many bytes were sent. A blocking send waits until the rest is sent.
/// SocketKit therefore queues packets: up to 64 KiB, or one longer packet. A dedicated thread, in which all signals are
/// blocked, sends the packets in order with blocking calls. The thread starts with the first packet and exits after one
/// second without packets. This has a cost: each packet is copied once more and passed to another thread, and each
/// sending socket uses a thread (256 KiB of address space), the memory of its queue and an event descriptor.
///
/// - A send call first checks the connection, and fails immediately if the connection has already ended. If a queued
///   packet cannot be sent, the connection ends, and the next send call reports the error.
/// - Some events interrupt the sending thread as a signal does. They therefore end the connection too. Such events are
///   the suspension of the machine, a stop by a debugger or a container freezer, and a call such as setuid(2) while
///   other threads run.
/// - Sending a packet that is longer than this socket's own ``SocketKitCore/SocketOption/bufferSize`` fails with
///   `.messageTooLarge`, because the kernel applies this limit to sent packets too. Set the size before the first send.
///   A packet longer than the peer's buffer is accepted but ends the connection, and the next send call fails with
///   `.messageTooLarge`.
/// - If the process is stopped (SIGSTOP) while a packet waits for free space in the peer's buffer, the connection is
///   lost: the kernel ends the send call and cannot report how much of the packet was sent. The peer receives no part
///   of the packet.
/// - Closing waits while packets are queued and the peer has free buffer space. The remaining packets are sent in the
///   background, and are dropped after one minute in which the peer received no whole packet. Call ``flush(until:)``
///   before the process exits.
/// - While packets are being sent, the descriptor is in blocking mode. Send only through this socket. Receive through
///   this socket or with MSG_DONTWAIT. A poller watches an event descriptor for writability.
///
/// **Many small packets** that the peer does not receive can end the connection. Newer kernels (Debian's 6.12, not 6.1)
/// queue at most about one packet for each 576 bytes of the receiver's ``SocketKitCore/SocketOption/bufferSize``, but
/// limit the sender only by the number of bytes. With the usual 256 KiB, the 456th queued packet resets the connection.
/// After that, sends fail with `.brokenPipe`, receives fail with `.outOfMemory` (ENOBUFS), and the queued packets are
/// lost. To prevent this, set a larger buffer on the receiver before it listens or connects, or receive sooner.
///
/// **Empty packets** cannot be sent (`.invalidArgument`): the kernel would accept an empty packet and deliver nothing.
/// Peeking fails with `.notSupported` before about Linux 6.6.
@frozen
public struct VsockSequencedPacketSocket: ~Copyable, SequencedPacketSocket, Transport, Acceptable {
  public typealias Address = VsockAddress
  public typealias Options = VsockSocketOptions

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

  /// Waits on this thread until the queued packets are sent, then transfers ownership of the descriptor to the caller.
  @inlinable
  public consuming func releaseDescriptor() -> Descriptor { sender.release() }

  /// Closes the socket. Destroying the socket has the same effect. ``VsockSequencedPacketSocket`` describes what
  /// happens to queued packets.
  @inlinable
  public consuming func attemptClose() -> IOResult { IOResult(raw: sender.close()) }

  @inlinable public static var capabilities: SocketCapabilities { [.halfClose, .refusesByReset, .silentListeners] }
  /// `vsock-seqpacket`, as in `vsock-seqpacket://host:1024`.
  public static var endpointFormat: EndpointFormat<VsockAddress, VsockAddress> { .vsock(scheme: "vsock-seqpacket") }

  public static var kinds: [SocketKind] { [SocketKind(.vsock, .sequencedPacket)] }

  /// Returns whether the message means the end of the stream. The kernel delivers no empty packets, so a received
  /// message of length 0 means the end of the stream.
  @inlinable
  public static func isEnd(_ info: MessageInfo) -> Bool { info.length == 0 }

  /// Ends one or both directions. Writing ends after the queued packets are sent.
  public borrowing func attemptShutdown(_ direction: ShutdownDirection) -> IOResult {
    sender.shutdown(direction.rawValue)
  }

  /// Waits on this thread until the kernel has accepted all packets, which requires free space in the peer's buffer for
  /// the last packet.
  /// - Throws: `.timedOut`, `.cancelled`; if the connection ended before all packets were sent, the error that a send
  ///   call would report. The packets that were still queued are then lost.
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
    into buffer: inout MutableSpan<UInt8>, ancillary: inout MutableRawSpan, flags: ReceiveFlags,
    _ info: inout MessageInfo
  ) -> IOResult {
    // The descriptor may be in blocking mode now.
    let flags = flags.union(ReceiveFlags(rawValue: CSK_MSG_DONTWAIT))
    if buffer.isEmpty { return attemptReceive(droppingBytes: &ancillary, flags: flags, &info) }
    let result = number.attemptReceiveMessage(
      into: &buffer, ancillary: &ancillary, flags: flags, &info, descriptorsMayCome: false)
    return result.isFailure ? explained(result, flags) : result
  }

  /// Receives a packet into an empty buffer, which drops the packet. Without this method, the kernel would return 0 and
  /// keep the packet.
  @usableFromInline
  borrowing func attemptReceive(
    droppingBytes ancillary: inout MutableRawSpan, flags: ReceiveFlags, _ info: inout MessageInfo
  ) -> IOResult {
    var byte = InlineArray<1, UInt8>(repeating: 0)
    var room = byte.mutableSpan
    let result = number.attemptReceiveMessage(
      into: &room, ancillary: &ancillary, flags: flags, &info, descriptorsMayCome: false)
    if result.isFailure { return explained(result, flags) }
    if result.raw > 0 { info.flags.insert(.truncated) }
    return result
  }

  @usableFromInline
  borrowing func explained(_ result: IOResult, _ flags: ReceiveFlags) -> IOResult {
    // A transport that cannot peek returns EOPNOTSUPP. Older kernels return ENOMEM instead.
    if result.errno == CSK_ENOMEM && flags.contains(.peek) { return .failure(errno: CSK_EOPNOTSUPP) }
    return result.namingTransportReset(on: number)
  }

  @inlinable
  public borrowing func attemptSend(
    _ bytes: Span<UInt8>, ancillary: RawSpan, to address: RawSpan, flags: SendFlags
  ) -> IOResult {
    address.isEmpty ? sender.attemptSend(bytes, flags) : .failure(errno: CSK_EISCONN)
  }
}
