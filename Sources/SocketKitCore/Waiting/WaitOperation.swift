public import CSocketKit

/// One wait of a call: its limit, and what it has noticed so far.
///
/// For implementers of waiting calls. A call of one step is a line over `waiting(for:until:)` of ``Watchable``, which
/// makes one of these. A call of several steps, or one that waits for what no descriptor reports, makes one itself,
/// tries, and calls ``block(on:for:)`` or ``pause(until:)`` after every try that would block.
@frozen
public struct WaitOperation<Limit: WaitLimit> {
  /// How long the wait may take.
  public let limit: Limit
  /// What errors name as the operation.
  public let operation: SocketError.Operation
  @usableFromInline var progress: Limit.Progress
  @usableFromInline var history = ParkHistory()

  /// - Throws: `.cancelled`, or `.timedOut` for the control's deadline, when the limit's control says so already. The
  ///   limit's own deadline is not looked at.
  @inlinable @inline(__always)
  public init(_ operation: SocketError.Operation, until limit: Limit) throws(SocketError) {
    self.operation = operation
    self.limit = limit
    progress = limit.begin()
    try limit.checkControl(operation)
  }

  /// Throws when the wait is over: call it before every step but the first.
  /// - Throws: `.timedOut`, `.cancelled`.
  @inlinable
  public func check() throws(SocketError) { try limit.check(operation) }

  /// Call it after a try that moved something, in a call of several steps: clears what earlier tries noticed about the
  /// descriptor.
  @inlinable @inline(__always)
  public mutating func progressed() { history = ParkHistory() }

  /// Waits as the limit says; when it returns, try again. The descriptor may still not be ready.
  ///
  /// While parked it uses almost no processor time, even where poll(2) reports the descriptor again and again although
  /// the call would block: because of an unread error queue, for example. Call ``progressed()`` after a try that moved
  /// something.
  /// - Parameters:
  ///   - source: what to watch.
  ///   - interest: one direction; an empty interest waits for the error queue.
  /// - Throws: `.timedOut` when the deadline or the control's has passed, `.cancelled`; `.shutDown` when this side has
  ///   shut down the receiving direction, and the kernel reports no end for it: datagram sockets and Unix listeners;
  ///   the pending error of the socket; `.tooManyDescriptors` when a control needs a wake-up descriptor and there is
  ///   none.
  @inlinable
  public mutating func block(on source: RawDescriptor, for interest: Interest) throws(SocketError) {
    try check()
    switch limit.next(&progress) {
    case .spin:
      csk_relax()
      try lookNowAndThen(at: source, interest)
    case .yield:
      csk_yield()
      try lookNowAndThen(at: source, interest)
    case .park:
      try park(
        source, interest, until: limit.deadline, control: limit.control, operation: operation, &history)
    }
  }

  /// A try alone does not show that the receiving direction of a datagram socket was shut down.
  @inlinable
  mutating func lookNowAndThen(at source: RawDescriptor, _ interest: Interest) throws(SocketError) {
    history.spins &+= 1
    if history.spins & 0x3ff == 0 { try look(source, interest, operation) }
  }

  /// Waits as the limit says, but not for readiness: for changes that the kernel does not report, so that only another
  /// try shows them.
  /// - Parameter moment: when to return; nil for a millisecond from now, or four milliseconds after fifty such pauses.
  ///   It may return earlier.
  /// - Throws: `.timedOut`, `.cancelled`, `.tooManyDescriptors`.
  @inlinable
  public mutating func pause(until moment: Deadline? = nil) throws(SocketError) {
    try check()
    switch limit.next(&progress) {
    case .spin: csk_relax()
    case .yield: csk_yield()
    case .park:
      let moment = moment ?? Deadline(nanoseconds: csk_monotonic_nanoseconds() &+ history.nextPause())
      var none = ParkHistory()
      let end = min(limit.deadline, moment)
      // poll(2) passes over a negative descriptor.
      try park(RawDescriptor(-1), .writable, until: end, control: limit.control, operation: operation, &none)
    }
  }
}
