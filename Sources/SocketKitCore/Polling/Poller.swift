public import CSocketKit

/// Something that waits for many descriptors at once and says which are ready.
///
/// The contract, which ``SocketKitConformance`` checks:
/// - **Readiness is a hint.** A spurious event is allowed, a lost one never: what is ready and watched is reported by
///   the next wait. With level triggering (the default) it is reported as long as it lasts.
/// - **Edge triggering** (``Trigger/edge``), where ``capabilities`` has it, reports a change once: read until
///   the call returns nil. **One-shot** reports once and then watches no more until
///   ``modify(source:for:trigger:token:)``.
/// - **Errors and hang-ups** are reported whether asked for or not, except to a one-shot registration that has fired.
///   An empty interest pauses a registration: it reports a hang-up at most once.
/// - **Deregister before closing.** The kernel forgets a closed descriptor by itself only when no copy of it is open,
///   and poll(2) never. Tokens carry a generation so that what still comes can be dropped: see ``Slab``.
/// - **A descriptor is registered once per poller**: a second time is `.alreadyRegistered`.
/// - **Wake-ups are never lost**: one that comes before a wait ends that wait at once.
/// - **A signal ends no wait**; a waiting poller with nothing ready makes no wake-ups, except where it is built to
///   spin.
///
/// A poller is used by one thread at a time; its ``waker`` by any.
public protocol Poller: ~Copyable, Sendable {
  /// What makes one: its bounds and modes.
  associatedtype Configuration: Sendable

  /// Makes a poller.
  /// - Throws: `.tooManyDescriptors`; `.notSupported` where the kernel lacks it.
  init(_ configuration: Configuration) throws(SocketError)

  /// What generic code may make one with: sensible values for a program of that many connections.
  static func configuration(capacity: Int) -> Configuration

  /// What this poller can do beyond level triggering.
  var capabilities: PollerCapabilities { get }

  /// Watches a descriptor. For implementers; programs use ``register(_:for:trigger:token:)``.
  /// - Throws: `.alreadyRegistered`, `.closed`, `.notSupported` for a mode that ``capabilities`` lacks or a descriptor
  ///   that cannot be watched (a regular file), `.capacityExceeded`.
  mutating func register(
    source: RawDescriptor, for interest: Interest, trigger: Trigger, token: Token
  ) throws(SocketError)

  /// Changes what a registered descriptor is watched for, and re-arms a one-shot registration.
  /// - Throws: `.notRegistered`, `.closed`, `.notSupported`.
  mutating func modify(
    source: RawDescriptor, for interest: Interest, trigger: Trigger, token: Token
  ) throws(SocketError)

  /// Stops watching. Events of it that the last wait found may still be read from ``subscript(event:)``.
  /// - Throws: `.notRegistered`, `.closed`.
  mutating func deregister(source: RawDescriptor) throws(SocketError)

  /// Waits once: the number of events, 0 when the deadline passed or a wake-up came, or -errno. Must not throw, so that
  /// it specializes; may return -EINTR.
  mutating func attemptWait(until deadline: Deadline) -> IOResult

  /// An event of the last wait, from 0 to one less than what it returned. Valid until the next wait. Another index is a
  /// programming error, and a poller must trap. A check against the same variable that the wait returned costs nothing
  /// in a loop over the events.
  subscript(event index: Int) -> Event { get }

  /// Whether the last wait was ended by the ``waker``.
  var wasWoken: Bool { get }

  /// A handle by which any thread can end a wait.
  var waker: Waker { get }
}

/// What a poller can do beyond level triggering.
@frozen
public struct PollerCapabilities: OptionSet, BitwiseCopyable, Hashable, Sendable {
  public let rawValue: UInt32
  @inlinable
  public init(rawValue: UInt32) { self.rawValue = rawValue }

  /// It takes ``Interest/edge``.
  @inlinable public static var edge: Self { Self(rawValue: 1) }
  /// It takes ``Interest/oneShot``.
  @inlinable public static var oneShot: Self { Self(rawValue: 2) }
  /// It takes ``Interest/exclusive``.
  @inlinable public static var exclusive: Self { Self(rawValue: 4) }
  /// Deadlines below a millisecond are kept as precisely as the kernel's timers are.
  @inlinable public static var precise: Self { Self(rawValue: 8) }
  /// With nothing ready it sleeps: no wake-ups, no CPU time.
  @inlinable public static var parks: Self { Self(rawValue: 16) }
  /// The cost of a wait does not grow with the number of idle registrations.
  @inlinable public static var scalable: Self { Self(rawValue: 32) }
}

extension Poller where Self: ~Copyable {
  /// Makes a poller for about a thousand connections.
  /// - Throws: as ``init(_:)``.
  @inlinable
  public init() throws(SocketError) { try self.init(Self.configuration(capacity: 1024)) }

