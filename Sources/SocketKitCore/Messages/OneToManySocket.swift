internal import CSocketKit

/// A message socket with several peers: each peer has an association of its own, which begins and ends separately (RFC
/// 6458, 3: one-to-many style).
///
/// One-to-many SCTP conforms, and so can a protocol over datagrams that has associations. Servers and clients with many
/// peers on one socket call it. A socket without associations is a ``DatagramSocket``; a socket with one peer is a
/// ``SequencedPacketSocket``.
///
/// Messages of one association keep their boundaries, and those of one sender their order. An association that ends
/// does not affect others. ``SocketCapabilities/continuedMessages`` states whether a message that is longer than the
/// buffer is continued or truncated.
public protocol OneToManySocket: Socket, ~Copyable {
  /// The identity of an association on this socket. A later association may have the same identity.
  associatedtype Association: Hashable & Sendable

  /// Starts an association with the peer at an address, without waiting. Messages can be sent on it at once.
  /// - Throws: the error if the association cannot be started. If the peer refuses it, a receive reports this later.
  borrowing func connect(to address: Address) throws(SocketError) -> Association

  /// Receives the next message, a piece of one, or the end of an association, without waiting.
  ///
  /// An association that was shut down has an end: the result is 0, and the flags of `info` contain
  /// ``MessageInfo/Flags/notification``. An association that was lost or aborted fails with ECONNRESET, or with
  /// ECONNREFUSED if it was not established. Each is reported once, after the messages that arrived before. An end is
  /// reported to both peers; after an abort, the socket that called it may report it too.
  /// - Parameters:
  ///   - buffer: receives the bytes.
  ///   - association: set to the association that the result is about; nil if the result is about the socket.
  ///   - flags: ``ReceiveFlags/peek`` leaves the message or the end in the queue.
  ///   - info: set unless the result is a failure.
  /// - Returns: the length of the message, which exceeds the buffer's if the message was truncated; 0 for an empty
  ///   message or an end; or a failure.
  borrowing func attemptReceive(
    into buffer: inout MutableRawSpan, from association: inout Association?, flags: ReceiveFlags,
    _ info: inout MessageInfo
  ) -> IOResult

  /// Sends one message on an association, as a whole or not at all, without waiting. The call must not raise SIGPIPE.
  /// - Returns: the length of the message; EPIPE if the association has ended or is shutting down; EDESTADDRREQ if the
  ///   value names no association; or another failure.
  borrowing func attemptSend(_ bytes: RawSpan, on association: Association, flags: SendFlags) -> IOResult

  /// Ends one association, without waiting.
  /// - Parameter gracefully: true delivers messages that were sent before. False ends the association at once; messages
  ///   that have not been received may be lost.
  /// - Returns: 0; EPIPE if the association has already ended; or another failure.
  borrowing func attemptEnd(_ association: Association, gracefully: Bool) -> IOResult
}

extension OneToManySocket where Self: ~Copyable {
  /// Receives one message, a piece of one, or the end of an association, without waiting.
  /// - Parameters:
  ///   - buffer: receives the bytes.
  ///   - association: set to the association of the message or of the end. When the call throws, it is the association
  ///     that failed, or nil if the socket failed.
  ///   - info: receives the full length and the flags. With continued messages, ``MessageInfo/Flags/endOfRecord`` marks
  ///     the last piece.
  ///   - flags: ``ReceiveFlags/peek`` leaves the message or the end in the queue.
  /// - Returns: `.bytes` with the number of bytes in the buffer; `.endOfStream` if the association was shut down; nil
  ///   if there is nothing to receive now.
  /// - Throws: `.connectionReset` (the association was lost or aborted), `.connectionRefused` (the peer did not accept
  ///   it): once for each association, which then no longer exists; and errors of the socket.
  @inlinable
  public borrowing func receive(
    into buffer: consuming MutableSpan<UInt8>, from association: inout Association?, _ info: inout MessageInfo,
    flags: ReceiveFlags = []
  ) throws(SocketError) -> ReadOutcome? {
    var bytes = buffer.mutableBytes
    return try receive(bytes: &bytes, &association, &info, flags)
  }

