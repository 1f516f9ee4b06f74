internal import CSocketKit
public import SocketKitCore

/// One SCTP association that was peeled off an ``SCTPEndpoint``: messages, in order within their stream, with an end.
///
/// It serves as any ``SequencedPacketSocket``, and with ``SCTPMessaging`` it sends and receives what belongs to messages.
///
/// **Long messages** are never cut: a receive with a short buffer gives a piece, without
/// ``MessageInfo/Flags/endOfRecord``, and the next gives more (``SocketCapabilities/continuedMessages``). When the
/// sender abandons a message, its rest never comes, and the next piece belongs to another message. Where peers may do
/// that, receive with an ``SCTPMessageAssembler``.
///
/// **The end.** The kernel ends reading of one-to-one sockets only; here a notification tells, which receiving turns into
/// the end of the stream, or `.connectionReset` once when the association was lost, and then the end. The socket is no
/// ``KernelSocket`` for that: the kernel's own calls see the notification. When the peer begins anew
/// (``SCTPAssociationChange/State/restarted``) messages may be missing, and a receive throws `.connectionReset` once; the
/// association goes on. Other notifications come only where they are switched on, as messages with
/// ``MessageInfo/Flags/notification``; `receive(into:)` of ``SCTPMessaging`` gives all of them typed.
@frozen
public struct SCTPAssociationSocket: ~Copyable, SequencedPacketSocket, SCTPMessaging, DescriptorSocket {
  public typealias Options = SCTPSocketOptions
  public typealias Address = IPSocketAddress

  @usableFromInline let owned: Descriptor

  /// Makes one of a peeled-off descriptor, and switches ``SCTPEvent/associationChange`` on.
  public init(owning descriptor: consuming Descriptor) {
    owned = descriptor
    let raw = owned.raw
    try? raw.setSCTPFlag(CSK_SCTP_RECVRCVINFO, to: true)
    _ = raw.attemptSetEvent(.associationChange, to: true, for: .all)
    // It may have ended before that was on.
    if !raw.hasItsAssociation { _ = csk_shutdown(raw.value, CSK_SHUT_RDWR) }
  }

  /// Takes over a peeled-off socket, and makes it CLOEXEC and non-blocking.
  /// - Throws: `.closed`, `.notASocket`, or `.wrongSocketKind`, also for a one-to-many socket, and for one whose
  ///   association has ended: they cannot be told apart. The descriptor is closed then.
  public init(adopting descriptor: consuming Descriptor) throws(SocketError) {
    let raw = descriptor.raw
    try raw.checkSCTPPackets()
    guard raw.hasItsAssociation else { throw SocketError(code: .wrongSocketKind, .adopt) }
    try raw.setBlocking(false)
    try raw.setCloseOnExec(true)
    self.init(owning: descriptor)
  }

  @inlinable public var descriptor: RawDescriptor { owned.raw }
  @inlinable public var readSource: RawDescriptor { owned.raw }
  @inlinable public var writeSource: RawDescriptor { owned.raw }

  /// No half-close and no empty messages: the protocol has none (RFC 9260).
  @inlinable public static var capabilities: SocketCapabilities { .continuedMessages }
  @inlinable public static var style: SCTPStyle { .peeledOff }
  @inlinable public var mayReceiveDescriptors: Bool { false }

  @inlinable @inline(__always)
  public borrowing func attemptReceive(
    into buffer: inout MutableRawSpan, control: inout MutableRawSpan, flags: ReceiveFlags, _ info: inout MessageInfo
  ) -> IOResult {
    let result = descriptor.attemptReceiveMessage(
      into: &buffer, control: &control, flags: flags, &info, descriptorsMayCome: false)
    if result.raw > 0, !info.flags.contains(.notification) { return result }
    if result.raw < 0 { return result }
    return descriptor.attemptReceiveAgain(result, into: &buffer, control: &control, flags: flags, &info)
  }

  /// One by one, and a notification begins a batch of its own: the error that it may come to is told once, and must not
  /// get lost behind messages.
  public borrowing func attemptReceive(batch: inout MessageBatch) -> IOResult {
    batch.removeAll()
    while !batch.isFull && (batch.isEmpty || !descriptor.hasNotification) {
      let result = batch.withFreeSlot { buffer, control, info in
        attemptReceive(into: &buffer, control: &control, flags: [], &info)
      }
      if result.isFailure { return batch.isEmpty ? result : IOResult(raw: batch.count) }
    }
    return IOResult(raw: batch.count)
  }

  @inlinable @inline(__always)
  public borrowing func attemptSend(
    _ bytes: RawSpan, control: RawSpan, to address: RawSpan, flags: SendFlags
  ) -> IOResult {
    descriptor.attemptSendMessage(bytes, control: control, to: address, flags: flags)
  }

  /// Ends the association in order, when writing is to end: SCTP has no half-close, so the peer can send no more either. What
  /// was sent is delivered first. With `.read` the own receiving alone ends, and the peer does not hear of it.
  /// - Throws: `.closed`. An association that has ended already is no error.
  public borrowing func attemptShutdown(_ direction: ShutdownDirection) -> IOResult {
    if direction != .read { _ = descriptor.attemptEnd(.future, CSK_SCTP_EOF, reason: RawSpan()) }
    return descriptor.attemptShutdown(direction)
  }

  /// Ends the association at once; what has not been delivered is lost (SCTP_ABORT).
  /// - Parameter reason: told to the peer: ``SCTPErrorCause/reason(in:)``. Up to some 1400 bytes.
  /// - Throws: `.brokenPipe` when it has ended already.
  public borrowing func abort(reason: Span<UInt8>) throws(SocketError) {
    let result = descriptor.attemptEnd(.future, CSK_SCTP_ABORT, reason: reason.bytes)
    if result.isFailure { throw SocketError(result, .abort) }
  }

  /// The address of this end: the first, where there are several.
  /// - Throws: `.closed`.
  public borrowing func localAddress() throws(SocketError) -> IPSocketAddress {
    guard let address = IPSocketAddress(try descriptor.localAddress()) else {
      throw SocketError(code: .invalidAddress, .localAddress)
    }
    // getsockname(2) forgets a peeled-off IPv6 socket's address, and gives the port alone.
    return address.ip == .v6(.any) ? (try? localAddresses())?.first ?? address : address
  }

  /// The peer's primary address; the last one when the association has ended.
  /// - Throws: `.closed`.
  public borrowing func remoteAddress() throws(SocketError) -> IPSocketAddress {
    guard let address = IPSocketAddress(try descriptor.remoteAddress()) else {
      throw SocketError(code: .invalidAddress, .remoteAddress)
    }
    return address
  }

  /// Gives the descriptor away; the association stays as it is.
  @inlinable
  public consuming func releaseDescriptor() -> Descriptor { owned }

  /// Closes now: the kernel shuts the association down in the background, or aborts it where messages have not been
  /// received. ``close(until:)`` waits for that.
  @inlinable
  public consuming func attemptClose() -> IOResult { owned.attemptClose() }
}
