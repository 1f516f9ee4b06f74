internal import CSocketKit
public import SocketKitCore

// Closing with a time limit: delivers sent data or aborts the association, and reports which of the two happened.

extension SCTPAssociationSocket {
  /// Ends the association after all sent data has arrived, waiting on this thread; aborts it if that takes too long.
  ///
  /// Data that arrives in the meantime is discarded, so receive first.
  ///
  /// - Parameter limit: how long to wait. A deadline that has passed aborts at once, and so does cancellation.
  /// - Throws: `.connectionReset` if the peer aborted, `.timedOut` with ETIMEDOUT if the peer no longer answered,
  ///   `.brokenPipe` if the association had already ended, `.cancelled`, `.tooManyDescriptors`. The socket is closed in
  ///   every case.
  @discardableResult
  public consuming func close(
    until limit: some WaitLimit
  ) throws(SocketError) -> SCTPEnding {
    do throws(SocketError) {
      let result = descriptor.attemptEnd(.future, CSK_SCTP_EOF, reason: RawSpan())
      if result.isFailure { throw SocketError(result, .shutdown) }
      try dropUntilEnd(limit)
    } catch {
      // If the association no longer exists, this aborts nothing.
      _ = descriptor.attemptEnd(.future, CSK_SCTP_ABORT, reason: RawSpan())
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
    // If receiving was shut down before, the kernel reports nothing more.
    var wait = try WaitOperation(.close, until: limit)
    while descriptor.hasItsAssociation { try wait.pause() }
  }
}

extension SCTPOneToManySocket {
  /// Accepts no more associations, ends the existing ones after all sent data has arrived, and waits on this thread
  /// until all have ended.
  ///
  /// Associations that have not ended in time are aborted. Messages that arrive in the meantime are discarded.
  ///
  /// - Parameter limit: how long to wait. A deadline that has passed aborts all at once, and so does cancellation.
  /// - Returns: how many associations were aborted.
  /// - Throws: `.cancelled`, `.tooManyDescriptors`. The socket is closed in every case.
  @discardableResult
  public consuming func close(
    until limit: some WaitLimit
  ) throws(SocketError) -> Int {
    try? listen(false)
    // The notification of each end wakes the wait.
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
  /// - Returns: false after the end of receiving.
  private borrowing func dropOne(
    _ limit: some WaitLimit
  ) throws(SocketError) -> Bool {
    var memory = InlineArray<512, UInt8>(repeating: 0)
    try limit.check(.close)
    do throws(SocketError) {
      let arrival = try receive(into: memory.mutableSpan, until: limit)
      if case .endOfStream = arrival { return false }
    } catch {
      // The failure of one association does not end the wait for the others.
      if error.errno == 0 || error.code == .tooManyDescriptors { throw error }
    }
    return true
  }
}
