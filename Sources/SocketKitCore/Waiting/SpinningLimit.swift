/// A limit whose thread tries again before it sleeps. ``WaitLimit/spinning(_:thenYielding:)`` makes it.
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
  /// Returns this limit for a thread that tries again before it sleeps.
  ///
  /// Without arguments the thread never sleeps and never yields. It uses a whole core for the lowest latency. Do this
  /// only where each side has its own core.
  ///
  /// Measured on two cores: where both sides share a core, pure spinning is up to ten times slower than sleeping. Where
  /// each side has its own core, 40 tries and then sleeping are more than six times faster.
  /// `spinning(40, thenYielding: 4)` is a safe choice on few cores.
  /// - Parameters:
  ///   - spins: how many times to try again without yielding.
  ///   - yields: how many times to yield and try again after that. The thread then sleeps in the kernel.
  @inlinable
  public func spinning(_ spins: UInt64 = .max, thenYielding yields: UInt64 = 0) -> SpinningLimit<Self> {
    SpinningLimit(self, spins: spins, yields: yields)
  }
}
