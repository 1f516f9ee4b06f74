public import CSocketKit

/// A type that waits for many descriptors at once and reports which of them are ready.
///
/// Every poller keeps these rules, which `SocketKitConformance` checks:
/// - **Readiness is a hint.** A poller may report a spurious event, but never loses one: the next wait reports every
///   watched descriptor that is ready. With level triggering (the default) each wait reports it as long as it is ready.
/// - **Edge triggering** (``Trigger/edge``), where ``capabilities`` has it, reports a change once: read until the call
///   returns nil. **One-shot** reports once and then stops watching until ``modify(source:for:trigger:token:)``.
/// - **Errors and hang-ups** are always reported, except for a one-shot registration that has fired. An empty interest
///   pauses a registration: it reports a hang-up at most once.
/// - **Deregister before closing.** The kernel removes a closed descriptor by itself only when no copy of it is open,
///   and poll(2) never does. Tokens carry a generation, so that the program can drop late events: see ``Slab``.
/// - **A poller registers a descriptor once.** A second registration throws `.alreadyRegistered`.
/// - **Wake-ups are never lost.** A wake-up before a wait ends that wait at once.
/// - **A signal does not end a wait.** A waiting poller with nothing ready does not wake up, unless it is built to
///   spin.
///
/// Only one thread at a time may use a poller; any thread may use its ``waker``.
///
/// **Sockets that hold bytes.** A poller reports what the kernel knows. A wrapper such as TLS may hold bytes that it
/// has taken from the kernel, or may need the other direction. A program that must work with every stream does three
/// things; for kernel sockets the compiler removes them:
/// - After an event it tries the directions that it wants, whichever the event names.
/// - When it stops before a call returned nil, it looks at ``Watchable/pending`` before it waits: while that contains a
///   direction that the program wants, it calls again, or waits with ``Deadline/past`` and calls again afterwards.
/// - After its calls it compares ``Watchable/sources(for:)`` with the value at the last registration, and when they
///   differ calls ``modify(_:for:trigger:token:)``:
/// ```swift
/// let needed = socket.sources(for: interest)
/// if needed != watched { try poller.modify(socket, for: interest, token: token) }
/// watched = needed
/// ```
/// One thread then does all calls on the socket. If other threads call it too, they wake this one with ``waker``.
public protocol Poller: ~Copyable, Sendable {
  /// The bounds and modes with which a poller is made.
  associatedtype Configuration: Sendable

  /// Makes a poller.
  /// - Throws: `.tooManyDescriptors`; `.notSupported` where the kernel lacks it.
  init(_ configuration: Configuration) throws(SocketError)

  /// Returns a configuration for generic code: sensible values for a program with that many connections.
  static func configuration(capacity: Int) -> Configuration

  /// The features of this poller beyond level triggering.
  var capabilities: PollerCapabilities { get }

  /// Watches a descriptor. For implementers; programs use ``register(_:for:trigger:token:)``.
  /// - Throws: `.alreadyRegistered`, `.closed`, `.notSupported` for a mode that ``capabilities`` lacks or a descriptor
  ///   that cannot be watched (a regular file), `.capacityExceeded`.
  mutating func register(
    source: RawDescriptor, for interest: Interest, trigger: Trigger, token: Token
  ) throws(SocketError)

  /// Changes the interest of a registered descriptor, and re-arms a one-shot registration.
  /// - Throws: `.notRegistered`, `.closed`, `.notSupported`.
  mutating func modify(
    source: RawDescriptor, for interest: Interest, trigger: Trigger, token: Token
  ) throws(SocketError)

  /// Stops watching a descriptor. ``subscript(event:)`` may still return its events from the last wait.
  /// - Throws: `.notRegistered`, `.closed`.
  mutating func deregister(source: RawDescriptor) throws(SocketError)

  /// Waits once. Must not throw, so that the compiler can specialize it.
  /// - Returns: the number of events; 0 when the deadline passed or a wake-up came; or -errno, which may be -EINTR.
  mutating func attemptWait(until deadline: Deadline) -> IOResult

