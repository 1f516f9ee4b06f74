internal import CSocketKit
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
  /// `close()` and a socket whose life ends do the first part in the kernel, without telling how it went. Whether the
  /// peer's program has read everything, no kernel tells.
  ///
  /// - Parameter limit: how long to wait; a deadline that has passed aborts at once, and so does cancelling.
  /// - Throws: `.connectionReset` when the peer aborted, `.timedOut` with ETIMEDOUT when it no longer answered, both
  ///   also when a read or a write has already reported it; `.cancelled`, `.notConnected`. The socket is gone in every
  ///   case.
  @discardableResult
  public consuming func close(
    until limit: some WaitLimit
  ) throws(SocketError) -> SCTPEnding {
    do throws(SocketError) {
      var wait = try WaitOperation(.close, until: limit)
      try wait.check()
      // The own shutdown's completion shows neither in reads nor in polls, only as a notification.
      try descriptor.setSCTPOption(
        CSK_SCTP_EVENT, to: AssociationEvent(association: 0, type: AssociationEvent.change, isOn: 1))
      if let failure = descriptor.notedFailure { throw SocketError(.failure(errno: failure), .close) }
      try shutdown(.write)
      try waitForEnd(&wait)
    } catch {
      // Not the kernel's: the time was over, or the control called.
      let isOurs = error.errno == 0
      if isOurs { try abort() }
      if isOurs && error.code == .timedOut { return .aborted }
      throw error
    }
    try close()
    return .graceful
  }

  /// Reads and drops what comes until the association is over, one message at a time: a peer that never stops sending must
  /// not hold this up.
  private borrowing func waitForEnd<Limit: WaitLimit>(
    _ wait: inout WaitOperation<Limit>
  ) throws(SocketError) {
    var buffer = [UInt64](repeating: 0, count: 2048)
    var control = MutableRawSpan()
    var info = MessageInfo()
    var isLast = false
    while true {
      var span = buffer.mutableSpan
      var bytes = span.mutableBytes
      let result = descriptor.attemptReceiveMessage(
        into: &bytes, control: &control, flags: [], &info, descriptorsMayCome: false)
      if result.isWouldBlock {
        // Without an association nothing more arrives. Its end was an error, which another call has taken.
        if isLast { throw SocketError(.failure(errno: CSK_ECONNRESET), .close) }
        isLast = !descriptor.hasItsAssociation
        if !isLast { try wait.block(on: readSource, for: .readable) }
        continue
      }
      if result.isFailure { throw SocketError(result, .close) }
      if result == .zero {
        // Reading has ended, by the peer's shutdown or by one of our own: what we sent may still be under way, and the
        // kernel tells no more of it.
        if !descriptor.hasItsAssociation { return }
        try wait.pause()
        continue
      }
      if info.flags.contains(.notification), result.raw >= 10,
        bytes.bytes.unsafeLoad(as: UInt16.self) == AssociationEvent.change
      {
        switch bytes.bytes.unsafeLoad(fromByteOffset: 8, as: UInt16.self) {
        case AssociationEvent.lost:
          // The kernel has also set an error, which tells whether the peer aborted or no longer answered.
          let pending = descriptor.takeError()
          throw SocketError(.failure(errno: pending == 0 ? CSK_ECONNRESET : pending), .close)
        case AssociationEvent.shutdownComplete: return
        default: break
        }
      }
      wait.progressed()
      try wait.check()
    }
  }

  /// Ends the association at once and drops what was not sent: the peer's next read says `.connectionReset`
  /// (RFC 9260, 9.1). Without a reason: the kernel takes one from one-to-many and peeled-off sockets only (EINVAL in
  /// net/sctp/socket.c).
  /// - Throws: what close(2) reports. The socket is gone in every case.
  public consuming func abort() throws(SocketError) {
    try setOption(.linger, to: .zero)
    try close()
  }
}

/// struct sctp_event, and of SCTP_ASSOC_CHANGE what is needed here.
private struct AssociationEvent: BitwiseCopyable {
  var association: Int32
  var type: UInt16
  var isOn: UInt8
  var padding: UInt8 = 0

  static var change: UInt16 { 0x8001 }
  static var lost: UInt16 { 1 }
  static var shutdownComplete: UInt16 { 3 }
}
