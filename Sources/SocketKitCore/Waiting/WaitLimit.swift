/// The time that a waiting call may take, and the way in which the thread spends it. Every waiting call takes a limit
/// as `until:`.
///
/// A ``Deadline`` is a limit: the thread sleeps in the kernel until the call can proceed or the deadline passes. Two
/// methods add to a limit:
/// ```swift
/// try socket.read(into: buffer.mutableSpan, until: .after(.seconds(5)))
/// try socket.read(into: buffer.mutableSpan, until: .never.cancellable(by: control))
/// try socket.read(into: buffer.mutableSpan, until: .after(.seconds(5)).spinning(40, thenYielding: 4))
/// ```
/// A waiting call first checks the ``control``, then tries, and checks the ``deadline`` only when it would have to
/// wait. So a call that does not wait succeeds even when the deadline has passed, and does not read the clock unless
/// the control has a deadline. Calls of several steps, such as `writeAll(_:until:)`, check both before every step but
/// the first. In a loop over waiting calls with one limit, call ``check(_:)`` in the same way; otherwise a peer that is
/// always ready can keep the loop from ending.
///
/// To wait in another way, conform a type to this protocol. ``deadline`` is the only requirement without a default.
public protocol WaitLimit: Sendable {
  /// The state that one wait keeps from step to step, such as the number of its tries.
  associatedtype Progress: BitwiseCopyable = UInt8

  /// The time at which the wait ends with `.timedOut`.
  var deadline: Deadline { get }

  /// The control by which other threads end the wait or change its deadline; nil by default.
  var control: WaitControl? { get }

  /// Returns the progress of a new wait.
  func begin() -> Progress

  /// Returns the step after a try that would block; ``WaitStep/park`` by default.
  func next(_ progress: inout Progress) -> WaitStep
}

/// The step that a waiting thread takes after a try that would block.
@frozen
public enum WaitStep: BitwiseCopyable, Hashable, Sendable {
  /// Try again at once, after a pause instruction of the processor.
  case spin
  /// Let another thread run, then try again (sched_yield(2)).
  case yield
  /// Sleep in the kernel until the descriptor is ready (ppoll(2)).
  case park
}

extension WaitLimit {
  @inlinable public var control: WaitControl? { nil }
}

extension WaitLimit where Progress == UInt8 {
  @inlinable
  public func begin() -> UInt8 { 0 }
  @inlinable
  public func next(_ progress: inout UInt8) -> WaitStep { .park }
}

extension Deadline: WaitLimit {
  @inlinable public var deadline: Deadline { self }
}

extension WaitLimit {
  /// For implementers of waiting calls: throws if the control has ended the wait. Does not read the clock unless the
  /// control has a deadline, and compiles to nothing for a limit without a control.
  /// - Throws: `.cancelled`; `.timedOut` when the control's deadline has passed.
  @inlinable @inline(__always)
  package func checkControl(_ operation: SocketError.Operation) throws(SocketError) {
    guard let control else { return }
    if control.isCancelled { throw SocketError(code: .cancelled, operation) }
    if control.deadline.hasPassed { throw SocketError(code: .timedOut, operation) }
  }

  /// For implementers of waiting calls: throws if the wait has ended. Calls of several steps check before every step
  /// but the first, so that a peer that is always ready cannot keep them from ending.
  /// - Throws: `.cancelled`; `.timedOut` when the limit's or the control's deadline has passed.
  @inlinable
  public func check(_ operation: SocketError.Operation) throws(SocketError) {
    try checkControl(operation)
    if deadline.hasPassed { throw SocketError(code: .timedOut, operation) }
  }
}
