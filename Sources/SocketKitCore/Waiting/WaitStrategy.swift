/// What to do after a try found nothing.
@frozen
public enum WaitStep: BitwiseCopyable, Hashable, Sendable {
  /// Try again at once, after telling the CPU that this is a spin loop.
  case spin
  /// Let another thread run, then try again.
  case yield
  /// Sleep in the kernel until the descriptor is ready.
  case park
}

/// How a waiting call spends its time. It decides step by step; nothing is shared between waits, and nothing sleeps for a
/// guessed time.
///
/// Measured on two cores: a pure spin loses by up to ten times when both sides share a core; 40 tries and then parking
/// wins more than six times when each has its own; a yield inside the spin is the safe choice on few cores.
public protocol WaitStrategy: Sendable {
  /// What one wait remembers: how often it has tried.
  associatedtype Progress: BitwiseCopyable
  /// The progress of a wait that begins.
  func begin() -> Progress
  /// The next step.
  func next(_ progress: inout Progress) -> WaitStep
}

/// Always sleeps in the kernel (ppoll(2)).
@frozen
public struct ParkingStrategy: WaitStrategy {
  @inlinable
  public init() {}
  @inlinable
  public func begin() -> UInt8 { 0 }
  @inlinable
  public func next(_ progress: inout UInt8) -> WaitStep { .park }
}

/// Never sleeps and never yields: burns a core for the lowest latency. Only where each side has a core.
@frozen
public struct SpinningStrategy: WaitStrategy {
  @inlinable
  public init() {}
  @inlinable
  public func begin() -> UInt8 { 0 }
  @inlinable
  public func next(_ progress: inout UInt8) -> WaitStep { .spin }
}

/// A bounded spin, then yields, then sleep.
@frozen
public struct AdaptiveStrategy: WaitStrategy {
  /// Tries without yielding.
  public let spins: UInt32
  /// Tries with a yield before each, after the spins.
  public let yields: UInt32

  @inlinable
  public init(spins: UInt32 = 40, yields: UInt32 = 4) {
    self.spins = spins
    self.yields = yields
  }
  @inlinable
  public func begin() -> UInt64 { 0 }
  @inlinable
  public func next(_ progress: inout UInt64) -> WaitStep {
    progress &+= 1
    if progress <= UInt64(spins) { return .spin }
    return progress <= UInt64(spins) &+ UInt64(yields) ? .yield : .park
  }
}

extension WaitStrategy where Self == ParkingStrategy {
  /// Sleep in the kernel.
  @inlinable public static var park: Self { ParkingStrategy() }
}
extension WaitStrategy where Self == SpinningStrategy {
  /// Burn a core.
  @inlinable public static var spin: Self { SpinningStrategy() }
}
extension WaitStrategy where Self == AdaptiveStrategy {
  /// 40 tries, 4 yields, then sleep.
  @inlinable public static var adaptive: Self { AdaptiveStrategy() }
  /// A bounded spin, then yields, then sleep.
  @inlinable
  public static func adaptive(spins: UInt32, yields: UInt32) -> Self { AdaptiveStrategy(spins: spins, yields: yields) }
}
