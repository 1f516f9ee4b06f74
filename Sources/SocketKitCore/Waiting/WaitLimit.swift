/// How long a waiting call may take, and how the thread spends that time: the `until:` of every waiting call.
///
/// A ``Deadline`` is a limit: the thread sleeps in the kernel until the call can proceed or the deadline passes. Two
/// methods add to a limit:
/// ```swift
/// try socket.read(into: buffer.mutableSpan, until: .after(.seconds(5)))
/// try socket.read(into: buffer.mutableSpan, until: .never.cancellable(by: control))
/// try socket.read(into: buffer.mutableSpan, until: .after(.seconds(5)).spinning(40, thenYielding: 4))
/// ```
/// A waiting call first looks at the ``control``, then tries, and looks at the ``deadline`` only when it would have to
/// wait. So a call that need not wait succeeds also when the deadline has passed, and reads no clock. Calls of several
/// steps, such as `writeAll(_:until:)`, look at both before every step but the first. A loop over waiting calls with
/// one limit does the same with ``check(_:)``, or a peer that is always ready keeps it from ending.
///
/// Conform to it to wait in another way: ``deadline`` is the only requirement without a default.
public protocol WaitLimit: Sendable {
  /// What one wait remembers from step to step, such as the number of its tries.
  associatedtype Progress: BitwiseCopyable = UInt8

  /// When the wait ends with `.timedOut`.
  var deadline: Deadline { get }

  /// Lets other threads end the wait or change its deadline; nil by default.
  var control: WaitControl? { get }

  /// The progress of a wait that begins.
  func begin() -> Progress

  /// What to do after a try that would block; ``WaitStep/park`` by default.
  func next(_ progress: inout Progress) -> WaitStep
}

/// What a waiting thread does after a try that would block.
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
  /// For implementers of waiting calls: throws when the control has ended the wait. Reads no clock unless the control
  /// has a deadline, and compiles to nothing for a limit without a control.
  /// - Throws: `.cancelled`; `.timedOut` when the control's deadline has passed.
  @inlinable @inline(__always)
  public func checkControl(_ operation: SocketError.Operation) throws(SocketError) {
    guard let control else { return }
    if control.isCancelled { throw SocketError(code: .cancelled, operation) }
    if control.deadline.hasPassed { throw SocketError(code: .timedOut, operation) }
  }

  /// For implementers of waiting calls: throws when the wait is over. Calls of several steps check before every step
  /// but the first, so that a peer that is always ready cannot keep them from ending.
  /// - Throws: `.cancelled`; `.timedOut` when the deadline, or the control's, has passed.
  @inlinable
  public func check(_ operation: SocketError.Operation) throws(SocketError) {
    try checkControl(operation)
    if deadline.hasPassed { throw SocketError(code: .timedOut, operation) }
  }
}
