public import CSocketKit

/// A type that waits for many descriptors at the same time and reports which descriptors are ready.
///
/// Every poller follows these rules, which `SocketKitConformance` checks:
/// - **Readiness is a hint.** A poller may report a spurious event, but it never loses an event: the next wait reports
///   every watched descriptor that is ready. With level triggering (the default), each wait reports a descriptor while
///   it is ready.
/// - **Edge triggering** reports a change once. Therefore, read until the call returns nil. It is available if
///   ``capabilities`` contains ``PollerCapabilities/edge``. **One-shot triggering** reports one event and then stops
///   watching until ``modify(source:for:trigger:token:)`` is called.
/// - **Errors and hang-ups** are always reported, except for a one-shot registration that has fired. An empty interest
///   pauses a registration; a paused registration reports a hang-up at most once.
/// - **Deregister before closing.** epoll removes a closed descriptor only when no copy of the descriptor is open, and
///   poll(2) never removes a closed descriptor. Tokens contain a generation, so that a program can ignore late events:
///   see ``Slab``.
/// - **A poller registers a descriptor once.** A second registration throws `.alreadyRegistered`.
/// - **Wake-ups are never lost.** If the ``waker`` is called before a wait, that wait ends immediately.
/// - **A signal does not end a wait.**
/// - **A waiting poller sleeps** while no descriptor is ready, unless it is designed to spin.
///
/// Only one thread at a time may use a poller; any thread may use its ``waker``.
///
/// **Wrappers that buffer bytes.** A poller reports the state of the kernel. A wrapper such as TLS may buffer bytes
/// that it has already read from the kernel, or may need to write before it can read. For kernel sockets, the compiler
/// removes the three steps below. A program that must work with every stream takes these steps:
/// - After an event, it compares two values for each direction in which it wants to proceed:
///   ``Watchable/sources(for:)`` of the direction, and ``Event/directions``. If the two values have a member in common,
///   it makes its call for this direction. A program may omit the comparison and make its call for every direction in
///   which it wants to proceed. In this case, each direction that the event does not report costs one more system call
///   for a kernel socket.
/// - Before it waits, it checks ``Watchable/pending``. While ``Watchable/pending`` contains a direction in which the
///   program wants to proceed, the program repeats its call on the socket, either immediately or after a wait with
///   ``Deadline/past``. A wrapper may have buffered bytes when the program registers it, when the program resumes
///   reading after a pause, and after a call that returned nil.
/// - After its calls, it compares ``Watchable/sources(for:)`` with the value at the last registration. If the values
///   differ, it calls ``modify(_:for:trigger:token:)``. A call for one direction may change the result for the other
///   direction. The code of this step is:
/// ```swift
/// let needed = socket.sources(for: interest)
/// if needed != watched { try poller.modify(socket, for: interest, token: token) }
/// watched = needed
/// ```
/// In such a program, one thread makes all calls on the socket. If other threads also make calls on the socket, they
/// must wake the thread of the poller with ``waker``.
public protocol Poller: ~Copyable, Sendable {
  /// The parameters with which a poller is made, such as its limits and modes.
  associatedtype Configuration: Sendable

  /// Makes a poller.
  /// - Throws: `.tooManyDescriptors`; `.notSupported` if the kernel does not support the poller.
  init(_ configuration: Configuration) throws(SocketError)

  /// Returns a configuration whose values suit a program with this number of connections. Generic code uses this
  /// method.
  static func configuration(capacity: Int) -> Configuration

  /// The features of this poller beyond level triggering.
  var capabilities: PollerCapabilities { get }

  /// Watches a descriptor. This method is for implementers; programs use ``register(_:for:trigger:token:)``.
  /// - Throws: `.alreadyRegistered`, `.closed`, `.notSupported` for a trigger that ``capabilities`` does not contain or
  ///   for a descriptor that cannot be watched (a regular file), `.capacityExceeded`.
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

  /// Waits once. This method must not throw, so that the compiler can specialize it.
  /// - Returns: the number of events; 0 if the deadline passed or the waker was called; or -errno, which may be -EINTR.
  mutating func attemptWait(until deadline: Deadline) -> IOResult

  /// Returns an event of the last wait. Call this subscript before the next wait.
  /// - Parameter index: at least 0, and less than the number that the last wait returned. The subscript must trap for
  ///   any other index. If the subscript compares the index with a stored result of the wait, the compiler removes this
  ///   comparison in a loop over the events.
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
  /// A wait of less than a millisecond is as precise as the kernel's timers.
  @inlinable public static var precise: Self { Self(rawValue: 8) }
  /// While no descriptor is ready, the poller sleeps, without wake-ups and without using CPU time.
  @inlinable public static var parks: Self { Self(rawValue: 16) }
  /// The cost of a wait does not grow with the number of idle registrations.
  @inlinable public static var scalable: Self { Self(rawValue: 32) }
}

extension Poller where Self: ~Copyable {
  /// Makes a poller for about a thousand connections.
  /// - Throws: as ``init(_:)``.
  @inlinable
  public init() throws(SocketError) { try self.init(Self.configuration(capacity: 1024)) }

  /// Watches a socket, a listener or another ``Watchable``. The poller watches the events that the socket's
  /// ``Watchable/sources(for:)`` returns for the interest, on the socket's ``Watchable/readSource`` and
  /// ``Watchable/writeSource``. A listener is readable if a connection is ready to be accepted.
  ///
  /// If the two sources differ, the poller watches each source separately: with `.oneShot`, each source reports one
  /// event.
  /// - Throws: `.alreadyRegistered`; `.notSupported` for a trigger that the poller does not support. If the method
  ///   throws, it registers neither source.
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

  /// Changes the interest of a registered socket, or updates the watched events if the result of
  /// ``Watchable/sources(for:)`` for the same interest has changed.
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

  /// Stops watching a socket. Call this method before the socket is closed or destroyed.
  /// - Throws: `.notRegistered`.
  @inlinable
  public mutating func deregister<Source: Watchable & ~Copyable>(_ socket: borrowing Source) throws(SocketError) {
    let reading = socket.readSource
    let writing = socket.writeSource
    try deregister(source: reading)
    if reading != writing { try deregister(source: writing) }
  }

  /// Waits until a descriptor is ready, the limit ends the wait, or the ``waker`` is called. Signals do not end the
  /// wait.
  ///
  /// - Parameter limit: how long to wait. If the limit requests spinning, the poller first checks for events without
  ///   sleeping.
  /// - Returns: the number of events for ``subscript(event:)``; 0 if the deadline passed, the waker was called (see
  ///   ``wasWoken``), or the deadline of the limit's control changed.
  /// - Throws: `.cancelled` if the limit's control was cancelled before or during the wait; and errors of the poller's
  ///   system call, such as `.closed` or `.outOfMemory`.
  @inlinable
  public mutating func wait(until limit: some WaitLimit = .never) throws(SocketError) -> Int {
    guard let control = limit.control else { return try wait(limit, until: limit.deadline) }
    let key = control.enter(waker)
    defer { control.leave(key: key) }
    // Check after the registration of the waker, because a change before the registration does not call the waker.
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
