/// A limit with a control: made by ``WaitLimit/cancellable(by:)``.
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
  /// The same limit, for a wait that other threads can end, or whose deadline they can change while it waits.
  /// - Parameter control: the control of the wait, in place of an earlier one; nil for none.
  @inlinable
  public func cancellable(by control: WaitControl?) -> CancellableLimit<Self> { CancellableLimit(self, control) }
}
