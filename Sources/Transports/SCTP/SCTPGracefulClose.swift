internal import CSocketKit
public import SocketKitCore

// Closing with a time limit: what was sent is delivered, or the association is aborted, and the caller learns which.

extension SCTPAssociationSocket {
  /// Ends the association in order and waits on this thread until the peer has everything and agrees; when the deadline
  /// passes, or the wait is cancelled, aborts it. Messages that still come are dropped.
  ///
  /// - Returns: true when everything that was sent has been delivered, and the association was shut down in order.
  /// - Throws: what waiting needs and the kernel lacks (`.tooManyDescriptors`). The socket is gone in every case.
  public consuming func close(
    until deadline: Deadline, strategy: some WaitStrategy = .park, control: WaitControl? = nil
  ) throws(SocketError) -> Bool {
    if descriptor.attemptEnd(.future, CSK_SCTP_EOF, reason: RawSpan()).isFailure { return false }
    var memory = InlineArray<512, UInt8>(repeating: 0)
    do throws(SocketError) {
      while true {
        switch try receive(into: memory.mutableSpan, until: deadline, strategy: strategy, control: control) {
        case .message: continue
        case .endOfStream: return false
        case .notification(.associationChange(let change)):
          if change.isEnd { return change.state == .shutDown }
        case .notification: continue
        }
      }
    } catch {
      _ = descriptor.attemptEnd(.future, CSK_SCTP_ABORT, reason: RawSpan())
      if error.code == .tooManyDescriptors { throw error }
      return false
    }
  }
}

extension SCTPEndpoint {
  /// Accepts no more associations, ends those that there are in order, and waits on this thread until all have ended; aborts
  /// those that have not when the deadline passes or the wait is cancelled. Messages that still come are dropped.
  ///
  /// - Returns: how many had to be aborted.
  /// - Throws: what waiting needs and the kernel lacks (`.tooManyDescriptors`). The endpoint is gone in every case.
  public consuming func close(
    until deadline: Deadline, strategy: some WaitStrategy = .park, control: WaitControl? = nil
  ) throws(SocketError) -> Int {
    try? listen(false)
    // Each end wakes the wait by its notification.
    try setEvent(.associationChange, to: true)
    for association in try associations() { try? shutdown(association) }
    do throws(SocketError) {
      while try associationCount() > 0 { try dropOne(until: deadline, strategy, control) }
      return 0
    } catch {
      let rest = try associations()
      for association in rest { try? abort(association) }
      if error.code == .tooManyDescriptors { throw error }
      return rest.count
    }
  }

  private borrowing func dropOne(
    until deadline: Deadline, _ strategy: some WaitStrategy, _ control: WaitControl?
  ) throws(SocketError) {
    var memory = InlineArray<512, UInt8>(repeating: 0)
    do throws(SocketError) {
      _ = try receive(into: memory.mutableSpan, until: deadline, strategy: strategy, control: control)
    } catch {
      // What an association failed with does not end the wait for the others.
      if error.code == .timedOut && error.errno == 0 || error.code == .cancelled || error.code == .tooManyDescriptors {
        throw error
      }
    }
  }
}
