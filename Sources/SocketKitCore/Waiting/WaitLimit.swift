/// The time for which a call may wait, and the way in which the thread waits. Every waiting call has a parameter
/// `until:` for a limit.
///
/// A ``Deadline`` is a limit: the thread sleeps in the kernel until the call can proceed or the deadline passes. Two
/// methods extend a limit:
/// ```swift
/// try socket.read(into: buffer.mutableSpan, until: .after(.seconds(5)))
/// try socket.read(into: buffer.mutableSpan, until: .never.cancellable(by: control))
/// try socket.read(into: buffer.mutableSpan, until: .after(.seconds(5)).spinning(40, thenYielding: 4))
/// ```
/// A waiting call first checks the ``control``, and then attempts its operation. It checks the ``deadline`` only after
/// an attempt that would block. Therefore, a call that need not wait succeeds even if the deadline has passed. Such a
/// call reads the clock only if the control has a deadline. An operation of several steps, such as
/// `writeAll(_:until:)`, checks the control and the deadline before every step except the first. In a loop of waiting
/// calls that use the same limit, call ``check(_:)`` before every call except the first. Without these checks, the
/// limit does not end the loop if the peer is always ready.
///
/// To wait in another way, conform a type to this protocol. ``deadline`` is the only requirement without a default.
public protocol WaitLimit: Sendable {
  /// The state that one wait keeps from step to step, such as the number of its attempts.
  associatedtype Progress: BitwiseCopyable = UInt8

  /// The time at which the wait ends with `.timedOut`.
  var deadline: Deadline { get }

  /// The control by which other threads end the wait or change its deadline. It is nil by default.
  var control: WaitControl? { get }

  /// Returns the progress of a new wait.
  func begin() -> Progress

  /// Returns the next step after an attempt that would block. The default implementation returns ``WaitStep/park``.
  func next(_ progress: inout Progress) -> WaitStep
}

/// The step that a waiting thread takes after an attempt that would block.
@frozen
public enum WaitStep: BitwiseCopyable, Hashable, Sendable {
  /// Try again immediately after a pause instruction of the processor.
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
  /// For implementers of waiting calls: throws if the control has ended the wait. This method does not read the clock
  /// unless the control has a deadline. For a limit without a control, it compiles to no instructions.
  /// - Throws: `.cancelled`; `.timedOut` if the control's deadline has passed.
  @inlinable @inline(__always)
  package func checkControl(_ operation: SocketError.Operation) throws(SocketError) {
    guard let control else { return }
    if control.isCancelled { throw SocketError(code: .cancelled, operation) }
    if control.deadline.hasPassed { throw SocketError(code: .timedOut, operation) }
  }

  /// For implementers of waiting calls: throws if the wait has ended. An operation of several steps calls this method
  /// before every step except the first, so that the limit ends the operation even if the peer is always ready.
  /// - Throws: `.cancelled`; `.timedOut` if the deadline of the limit or of the control has passed.
  @inlinable
  public func check(_ operation: SocketError.Operation) throws(SocketError) {
    try checkControl(operation)
    if deadline.hasPassed { throw SocketError(code: .timedOut, operation) }
  }
}
