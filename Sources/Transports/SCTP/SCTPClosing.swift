public import SocketKitCore

/// How an association ended.
@frozen
public enum SCTPEnding: BitwiseCopyable, Hashable, Sendable {
  /// Everything that was sent has reached the peer's kernel.
  case graceful
  /// The time was over, and what had not arrived was given up.
  case aborted
}

extension SCTPSocket {
  /// Ends the association after all that was sent has arrived, waiting on this thread; when that takes too long, ends it
  /// at once. What still arrives meanwhile is dropped, so read first.
  ///
  /// `close()` and a socket whose life ends do the first part in the kernel, without telling how it went.
  ///
  /// - Parameters:
  ///   - time: how long to wait; zero or less aborts at once.
  ///   - strategy: how to wait.
  ///   - control: lets other threads cancel the wait, which aborts.
  /// - Throws: `.connectionReset` when the peer aborted, `.timedOut` when it no longer answered, `.cancelled`,
  ///   `.notConnected`. The socket is gone in every case.
  @discardableResult
  public consuming func close(
    gracefullyWithin time: Duration, strategy: some WaitStrategy = .park, control: WaitControl? = nil
  ) throws(SocketError) -> SCTPEnding {
    let deadline = Deadline.after(time)
    if deadline.hasPassed {
      try abort()
      return .aborted
    }
    var rest = [UInt8](repeating: 0, count: 16384)
    do throws(SocketError) {
      try shutdown(.write)
      // The end comes when the shutdown is complete: RFC 9260, 9.2.
      while try read(into: rest.mutableSpan, until: deadline, strategy: strategy, control: control) != .endOfStream {}
    } catch {
      let ours = error.errno == 0
      if ours { try abort() }
      if ours && error.code == .timedOut { return .aborted }
      throw error
    }
    try close()
    return .graceful
  }

  /// Ends the association at once and drops what was not sent: the peer's next read says `.connectionReset`
  /// (RFC 9260, 9.1). With a reason: ``SCTPMessaging``.
  /// - Throws: what close(2) reports. The socket is gone in every case.
  public consuming func abort() throws(SocketError) {
    try setOption(.linger, to: .zero)
    try close()
  }
}