  /// Returns an event of the last wait. Valid until the next wait.
  /// - Parameter index: 0 to one less than the number that the last wait returned. Another index is a programming
  ///   error, and a poller must trap. In a loop over the events, a check against the variable that the wait returned
  ///   costs nothing.
  subscript(event index: Int) -> Event { get }

  /// Whether the ``waker`` ended the last wait.
  var wasWoken: Bool { get }

  /// A handle by which any thread can end a wait.
  var waker: Waker { get }
}

/// The features of a poller beyond level triggering.
@frozen
public struct PollerCapabilities: OptionSet, BitwiseCopyable, Hashable, Sendable {
  public let rawValue: UInt32
  @inlinable
  public init(rawValue: UInt32) { self.rawValue = rawValue }

  /// The poller supports ``Trigger/edge``.
  @inlinable public static var edge: Self { Self(rawValue: 1) }
  /// The poller supports ``Trigger/oneShot``.
  @inlinable public static var oneShot: Self { Self(rawValue: 2) }
  /// The poller supports ``Trigger/exclusive``.
  @inlinable public static var exclusive: Self { Self(rawValue: 4) }
  /// Deadlines below a millisecond are as precise as the kernel's timers.
  @inlinable public static var precise: Self { Self(rawValue: 8) }
  /// The poller sleeps while nothing is ready, without wake-ups or CPU time.
  @inlinable public static var parks: Self { Self(rawValue: 16) }
  /// The cost of a wait does not grow with the number of idle registrations.
  @inlinable public static var scalable: Self { Self(rawValue: 32) }
}

extension Poller where Self: ~Copyable {
  /// Makes a poller for about a thousand connections.
  /// - Throws: as ``init(_:)``.
  @inlinable
  public init() throws(SocketError) { try self.init(Self.configuration(capacity: 1024)) }

  /// Watches a socket, a listener or another ``Watchable``: on its ``Watchable/readSource`` and its
  /// ``Watchable/writeSource``, what its ``Watchable/sources(for:)`` names for the interest. A listener is readable
  /// when a connection is ready to be accepted.
  ///
  /// If the two sources differ, the poller watches each separately: with `.oneShot` each reports once.
  /// - Throws: `.alreadyRegistered`; `.notSupported` for a mode that the poller lacks. After an error nothing new is
  ///   registered.
  @inlinable
  public mutating func register<Source: Watchable & ~Copyable>(
    _ socket: borrowing Source, for interest: Interest, trigger: Trigger = [], token: Token
  ) throws(SocketError) {
    let interest = socket.sources(for: interest).subtracting(.changes)
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

  /// Changes the interest of a registered socket, or what is watched for the same interest
  /// (``Watchable/sources(for:)``).
  /// - Throws: `.notRegistered`, `.notSupported`.
  @inlinable
  public mutating func modify<Source: Watchable & ~Copyable>(
    _ socket: borrowing Source, for interest: Interest, trigger: Trigger = [], token: Token
  ) throws(SocketError) {
    let interest = socket.sources(for: interest).subtracting(.changes)
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

  /// Stops watching a socket. Call it before the socket's life ends.
  /// - Throws: `.notRegistered`.
  @inlinable
  public mutating func deregister<Source: Watchable & ~Copyable>(_ socket: borrowing Source) throws(SocketError) {
    let reading = socket.readSource
    let writing = socket.writeSource
    try deregister(source: reading)
    if reading != writing { try deregister(source: writing) }
  }

  /// Waits until a descriptor is ready, the limit ends the wait, or the ``waker`` is called. Signals do not end it.
  ///
  /// - Parameter limit: how long to wait. With a limit that spins, the poller first checks without sleeping.
  /// - Returns: the number of events for ``subscript(event:)``; 0 when the deadline passed, a wake-up came (see
  ///   ``wasWoken``), or the deadline of the limit's control changed.
  /// - Throws: `.cancelled` when the limit's control ended the wait, before or during it; and errors of the poller's
  ///   own system call, such as `.closed` or `.outOfMemory`.
  @inlinable
  public mutating func wait(until limit: some WaitLimit = .never) throws(SocketError) -> Int {
    guard let control = limit.control else { return try wait(limit, until: limit.deadline) }
    let key = control.enter(waker)
    defer { control.leave(key: key) }
    // Check only now: a change before the registration did not call the waker.
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
