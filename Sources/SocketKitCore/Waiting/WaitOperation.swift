public import CSocketKit

/// One waiting call: its deadline, its control and how far its strategy has come.
///
/// For implementers: a wrapper that offers waiting calls of its own makes one, tries, and calls ``block(on:for:)`` after
/// every try that would block.
@frozen
public struct WaitOperation<Strategy: WaitStrategy> {
  public let deadline: Deadline
  public let operation: SocketError.Operation
  @usableFromInline let strategy: Strategy
  @usableFromInline let control: WaitControl?
  @usableFromInline var progress: Strategy.Progress
  @usableFromInline var history = ParkHistory()

  /// - Throws: `.cancelled` or `.timedOut` when the control or the deadline says so already: nothing is tried then.
  @inlinable
  public init(
    _ operation: SocketError.Operation, until deadline: Deadline, strategy: Strategy, control: WaitControl? = nil
  ) throws(SocketError) {
    self.operation = operation
    self.deadline = deadline
    self.strategy = strategy
    self.control = control
    progress = strategy.begin()
    try check()
  }

  /// For what goes on without waiting, for longer than the caller wished perhaps.
  /// - Throws: `.cancelled` or `.timedOut` when the control or a deadline says so.
  @inlinable
  public func check() throws(SocketError) {
    if let control {
      if control.isCancelled { throw SocketError(code: .cancelled, operation) }
      if control.deadline.hasPassed { throw SocketError(code: .timedOut, operation) }
    }
    if deadline.hasPassed { throw SocketError(code: .timedOut, operation) }
  }

  /// Waits as the strategy says; when it returns, try again. The descriptor may be not ready all the same.
  ///
  /// While parked it uses almost no processor time, even where poll(2) reports the descriptor again and again although
  /// the call would block: because of an unread error queue, for example. Call ``progressed()`` after a try that moved
  /// something.
  /// - Throws: `.timedOut` when the deadline or the control's has passed, `.cancelled`; `.shutDown` when this side has
  ///   shut down the receiving direction, and the kernel reports no end for it: datagram sockets and Unix listeners;
  ///   the pending error of the socket; `.tooManyDescriptors` when a control needs a wake-up descriptor and there is
  ///   none.
  @inlinable
  public mutating func block(on source: RawDescriptor, for interest: Interest) throws(SocketError) {
    try block(on: source, for: interest, until: .never)
  }

  /// Waits as ``block(on:for:)`` does, for calls whose result can be an end.
  /// - Returns: false where ``block(on:for:)`` throws `.shutDown`.
  /// - Throws: as ``block(on:for:)`` otherwise.
  @inlinable
  public mutating func blockUnlessEnded(
    on source: RawDescriptor, for interest: Interest
  ) throws(SocketError) -> Bool {
    do throws(SocketError) {
      try block(on: source, for: interest)
      return true
    } catch {
      if error.code == .shutDown { return false }
      throw error
    }
  }

  /// Call it after a try that moved something, in a call of several tries: clears what earlier tries noticed about the
  /// descriptor.
  @inlinable @inline(__always)
  public mutating func progressed() { history = ParkHistory() }

  /// Waits as ``block(on:for:)`` does, but at most until a moment of the caller's own, at which it returns: for what must
  /// be looked at now and then besides.
  /// - Throws: as ``block(on:for:)``: the operation's own deadline is the one that throws.
  @inlinable
  public mutating func block(
    on source: RawDescriptor, for interest: Interest, until moment: Deadline
  ) throws(SocketError) {
    try check()
    switch strategy.next(&progress) {
    case .spin:
      csk_relax()
      try lookNowAndThen(at: source, interest)
    case .yield:
      csk_yield()
      try lookNowAndThen(at: source, interest)
    case .park:
      try park(source, interest, until: min(deadline, moment), control: control, operation: operation, &history)
    }
  }

  /// A try alone does not show that the receiving direction of a datagram socket was shut down.
  @inlinable
  mutating func lookNowAndThen(at source: RawDescriptor, _ interest: Interest) throws(SocketError) {
    history.spins &+= 1
    if history.spins & 0x3ff == 0 { try look(source, interest, operation) }
  }

  /// Waits as the strategy says, but not for readiness: parked, it sleeps for a millisecond, or for four after fifty
  /// such pauses. For changes that the kernel does not report, so that only another try shows them.
  ///
  /// - Throws: as ``block(on:for:)``.
  @inlinable
  public mutating func pause() throws(SocketError) {
    try check()
    switch strategy.next(&progress) {
    case .spin: csk_relax()
    case .yield: csk_yield()
    case .park:
      // poll(2) passes over a negative descriptor.
      let slice = Deadline(nanoseconds: csk_monotonic_nanoseconds() &+ history.nextPause())
      var none = ParkHistory()
      let limit = min(deadline, slice)
      try park(RawDescriptor(-1), .writable, until: limit, control: control, operation: operation, &none)
    }
  }
}
