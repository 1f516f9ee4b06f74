internal import CSocketKit

/// A message socket with several peers. The socket has a separate association with each peer; each association begins
/// and ends independently of the others (one-to-many style, RFC 6458, section 3).
///
/// One-to-many SCTP sockets conform to this protocol. Implementations of protocols that build associations on datagrams
/// can conform too. Servers and clients with many peers on one socket use this protocol. A socket without associations
/// is a ``DatagramSocket``. A socket with one peer is a ``SequencedPacketSocket``.
///
/// Message boundaries are preserved. The messages of one sender arrive in the order in which they were sent. The end of
/// an association does not affect other associations. If a message is longer than the buffer and the socket has
/// ``SocketCapabilities/continuedMessages``, the next receive call returns more of the message. Otherwise, the message
/// is truncated.
public protocol OneToManySocket: Socket, ~Copyable {
  /// The identifier of an association on this socket. A later association may have the same identifier.
  associatedtype Association: Hashable & Sendable

  /// Starts an association with the peer at an address, without waiting. The program can send messages on the
  /// association immediately.
  /// - Throws: an error if the association cannot be started. If the peer refuses the association, a later receive
  ///   reports the refusal.
  borrowing func connect(to address: Address) throws(SocketError) -> Association

  /// Receives the next message, a part of a message, or the end of an association, without waiting.
  ///
  /// If an association was shut down, the call reports its end: the result is 0, and the flags of `info` contain
  /// ``MessageInfo/Flags/notification``. If an association was lost or aborted, the call fails with ECONNRESET, or with
  /// ECONNREFUSED if the association was not established. The socket reports each end or failure once, after all
  /// messages that arrived earlier. If an association was shut down, the sockets of both peers report its end. After an
  /// abort, the socket of the peer reports the failure; the socket that aborted the association may report it too.
  /// - Parameters:
  ///   - buffer: receives the bytes.
  ///   - association: set to the association to which the result refers; nil if the result refers to the socket.
  ///   - flags: with ``ReceiveFlags/peek``, the call does not remove the message, or the report that an association has
  ///     ended, from the queue.
  ///   - info: set unless the result is a failure.
  /// - Returns: the length of the message, which is greater than the length of the buffer if the message was truncated;
  ///   0 for an empty message, or if the call reports that an association has ended; or a failure.
  borrowing func attemptReceive(
    into buffer: inout MutableSpan<UInt8>, from association: inout Association?, flags: ReceiveFlags,
    _ info: inout MessageInfo
  ) -> IOResult

  /// Sends one message on an association, completely or not at all, without waiting. The call must not raise SIGPIPE.
  /// - Returns: the length of the message; EPIPE if the association has ended or is shutting down; EDESTADDRREQ if the
  ///   value does not identify an association; or another failure.
  borrowing func attemptSend(_ bytes: Span<UInt8>, on association: Association, flags: SendFlags) -> IOResult

  /// Ends one association, without waiting.
  /// - Parameter gracefully: if true, the messages that were sent before are delivered first. If false, the association
  ///   ends immediately, and messages that have not been received may be lost.
  /// - Returns: 0; EPIPE if the association has already ended; or another failure.
  borrowing func attemptEnd(_ association: Association, gracefully: Bool) -> IOResult
}

extension OneToManySocket where Self: ~Copyable {
  /// Receives one message, a part of a message, or the end of an association, without waiting.
  /// - Parameters:
  ///   - buffer: receives the bytes.
  ///   - association: set to the association of the message, or to the association that has ended. If the call throws,
  ///     it is set to the association that failed, or to nil if the socket failed.
  ///   - info: receives the full length and the flags. If the socket delivers long messages in parts,
  ///     ``MessageInfo/Flags/endOfRecord`` marks the last part.
  ///   - flags: with ``ReceiveFlags/peek``, the call does not remove the message, or the report that an association has
  ///     ended, from the queue.
  /// - Returns: `.bytes` with the number of bytes written to the buffer; `.endOfStream` if the association was shut
  ///   down; nil if neither a message nor a report that an association has ended is available.
  /// - Throws: `.connectionReset` if the association was lost or aborted; `.connectionRefused` if the peer did not
  ///   accept the association; and errors of the socket. The first two errors mean that the association no longer
  ///   exists. The call throws at most one of them for each association, and throws it only once unless the flags
  ///   contain ``ReceiveFlags/peek``.
  @inlinable
  public borrowing func receive(
    into buffer: consuming MutableSpan<UInt8>, from association: inout Association?, _ info: inout MessageInfo,
    flags: ReceiveFlags = []
  ) throws(SocketError) -> ReadOutcome? {
    var bytes = buffer
    return try receive(bytes: &bytes, &association, &info, flags)
  }

