internal import CSocketKit
public import SocketKitCore
public import SocketKitIP

/// One SCTP association that was peeled off an ``SCTPOneToManySocket``. Messages are in order within their stream. When
/// the association ends, a receive call returns the end of the stream.
///
/// The type conforms to ``/SocketKitCore/SequencedPacketSocket``. With ``SCTPMessaging``, the socket also sends and
/// receives the attributes of messages.
///
/// **Long messages** are never truncated. A receive call with a short buffer returns a piece without
/// ``/SocketKitCore/MessageInfo/Flags/endOfRecord``, and the next receive call returns the next piece
/// (``/SocketKitCore/SocketCapabilities/continuedMessages``). If the sender abandons a message, the rest of that
/// message never arrives, and the next piece belongs to another message. If peers may abandon messages, receive with an
/// ``SCTPMessageAssembler``.
///
/// **The end.** The kernel returns the end of the stream only on one-to-one sockets. On a peeled-off socket, a
/// notification reports the end of the association. A receive call converts this notification to the end of the stream.
/// If the association was lost, one receive call first throws `.connectionReset`. The socket is not a
/// ``/SocketKitCore/KernelSocket``, because the kernel's own calls would return the notification. If the peer restarts
/// (``SCTPAssociationChange/State/restarted``), messages may be missing. One receive call then throws
/// `.connectionReset`, and the association continues. Other notifications arrive only if they are switched on. They
/// arrive as messages with the flag ``/SocketKitCore/MessageInfo/Flags/notification``. `receive(into:)` of
/// ``SCTPMessaging`` returns every notification as a typed value.
@frozen
public struct SCTPAssociationSocket: ~Copyable, SequencedPacketSocket, SCTPMessaging, DescriptorSocket {
  public typealias Options = SCTPSocketOptions
  public typealias Address = IPSocketAddress

  @usableFromInline let owned: Descriptor

  /// Takes ownership of a peeled-off descriptor, and switches on ``SCTPEvent/associationChange`` and the option
  /// `.receiveInfo`.
  public init(owning descriptor: consuming Descriptor) {
    owned = descriptor
    try? setOption(.receiveInfo, to: true)
    try? setOption(.event(.associationChange), of: .all, to: true)
    // The association may have ended before the event was switched on.
    if !owned.raw.hasItsAssociation { _ = csk_shutdown(owned.raw.value, CSK_SHUT_RDWR) }
  }

  /// Takes ownership of a peeled-off socket, and makes it CLOEXEC and non-blocking.
  /// - Throws: `.closed`, `.notASocket`, or `.wrongSocketKind`. The call also throws `.wrongSocketKind` for a
  ///   one-to-many socket and for a socket whose association has ended, because these two cannot be distinguished. The
  ///   descriptor is closed on failure.
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

  /// `.continuedMessages` is the only capability, because the protocol has no half-close and no empty messages (RFC
  /// 9260).
  @inlinable public static var capabilities: SocketCapabilities { .continuedMessages }
  @inlinable public static var style: SCTPStyle { .peeledOff }
  @inlinable public var mayReceiveDescriptors: Bool { false }

  @inlinable @inline(__always)
  public borrowing func attemptReceive(
    into buffer: inout MutableSpan<UInt8>, ancillary: inout MutableRawSpan, flags: ReceiveFlags,
    _ info: inout MessageInfo
  ) -> IOResult {
    let result = descriptor.attemptReceiveMessage(
      into: &buffer, ancillary: &ancillary, flags: flags, &info, descriptorsMayCome: false)
    if result.raw > 0, !info.flags.contains(.notification) { return result }
    if result.raw < 0 { return result }
    return descriptor.attemptReceiveAgain(result, into: &buffer, ancillary: &ancillary, flags: flags, &info)
  }

  /// Receives messages one by one. A notification starts a new batch.
  ///
  /// A notification may cause an error, which the kernel reports only once. In a batch that already contains messages,
  /// that error would be lost.
  public borrowing func attemptReceive(batch: inout MessageBatch) -> IOResult {
    batch.removeAll()
    while !batch.isFull && (batch.isEmpty || !descriptor.hasNotification) {
      // The kernel writes the ancillary data.
      let result = unsafe batch.withFreeSlot { buffer, ancillary, info in
        attemptReceive(into: &buffer, ancillary: &ancillary, flags: [], &info)
      }
      if result.isFailure { return batch.isEmpty ? result : IOResult(raw: batch.count) }
    }
    return IOResult(raw: batch.count)
  }

  @inlinable @inline(__always)
  public borrowing func attemptSend(
    _ bytes: Span<UInt8>, ancillary: RawSpan, to address: RawSpan, flags: SendFlags
  ) -> IOResult {
    descriptor.attemptSendMessage(bytes, ancillary: ancillary, to: address, flags: flags)
  }

  /// Ends the association gracefully, unless the direction is `.read`. SCTP has no half-close, so the peer cannot send
  /// any more either.
  ///
  /// Data that was already sent is delivered first. With `.read`, only receiving on this end stops, and the peer is not
  /// notified.
  /// - Returns: 0 or -errno. An association that has already ended is not an error.
  public borrowing func attemptShutdown(_ direction: ShutdownDirection) -> IOResult {
    if direction != .read { _ = descriptor.attemptEnd(.future, CSK_SCTP_EOF, reason: Span()) }
    return descriptor.attemptShutdown(direction)
  }

  /// Aborts the association immediately. Data that has not been delivered is lost (SCTP_ABORT).
  /// - Parameter reason: the bytes to send to the peer as the reason, at most about 1400. The peer reads the reason
  ///   with ``SCTPErrorCause/reason(in:)``.
  /// - Throws: `.brokenPipe` if the association has already ended.
  public borrowing func abort(reason: Span<UInt8>) throws(SocketError) {
    let result = descriptor.attemptEnd(.future, CSK_SCTP_ABORT, reason: reason)
    if result.isFailure { throw SocketError(result, .abort) }
  }

  /// Returns the address of this end, or its first address if there are several.
  /// - Throws: `.closed`.
  public borrowing func localAddress() throws(SocketError) -> IPSocketAddress {
    guard let address = IPSocketAddress(try descriptor.localAddress()) else {
      throw SocketError(code: .invalidAddress, .localAddress)
    }
    // For a peeled-off IPv6 socket, getsockname(2) returns only the port and not the address.
    return address.ip == .v6(.any) ? (try? option(.localAddresses))?.first ?? address : address
  }

  /// Returns the address that was the peer's primary address when the association was peeled off (getpeername(2)). The
  /// method returns this address even after the association has ended. The option
  /// ``SCTPAssociationOption/primaryAddress`` is the current primary address.
  /// - Throws: `.closed`.
  public borrowing func remoteAddress() throws(SocketError) -> IPSocketAddress {
    guard let address = IPSocketAddress(try descriptor.remoteAddress()) else {
      throw SocketError(code: .invalidAddress, .remoteAddress)
    }
    return address
  }

  /// Transfers ownership of the descriptor to the caller; the association is unchanged.
  @inlinable
  public consuming func releaseDescriptor() -> Descriptor { owned }

  /// Closes the socket immediately.
  ///
  /// The kernel shuts the association down in the background, or aborts it if the program has not received all
  /// messages. ``close(until:)`` waits until the association has ended.
  @inlinable
  public consuming func attemptClose() -> IOResult { owned.attemptClose() }
}
