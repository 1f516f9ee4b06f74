internal import CSocketKit
public import SocketKitCore

// Closing with a time limit: what was sent is delivered, or the association is aborted, and the caller learns which.

extension SCTPAssociationSocket {
  /// Ends the association after all that was sent has arrived, waiting on this thread; when that takes too long, ends it
  /// at once. What still arrives meanwhile is dropped, so receive first.
  ///
  /// - Parameter limit: how long to wait; a deadline that has passed aborts at once, and so does cancelling.
  /// - Throws: `.connectionReset` when the peer aborted, `.timedOut` with ETIMEDOUT when it no longer answered,
  ///   `.brokenPipe` when the association had ended before, `.cancelled`, `.tooManyDescriptors`. The socket is gone in
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
      // Where the association is no more, nothing is aborted.
      _ = descriptor.attemptEnd(.future, CSK_SCTP_ABORT, reason: RawSpan())
      if error.code == .timedOut && error.errno == 0 { return .aborted }
      throw error
    }
    return .graceful
  }

  /// Takes what comes until the association is over.
  private borrowing func dropUntilEnd(
    _ limit: some WaitLimit
  ) throws(SocketError) {
    var memory = InlineArray<512, UInt8>(repeating: 0)
    var info = MessageInfo()
    var outcome = ReadOutcome.bytes(0)
    while outcome != .endOfStream {
      // A peer that never stops sending must not hold this up.
      try limit.check(.close)
      outcome = try receive(
        into: memory.mutableSpan, &info, until: limit)
    }
    // Where receiving was ended before, the kernel tells no more.
    var wait = try WaitOperation(.close, until: limit)
    while descriptor.hasItsAssociation { try wait.pause() }
  }
}

extension SCTPEndpoint {
  /// Accepts no more associations, ends those that there are after all that was sent has arrived, and waits on this thread
  /// until all have ended; those that have not in time are ended at once. Messages that still come are dropped.
  ///
  /// - Parameter limit: how long to wait; a deadline that has passed aborts all at once, and so does cancelling.
  /// - Returns: how many had to be aborted.
  /// - Throws: `.cancelled`, `.tooManyDescriptors`. The endpoint is gone in every case.
  @discardableResult
  public consuming func close(
    until limit: some WaitLimit
  ) throws(SocketError) -> Int {
    try? listen(false)
    // Each end wakes the wait by its notification.
    try setEvent(.associationChange, to: true)
    for association in try associations() { try? shutdown(association) }
    do throws(SocketError) {
      while try associationCount() > 0, try dropOne(limit) {}
      // After the end of receiving the kernel delivers no notification.
      if try associationCount() > 0 {
        var wait = try WaitOperation(.close, until: limit)
        while try associationCount() > 0 { try wait.pause() }
      }
      return 0
    } catch {
      let rest = try associations()
      for association in rest { try? abort(association) }
      if error.code == .timedOut && error.errno == 0 { return rest.count }
      throw error
    }
  }

  /// Receives one message or notification and drops it.
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
