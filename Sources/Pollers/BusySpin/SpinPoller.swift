public import CSocketKit
public import SocketKitCore

/// A poller that looks again and again before it sleeps: the lowest latency, paid for with CPU time.
///
/// It works over any other poller, which it asks without waiting: first as fast as it can, then with a yield to other
/// threads before each try, then it lets the other sleep. Every bound is a parameter, and a pure mode never sleeps.
/// Readiness is the kernel's own, so nothing is reported that is not ready, and wake-ups and deadlines are exact.
///
/// On few cores mind the bounds: where both sides of a connection share a core, a spin without yields makes the peer wait
/// for the end of the time slice.
@frozen
public struct SpinPoller<Base: Poller & ~Copyable>: ~Copyable, Poller {
  /// How a spin poller is made.
  public struct Configuration: Sendable {
    /// The poller that is asked.
    public var base: Base.Configuration
    /// How long to look without yielding. Counted in tries, because a try is a system call and far longer than reading
    /// the clock is precise.
    public var spins: UInt32
    /// Tries with a yield before each, after the spins.
    public var yields: UInt32
    /// Sleep after the spins and yields. False is the pure mode: yields for ever, or, with no yields, spins for ever.
    public var parks: Bool

    public init(base: Base.Configuration, spins: UInt32 = 64, yields: UInt32 = 16, parks: Bool = true) {
      self.base = base
      self.spins = spins
      self.yields = yields
      self.parks = parks
    }

    /// Never yields, never sleeps: only where each side has a core of its own.
    public static func pure(base: Base.Configuration) -> Configuration {
      Configuration(base: base, spins: .max, yields: 0, parks: false)
    }
  }

  /// In which mode the waits were satisfied, and what that cost, since the poller was made.
  @frozen
  public struct Statistics: BitwiseCopyable, Hashable, Sendable {
    /// Tries that found nothing, without a yield.
    public var spins: UInt64 = 0
    /// Tries that found nothing, with a yield.
    public var yields: UInt64 = 0
    /// Times that it slept.
    public var parks: UInt64 = 0
    @inlinable
    public init() {}
  }

  /// The poller that is asked.
  @usableFromInline var base: Base
  @usableFromInline let spins: UInt32
  @usableFromInline let yields: UInt32
  @usableFromInline let parks: Bool
  /// In which mode the time was burned.
  @inlinable public var statistics: Statistics { counted }
  @usableFromInline var counted = Statistics()

  /// - Throws: as the base does.
  @inlinable
  public init(_ configuration: Configuration) throws(SocketError) {
    base = try Base(configuration.base)
    spins = configuration.spins
    yields = configuration.yields
    parks = configuration.parks
  }

  @inlinable
  public static func configuration(capacity: Int) -> Configuration {
    Configuration(base: Base.configuration(capacity: capacity))
  }

  /// The base's; ``PollerCapabilities/parks`` only where it sleeps at the end.
  @inlinable public var capabilities: PollerCapabilities {
    parks ? base.capabilities : base.capabilities.subtracting(.parks)
  }

  @inlinable
  public mutating func register(
    source: RawDescriptor, for interest: Interest, trigger: Trigger, token: Token
  ) throws(SocketError) {
    try base.register(source: source, for: interest, trigger: trigger, token: token)
  }
  @inlinable
  public mutating func modify(
    source: RawDescriptor, for interest: Interest, trigger: Trigger, token: Token
  ) throws(SocketError) {
    try base.modify(source: source, for: interest, trigger: trigger, token: token)
  }
  @inlinable
  public mutating func deregister(source: RawDescriptor) throws(SocketError) { try base.deregister(source: source) }

  @inlinable
  public mutating func attemptWait(until deadline: Deadline) -> IOResult {
    var tries: UInt64 = 0
    while true {
      let result = base.attemptWait(until: .past)
      if result.raw != 0 || base.wasWoken { return result }
      if deadline.hasPassed { return result }
      tries &+= 1
      if tries <= UInt64(spins) {
        counted.spins &+= 1
        csk_relax()
      } else if tries <= UInt64(spins) &+ UInt64(yields) || (!parks && yields != 0) {
        counted.yields &+= 1
        csk_yield()
      } else if parks {
        counted.parks &+= 1
        return base.attemptWait(until: deadline)
      } else {
        counted.spins &+= 1
        csk_relax()
      }
    }
  }

  @inlinable
  public subscript(event index: Int) -> Event { base[event: index] }
  @inlinable public var wasWoken: Bool { base.wasWoken }
  @inlinable public var waker: Waker { base.waker }
}