  /// Receives one message, a part of a message, or the end of an association. Blocks this thread until one of these
  /// arrives.
  /// - Returns: `.bytes` with the number of bytes written to the buffer, or `.endOfStream`, as for
  ///   ``receive(into:from:_:flags:)``.
  /// - Throws: `.timedOut`, `.cancelled`, and the errors of ``receive(into:from:_:flags:)``. For `.timedOut` and
  ///   `.cancelled`, `association` is nil.
  @inlinable
  public borrowing func receive(
    into buffer: consuming MutableSpan<UInt8>, from association: inout Association?, _ info: inout MessageInfo,
    flags: ReceiveFlags = [], until limit: some WaitLimit
  ) throws(SocketError) -> ReadOutcome {
    association = nil
    var bytes = buffer
    return try waiting(for: .readable, .receive, until: limit) { (socket) throws(SocketError) in
      try socket.receive(bytes: &bytes, &association, &info, flags)
    }
  }

  @inlinable
  borrowing func receive(
    bytes: inout MutableSpan<UInt8>, _ association: inout Association?, _ info: inout MessageInfo, _ flags: ReceiveFlags
  ) throws(SocketError) -> ReadOutcome? {
    let room = bytes.count
    association = nil
    let result = attemptReceive(into: &bytes, from: &association, flags: flags, &info)
    guard let length = try result.count(.receive) else { return nil }
    if length == 0, info.flags.contains(.notification) { return .endOfStream }
    return .bytes(length < room ? length : room)
  }

  /// Sends one message on an association, completely or not at all, without waiting.
  /// - Returns: the length of the message; nil if the call would block because there is no buffer space.
  /// - Throws: `.brokenPipe` if the association has ended or is shutting down; `.destinationRequired` if the value does
  ///   not identify an association; `.messageTooLarge`; and other errors of the transport.
  @inlinable
  public borrowing func send(
    _ bytes: Span<UInt8>, on association: Association, flags: SendFlags = []
  ) throws(SocketError) -> Int? {
    let result = attemptSend(bytes, on: association, flags: flags)
    if result.raw >= 0 { return result.raw }
    if result.isWouldBlock { return nil }
    throw result.associationError(.send)
  }

  /// Sends one message on an association. Blocks this thread until there is buffer space.
  /// - Returns: the length of the message.
  /// - Throws: `.timedOut`, `.cancelled`, and the errors of ``send(_:on:flags:)``.
  @inlinable @discardableResult
  public borrowing func send(
    _ bytes: Span<UInt8>, on association: Association, flags: SendFlags = [], until limit: some WaitLimit
  ) throws(SocketError) -> Int {
    try waiting(for: .writable, .send, until: limit) { (socket) throws(SocketError) in
      try socket.send(bytes, on: association, flags: flags)
    }
  }

  /// Shuts one association down gracefully. The call returns immediately. Messages that were sent before are delivered
  /// first. After that, a receive call by either peer reports the end of the association. The call does not affect
  /// other associations.
  /// - Throws: `.brokenPipe` if the association has already ended; `.destinationRequired` if the value does not
  ///   identify an association; and other errors of the transport.
  @inlinable
  public borrowing func shutdown(_ association: Association) throws(SocketError) {
    let result = attemptEnd(association, gracefully: true)
    if result.isFailure { throw result.associationError(.shutdown) }
  }

  /// Ends one association immediately. Messages that have not been received may be lost. The peer's receive throws
  /// `.connectionReset`. The call does not affect other associations.
  /// - Throws: `.brokenPipe` if the association has already ended; `.destinationRequired` if the value does not
  ///   identify an association; and other errors of the transport.
  @inlinable
  public borrowing func abort(_ association: Association) throws(SocketError) {
    let result = attemptEnd(association, gracefully: false)
    if result.isFailure { throw result.associationError(.abort) }
  }
}

extension IOResult {
  /// Returns the error of a call that has an association as an argument. For such a call, EDESTADDRREQ means that the
  /// value does not identify an association. On other sockets it means that the socket is not connected.
  @usableFromInline
  func associationError(_ operation: SocketError.Operation) -> SocketError {
    if errno == CSK_EDESTADDRREQ { return SocketError(code: .destinationRequired, operation) }
    return SocketError(self, operation)
  }
}
