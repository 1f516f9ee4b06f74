/// A limit with a control. ``WaitLimit/cancellable(by:)`` makes it.
@frozen
public struct CancellableLimit<Base: WaitLimit>: WaitLimit {
  @usableFromInline let base: Base
  public let control: WaitControl?

  @inlinable
  init(_ base: Base, _ control: WaitControl?) {
    self.base = base
    self.control = control
  }

  @inlinable public var deadline: Deadline { base.deadline }

  @inlinable
  public func begin() -> Base.Progress { base.begin() }

  @inlinable
  public func next(_ progress: inout Base.Progress) -> WaitStep { base.next(&progress) }
}

extension WaitLimit {
  /// Returns this limit with a control, by which other threads can end the wait or change its deadline during the wait.
  /// - Parameter control: the control of the wait. It replaces the control that this limit already has; nil removes
  ///   that control.
  @inlinable
  public func cancellable(by control: WaitControl?) -> CancellableLimit<Self> { CancellableLimit(self, control) }
}
