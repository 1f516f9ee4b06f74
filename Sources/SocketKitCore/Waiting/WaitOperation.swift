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
  /// - Throws: `.timedOut` when the deadline or the control's has passed, `.cancelled`; `.tooManyDescriptors` when a
  ///   control needs a wake-up descriptor and there is none.
  @inlinable
  public mutating func block(on source: RawDescriptor, for interest: Interest) throws(SocketError) {
    try block(on: source, for: interest, until: .never)
  }

  /// Waits as ``block(on:for:)`` does, but at most until a moment of the caller's own, at which it returns: for what must
  /// be looked at now and then besides.
  /// - Throws: as ``block(on:for:)``: the operation's own deadline is the one that throws.
  @inlinable
  public mutating func block(
    on source: RawDescriptor, for interest: Interest, until moment: Deadline
  ) throws(SocketError) {
    try check()
    switch strategy.next(&progress) {
    case .spin: csk_relax()
    case .yield: csk_yield()
    case .park: try park(source, interest, until: min(deadline, moment), control: control, operation: operation)
    }
  }

  /// Waits as the strategy says, but parked a millisecond at most and for nothing to be ready: for what the kernel does not
  /// report, so that trying again is the only way to find out.
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
      let slice = min(deadline, .after(.milliseconds(1)))
      try park(RawDescriptor(-1), .writable, until: slice, control: control, operation: operation)
    }
  }
}

/// Sleeps until the descriptor is ready, the deadline passes, or the control calls.
@usableFromInline
func park(
  _ source: RawDescriptor, _ interest: Interest, until deadline: Deadline, control: WaitControl?,
  operation: SocketError.Operation
) throws(SocketError) {
  let events = Int16(truncatingIfNeeded: interest.events.rawValue)
  var watched: InlineArray<2, csk_pollfd> = [
    csk_pollfd(fd: source.value, events: events, revents: 0),
    csk_pollfd(fd: -1, events: Int16(CSK_POLLIN), revents: 0),
  ]
  guard let control else {
    try sleep(&watched, until: deadline, operation)
    return
  }
  let bell = try control.enter(operation)
  defer { control.leave(bell) }
  // Read only now: whatever changed before was changed before the bell hung, and will not ring it.
  if control.isCancelled { return }
  watched[1].fd = bell.value
  try sleep(&watched, until: min(deadline, control.deadline), operation)
}

private func sleep(
  _ watched: inout InlineArray<2, csk_pollfd>, until deadline: Deadline, _ operation: SocketError.Operation
) throws(SocketError) {
  while true {
    var time = csk_timespec()
    let left = deadline.remainingNanoseconds
    time.tv_sec = Int(left / 1_000_000_000)
    time.tv_nsec = Int(left % 1_000_000_000)
    let result = withUnsafeMutableBytes(of: &watched) { bytes in
      let memory = bytes.baseAddress?.assumingMemoryBound(to: csk_pollfd.self)
      return IOResult(raw: left < 0 ? csk_ppoll(memory, 2, nil) : csk_ppoll(memory, 2, &time))
    }
    if result.isInterrupted { continue }
    if result.isFailure {
      throw SocketError(code: SocketError.Code(errno: result.errno), operation, errno: result.errno)
    }
    return
  }
}
