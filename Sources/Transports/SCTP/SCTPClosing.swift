internal import CSocketKit
public import SocketKitCore

/// How an association ended.
@frozen
public enum SCTPEnding: BitwiseCopyable, Hashable, Sendable {
  /// All data that was sent has reached the peer's kernel.
  case graceful
  /// The time limit passed, and data that had not arrived was discarded.
  case aborted
}

extension SCTPSocket {
  /// Shuts down the association, and waits on this thread until all sent data has arrived. Aborts the association if
  /// the time limit expires before the association has ended.
  ///
  /// Data that arrives in the meantime is discarded, so read all expected data before the call.
  ///
  /// `close()` and the destruction of the socket start the same shutdown in the kernel, but do not report its result.
  /// The kernel cannot report whether the peer's program has read all data.
  ///
  /// - Parameter limit: how long to wait. If the deadline has already passed, or if the wait is cancelled, the call
  ///   aborts the association immediately (RFC 9260, 9.1): unsent data is discarded, and the peer's next read fails
  ///   with `.connectionReset`. For example, `close(until: .past)` aborts the association. The call cannot send the
  ///   reason of an abort, because the kernel accepts such a reason only on one-to-many and peeled-off sockets (EINVAL
  ///   in net/sctp/socket.c).
  /// - Throws: `.connectionReset` if the peer aborted; `.timedOut` with ETIMEDOUT if the peer no longer answered;
  ///   `.cancelled`, `.notConnected`. The call throws either of the first two errors even if a read or write call has
  ///   already reported it. The socket is closed in every case.
  @discardableResult
  public consuming func close(
    until limit: some WaitLimit
  ) throws(SocketError) -> SCTPEnding {
    do throws(SocketError) {
      var wait = try WaitOperation(.close, until: limit)
      try wait.check()
      // Only a notification reports the completion of this end's shutdown; reads and polls do not.
      try setOption(.event(.associationChange), to: true)
      if let failure = descriptor.notedFailure { throw SocketError(.failure(errno: failure), .close) }
      try shutdown(.write)
      try waitForEnd(&wait)
    } catch {
      // An errno of 0 means that the time limit passed or that the wait was cancelled. No system call failed.
      let isOurs = error.errno == 0
      if isOurs { try abort() }
      if isOurs && error.code == .timedOut { return .aborted }
      throw error
    }
    try close()
    return .graceful
  }

  /// Receives and discards messages until the association ends.
  ///
  /// The limit is checked after each message, so that a peer that never stops sending cannot delay the end.
  private borrowing func waitForEnd<Limit: WaitLimit>(
    _ wait: inout WaitOperation<Limit>
  ) throws(SocketError) {
    var buffer = [UInt8](repeating: 0, count: 16_384)
    var ancillary = MutableRawSpan()
    var info = MessageInfo()
    var isLast = false
    while true {
      var bytes = buffer.mutableSpan
      let result = descriptor.attemptReceiveMessage(
        into: &bytes, ancillary: &ancillary, flags: [], &info, descriptorsMayCome: false)
      if result.isWouldBlock {
        // Without an association, no more data arrives. Another call has consumed the error that reported the end.
        if isLast { throw SocketError(.failure(errno: CSK_ECONNRESET), .close) }
        isLast = !descriptor.hasItsAssociation
        if !isLast { try wait.block(on: readSource, for: .readable) }
        continue
      }
      if result.isFailure { throw SocketError(result, .close) }
      if result == .zero {
        // Reading has ended, because the peer or this end has performed a shutdown. Sent data may still be in transit,
        // and the kernel does not report its arrival.
        if !descriptor.hasItsAssociation { return }
        try wait.pause()
        continue
      }
      if info.flags.contains(.notification),
        case .associationChange(let change) = SCTPNotification(bytes.span.extracting(first: result.raw))
      {
        switch change.state {
        case .lost:
          // The kernel has also set an error, which shows whether the peer aborted or no longer answered.
          let pending = descriptor.takeError()
          throw SocketError(.failure(errno: pending == 0 ? CSK_ECONNRESET : pending), .close)
        case .shutDown: return
        case .up, .restarted, .cannotStart: break
        }
      }
      wait.progressed()
      try wait.check()
    }
  }

  /// Aborts the association and closes the socket.
  private consuming func abort() throws(SocketError) {
    try setOption(.linger, to: .zero)
    try close()
  }
}