  /// Receives one message, a piece of one, or the end of an association, waiting on this thread until there is one.
  /// - Returns: `.bytes` with the number of bytes in the buffer, or `.endOfStream`, as
  ///   ``receive(into:from:_:flags:)``.
  /// - Throws: `.timedOut`, `.cancelled`, and as ``receive(into:from:_:flags:)``. With the first two, `association` is
  ///   nil.
  @inlinable
  public borrowing func receive(
    into buffer: consuming MutableSpan<UInt8>, from association: inout Association?, _ info: inout MessageInfo,
    flags: ReceiveFlags = [], until limit: some WaitLimit
  ) throws(SocketError) -> ReadOutcome {
    association = nil
    var bytes = buffer.mutableBytes
    return try waiting(for: .readable, .receive, until: limit) { (socket) throws(SocketError) in
      try socket.receive(bytes: &bytes, &association, &info, flags)
    }
  }

  @inlinable
  borrowing func receive(
    bytes: inout MutableRawSpan, _ association: inout Association?, _ info: inout MessageInfo, _ flags: ReceiveFlags
  ) throws(SocketError) -> ReadOutcome? {
    let room = bytes.byteCount
    association = nil
    let result = attemptReceive(into: &bytes, from: &association, flags: flags, &info)
    if result.raw < 0 {
      if result.isWouldBlock { return nil }
      throw SocketError(result, .receive)
    }
    if result.raw == 0, info.flags.contains(.notification) { return .endOfStream }
    return .bytes(result.raw < room ? result.raw : room)
  }

  /// Sends one message on an association, as a whole or not at all, without waiting.
  /// - Returns: the length of the message; nil if there is no buffer space now.
  /// - Throws: `.brokenPipe` (the association has ended, or is shutting down), `.destinationRequired` (the value names
  ///   no association), `.messageTooLarge`, and other errors of the transport.
  @inlinable
  public borrowing func send(
    _ bytes: Span<UInt8>, on association: Association, flags: SendFlags = []
  ) throws(SocketError) -> Int? {
    let result = attemptSend(bytes.bytes, on: association, flags: flags)
    if result.raw >= 0 { return result.raw }
    if result.isWouldBlock { return nil }
    throw result.associationError(.send)
  }

  /// Sends one message on an association, waiting on this thread for buffer space.
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

  /// Shuts one association down gracefully, and returns at once. Messages that were sent before are delivered first;
  /// receives at both ends then report the end. Other associations are unaffected.
  /// - Throws: `.brokenPipe` (the association has already ended), `.destinationRequired` (the value names no
  ///   association), and other errors of the transport.
  @inlinable
  public borrowing func shutdown(_ association: Association) throws(SocketError) {
    let result = attemptEnd(association, gracefully: true)
    if result.isFailure { throw result.associationError(.shutdown) }
  }

  /// Ends one association at once; messages that have not been received may be lost. The peer's receive throws
  /// `.connectionReset`. Other associations are unaffected.
  /// - Throws: `.brokenPipe` (the association has already ended), `.destinationRequired` (the value names no
  ///   association), and other errors of the transport.
  @inlinable
  public borrowing func abort(_ association: Association) throws(SocketError) {
    let result = attemptEnd(association, gracefully: false)
    if result.isFailure { throw result.associationError(.abort) }
  }
}

extension IOResult {
  /// Returns the error of a call that names an association. EDESTADDRREQ means that no association was named; on other
  /// sockets it means that the socket is not connected.
  @usableFromInline
  func associationError(_ operation: SocketError.Operation) -> SocketError {
    if errno == CSK_EDESTADDRREQ { return SocketError(code: .destinationRequired, operation) }
    return SocketError(self, operation)
  }
}
