internal import CSocketKit
public import SocketKitCore

// These methods close a socket with a time limit. They deliver sent data or abort the association, and report which of
// the two happened.

extension SCTPAssociationSocket {
  /// Shuts down the association, and waits on this thread until all sent data has arrived. Aborts the association if
  /// the time limit expires before the association has ended.
  ///
  /// Data that arrives in the meantime is discarded, so receive all expected data before the call.
  ///
  /// - Parameter limit: how long to wait. If the deadline has already passed, or if the wait is cancelled, the call
  ///   aborts the association immediately.
  /// - Throws: `.connectionReset` if the peer aborted, `.timedOut` with ETIMEDOUT if the peer no longer answered,
  ///   `.brokenPipe` if the association had already ended, `.cancelled`, `.tooManyDescriptors`. The socket is closed in
  ///   every case.
  @discardableResult
  public consuming func close(
    until limit: some WaitLimit
  ) throws(SocketError) -> SCTPEnding {
    do throws(SocketError) {
      let result = descriptor.attemptEnd(.future, CSK_SCTP_EOF, reason: Span())
      if result.isFailure { throw SocketError(result, .shutdown) }
      try dropUntilEnd(limit)
    } catch {
      // If the association no longer exists, this call has no effect.
      _ = descriptor.attemptEnd(.future, CSK_SCTP_ABORT, reason: Span())
      if error.code == .timedOut && error.errno == 0 { return .aborted }
      throw error
    }
    return .graceful
  }

  /// Receives and discards messages until the association ends.
  private borrowing func dropUntilEnd(
    _ limit: some WaitLimit
  ) throws(SocketError) {
    var memory = InlineArray<512, UInt8>(repeating: 0)
    var info = MessageInfo()
    var outcome = ReadOutcome.bytes(0)
    while outcome != .endOfStream {
      // A peer that never stops sending must not delay the end.
      try limit.check(.close)
      outcome = try receive(
        into: memory.mutableSpan, &info, until: limit)
    }
    // If receiving was shut down before, the kernel does not report the end of the association.
    var wait = try WaitOperation(.close, until: limit)
    while descriptor.hasItsAssociation { try wait.pause() }
  }
}

extension SCTPOneToManySocket {
  /// Stops accepting associations, shuts down the existing associations, and waits on this thread until all sent data
  /// has arrived and all associations have ended.
  ///
  /// Associations that have not ended in time are aborted. Messages that arrive in the meantime are discarded.
  ///
  /// - Parameter limit: how long to wait. If the deadline has already passed, or if the wait is cancelled, the call
  ///   aborts all associations immediately.
  /// - Returns: how many associations were aborted.
  /// - Throws: `.cancelled`, `.tooManyDescriptors`. The socket is closed in every case.
  @discardableResult
  public consuming func close(
    until limit: some WaitLimit
  ) throws(SocketError) -> Int {
    try? listen(false)
    // The notification about the end of an association wakes this thread.
    try setOption(.event(.associationChange), of: .all, to: true)
    for association in try option(.associations) { try? shutdown(association) }
    do throws(SocketError) {
      while try option(.associationCount) > 0, try dropOne(limit) {}
      // After receiving has ended, the kernel delivers no notifications.
      if try option(.associationCount) > 0 {
        var wait = try WaitOperation(.close, until: limit)
        while try option(.associationCount) > 0 { try wait.pause() }
      }
      return 0
    } catch {
      let rest = try option(.associations)
      for association in rest { try? abort(association) }
      if error.code == .timedOut && error.errno == 0 { return rest.count }
      throw error
    }
  }

  /// Receives one message or notification and discards it.
  /// - Returns: false if receiving has ended.
  private borrowing func dropOne(
    _ limit: some WaitLimit
  ) throws(SocketError) -> Bool {
    var memory = InlineArray<512, UInt8>(repeating: 0)
    try limit.check(.close)
    do throws(SocketError) {
      let arrival = try receive(into: memory.mutableSpan, until: limit)
      if case .endOfStream = arrival { return false }
    } catch {
      // If one association fails, the call still waits for the other associations.
      if error.errno == 0 || error.code == .tooManyDescriptors { throw error }
    }
    return true
  }
}
