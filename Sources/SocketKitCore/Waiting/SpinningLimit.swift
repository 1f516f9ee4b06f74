/// A limit with which a thread tries again before it sleeps. ``WaitLimit/spinning(_:thenYielding:)`` makes it.
@frozen
public struct SpinningLimit<Base: WaitLimit>: WaitLimit {
  @usableFromInline let base: Base
  @usableFromInline let spins: UInt64
  // The sum of spins and yields.
  @usableFromInline let steps: UInt64

  @inlinable
  init(_ base: Base, spins: UInt64, yields: UInt64) {
    self.base = base
    self.spins = spins
    let (sum, overflow) = spins.addingReportingOverflow(yields)
    steps = overflow ? .max : sum
  }

  @inlinable public var deadline: Deadline { base.deadline }
  @inlinable public var control: WaitControl? { base.control }

  @inlinable
  public func begin() -> UInt64 { 0 }

  @inlinable
  public func next(_ progress: inout UInt64) -> WaitStep {
    if progress < spins {
      progress &+= 1
      return .spin
    }
    guard progress < steps else { return .park }
    progress &+= 1
    return .yield
  }
}

extension WaitLimit {
  /// Returns this limit, changed so that the thread tries again before it sleeps.
  ///
  /// If both arguments are omitted, the thread never sleeps and never yields. The thread then uses a whole core and has
  /// the lowest latency. Omit the arguments only if each side has its own core.
  ///
  /// These values were measured on two cores. If both sides share a core, pure spinning is up to ten times slower than
  /// sleeping. If each side has its own core, 40 attempts before sleeping are more than six times faster than sleeping
  /// immediately. On a machine with few cores, `spinning(40, thenYielding: 4)` is a safe choice.
  /// - Parameters:
  ///   - spins: the number of times to try again without yielding.
  ///   - yields: the number of times to yield and try again after the spins. The thread then sleeps in the kernel.
  @inlinable
  public func spinning(_ spins: UInt64 = .max, thenYielding yields: UInt64 = 0) -> SpinningLimit<Self> {
    SpinningLimit(self, spins: spins, yields: yields)
  }
}
