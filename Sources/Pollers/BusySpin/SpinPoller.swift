public import CSocketKit
public import SocketKitCore

/// A poller that polls repeatedly before it sleeps: it has the lowest latency, at the cost of CPU time.
///
/// It wraps another poller, the base, and polls the base without blocking: first as fast as possible, then with a yield
/// to other threads before each attempt. After these attempts, it waits in the base poller, which sleeps. The numbers
/// of attempts are parameters. In the pure mode, the poller never sleeps. The base poller detects readiness and
/// wake-ups, so this poller reports only descriptors that are ready. It checks the deadline after each attempt.
///
/// Choose the limits carefully on machines with few cores. If both ends of a connection share a core, a poller that
/// spins without yielding delays the peer until the end of the time slice.
@frozen
public struct SpinPoller<Base: Poller & ~Copyable>: ~Copyable, Poller {
  /// The parameters of a spin poller.
  public struct Configuration: Sendable {
    /// The configuration of the base poller.
    public var base: Base.Configuration
    /// The number of attempts without yielding. The limit is a count and not a time. Each attempt makes a system call,
    /// whose duration is much longer than the resolution of the clock.
    public var spins: UInt32
    /// The number of attempts that follow the spins. The poller yields before each of these attempts.
    public var yields: UInt32
    /// Whether the poller sleeps after it has made the number of attempts given by `spins` and `yields`. False selects
    /// the pure mode, which yields forever, or spins forever if `yields` is 0.
    public var parks: Bool

    /// Creates the parameters of a poller that spins, then yields, then sleeps.
    public init(base: Base.Configuration, spins: UInt32 = 64, yields: UInt32 = 16, parks: Bool = true) {
      self.base = base
      self.spins = spins
      self.yields = yields
      self.parks = parks
    }

    /// Returns the configuration of a poller that never yields and never sleeps. Use this configuration only if each
    /// end of the connection has a dedicated core.
    public static func pure(base: Base.Configuration) -> Configuration {
      Configuration(base: base, spins: .max, yields: 0, parks: false)
    }
  }

  /// The number of attempts in each mode since the poller was created.
  @frozen
  public struct Statistics: BitwiseCopyable, Hashable, Sendable {
    /// The number of times that the poller found no events and tried again without a yield.
    public var spins: UInt64 = 0
    /// The number of times that the poller found no events and yielded before it tried again.
    public var yields: UInt64 = 0
    /// The number of times that the poller slept.
    public var parks: UInt64 = 0
    /// Creates statistics in which every number is 0.
    @inlinable
    public init() {}
  }

  @usableFromInline var base: Base
  @usableFromInline let spins: UInt32
  @usableFromInline let yields: UInt32
  @usableFromInline let parks: Bool
  /// The number of attempts in each mode.
  @inlinable public var statistics: Statistics { counted }
  @usableFromInline var counted = Statistics()

  /// - Throws: the errors of the base poller.
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

  /// The capabilities of the base poller, without ``/SocketKitCore/PollerCapabilities/parks`` if this poller does not
  /// sleep.
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