  /// Watches a descriptor, level-triggered.
  /// - Throws: as ``register(source:for:trigger:token:)``.
  @inlinable
  public mutating func register(source: RawDescriptor, for interest: Interest, token: Token) throws(SocketError) {
    try register(source: source, for: interest, trigger: [], token: token)
  }

  /// Changes what a registered descriptor is watched for, level-triggered.
  /// - Throws: as ``modify(source:for:trigger:token:)``.
  @inlinable
  public mutating func modify(source: RawDescriptor, for interest: Interest, token: Token) throws(SocketError) {
    try modify(source: source, for: interest, trigger: [], token: token)
  }

  /// Watches a socket, a listener or anything else: its ``Watchable/readSource`` and ``Watchable/writeSource`` as the
  /// interest asks. A listener is readable when a connection waits to be accepted.
  ///
  /// Where these are two, each is watched by itself: with `.oneShot` each reports once.
  /// - Throws: `.alreadyRegistered`, `.notSupported` for a mode that the poller lacks. Nothing is registered then.
  @inlinable
  public mutating func register<Source: Watchable & ~Copyable>(
    _ socket: borrowing Source, for interest: Interest, trigger: Trigger = [], token: Token
  ) throws(SocketError) {
    let reading = socket.readSource
    let writing = socket.writeSource
    if reading == writing {
      try register(source: reading, for: interest, trigger: trigger, token: token)
    } else {
      try register(source: reading, for: interest.subtracting(.writable), trigger: trigger, token: token)
      do throws(SocketError) {
        let rest = interest.subtracting([.readable, .readClosed, .priority])
        try register(source: writing, for: rest, trigger: trigger, token: token)
      } catch {
        try deregister(source: reading)
        throw error
      }
    }
  }

  /// Changes what a registered socket is watched for.
  /// - Throws: `.notRegistered`, `.notSupported`.
  @inlinable
  public mutating func modify<Source: Watchable & ~Copyable>(
    _ socket: borrowing Source, for interest: Interest, trigger: Trigger = [], token: Token
  ) throws(SocketError) {
    let reading = socket.readSource
    let writing = socket.writeSource
    if reading == writing {
      try modify(source: reading, for: interest, trigger: trigger, token: token)
    } else {
      try modify(source: reading, for: interest.subtracting(.writable), trigger: trigger, token: token)
      let rest = interest.subtracting([.readable, .readClosed, .priority])
      try modify(source: writing, for: rest, trigger: trigger, token: token)
    }
  }

  /// Stops watching a socket: do this before its life ends.
  /// - Throws: `.notRegistered`.
  @inlinable
  public mutating func deregister<Source: Watchable & ~Copyable>(_ socket: borrowing Source) throws(SocketError) {
    let reading = socket.readSource
    let writing = socket.writeSource
    try deregister(source: reading)
    if reading != writing { try deregister(source: writing) }
  }

  /// Waits until something is ready, the limit ends the wait, or the ``waker`` calls. Signals do not end it.
  ///
  /// - Parameter limit: how long to wait. One that spins makes the poller look without sleeping first.
  /// - Returns: how many events ``subscript(event:)`` has; 0 when the deadline passed, a wake-up came (see
  ///   ``wasWoken``), or the deadline of the limit's control was changed.
  /// - Throws: `.cancelled` when the limit's control ended the wait, before or during it; and what the kernel says of
  ///   the poller itself, such as `.closed` or `.outOfMemory`.
  @inlinable
  public mutating func wait(until limit: some WaitLimit = .never) throws(SocketError) -> Int {
    guard let control = limit.control else { return try wait(limit, until: limit.deadline) }
    let key = control.enter(waker)
    defer { control.leave(key: key) }
    // Looked at only now: what changed before did not call the waker.
    if control.isCancelled { throw SocketError(code: .cancelled, .wait) }
    let count = try wait(limit, until: min(limit.deadline, control.deadline))
    if count == 0 && control.isCancelled { throw SocketError(code: .cancelled, .wait) }
    return count
  }

  @inlinable @inline(__always)
  mutating func wait<Limit: WaitLimit>(_ limit: Limit, until deadline: Deadline) throws(SocketError) -> Int {
    var progress = limit.begin()
    while true {
      let step = limit.next(&progress)
      let result = attemptWait(until: step == .park ? deadline : .past)
      if result.raw > 0 { return result.raw }
      if result.raw == 0 {
        if step == .park || wasWoken || deadline.hasPassed { return 0 }
        if step == .spin { csk_relax() } else { csk_yield() }
      } else if !result.isInterrupted {
        throw SocketError(result, .wait)
      }
    }
  }
}
