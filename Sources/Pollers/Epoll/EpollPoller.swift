public import CSocketKit
public import SocketKitCore

/// A poller that uses epoll(7). The poller supports level, edge and one-shot triggering. It also supports exclusive
/// wake-ups. The cost of a wait does not grow with the number of idle connections.
///
/// With epoll_pwait2(2) (Linux 5.11), deadlines have the resolution of the nanosecond timer. On an older kernel, or if
/// a seccomp filter forbids the call, deadlines are rounded up to the next millisecond: see ``capabilities``. If a
/// filter forbids epoll_wait(2), the poller uses epoll_pwait(2).
@frozen @safe
public struct EpollPoller: ~Copyable, Poller {
  /// The parameters of an epoll poller.
  public struct Configuration: Hashable, Sendable {
    /// The maximum number of events that one wait call returns, 1 to 1048576. The next call returns the remaining
    /// events.
    public var eventsPerWait: Int
    /// Creates parameters. The initializer of the poller checks their range.
    public init(eventsPerWait: Int = 256) { self.eventsPerWait = eventsPerWait }
  }

  @usableFromInline let epoll: Descriptor
  @usableFromInline let events: UnsafeMutablePointer<csk_epoll_event>
  @usableFromInline let eventCapacity: Int32
  @usableFromInline let isPrecise: Bool
  @usableFromInline let bell: WakerBell
  /// The result of the last wait: the number of events, or the error.
  @usableFromInline var found = 0
  @usableFromInline var woken = false

  /// - Throws: `.tooManyDescriptors`; `.invalidArgument` for fewer than 1 or more than 1048576 events per wait.
  public init(_ configuration: Configuration = Configuration()) throws(SocketError) {
    // The kernel rejects an event buffer of more than 2³¹ bytes. The limit of 1048576 events is far below that size,
    // and sufficient for any program.
    guard (1...1_048_576).contains(configuration.eventsPerWait) else {
      throw SocketError(code: .invalidArgument, .open)
    }
    let capacity = Int32(configuration.eventsPerWait)
    let bell = try WakerBell(room: Int(capacity) * MemoryLayout<csk_epoll_event>.stride)
    let result = IOResult(raw: csk_epoll_create(CSK_EPOLL_CLOEXEC))
    if result.isFailure { throw SocketError(result, .open) }
    // The kernel has returned a new descriptor, which has no other owner.
    let epoll = unsafe Descriptor(unsafeOwning: RawDescriptor(Int32(truncatingIfNeeded: result.raw)))
    var event = csk_epoll_event(events: Interest.readable.rawValue, data: Self.bellData)
    let added = Self.control(epoll.raw, CSK_EPOLL_CTL_ADD, bell.source, &event)
    if added.isFailure { throw SocketError(added, .register) }
    var nothing = csk_timespec()
    // The kernel writes at most one event.
    isPrecise = unsafe csk_epoll_wait_ns(epoll.raw.value, &event, 1, &nothing) >= 0
    self.epoll = epoll
    self.bell = bell
    eventCapacity = capacity
    // The initializer of the bell has allocated the room for this number of events.
    unsafe events = bell.room.bindMemory(to: csk_epoll_event.self, capacity: Int(capacity))
  }

  public static func configuration(capacity: Int) -> Configuration {
    Configuration(eventsPerWait: min(max(capacity, 1), 1024))
  }

  /// Every capability; however, ``/SocketKitCore/PollerCapabilities/precise`` is included only if epoll_pwait2(2)
  /// works.
  public var capabilities: PollerCapabilities {
    isPrecise
      ? [.edge, .oneShot, .exclusive, .parks, .scalable, .precise] : [.edge, .oneShot, .exclusive, .parks, .scalable]
  }

  public mutating func register(
    source: RawDescriptor, for interest: Interest, trigger: Trigger, token: Token
  ) throws(SocketError) {
    try control(CSK_EPOLL_CTL_ADD, source, interest, trigger, token, .register)
  }

  public mutating func modify(
    source: RawDescriptor, for interest: Interest, trigger: Trigger, token: Token
  ) throws(SocketError) {
    try control(CSK_EPOLL_CTL_MOD, source, interest, trigger, token, .modify)
  }

  public mutating func deregister(source: RawDescriptor) throws(SocketError) {
    try control(CSK_EPOLL_CTL_DEL, source, [], [], Token(index: 0), .deregister)
  }

  private func control(
    _ command: Int32, _ source: RawDescriptor, _ interest: Interest, _ trigger: Trigger, _ token: Token,
    _ operation: SocketError.Operation
  ) throws(SocketError) {
    // epoll(7) reports hang-ups for every interest. A registration with an empty interest is therefore edge-triggered,
    // so that a hang-up is reported at most once.
    let mode = interest.events.isEmpty ? trigger.known.union(.edge) : trigger.known
    var event = csk_epoll_event(events: interest.events.rawValue | mode.rawValue, data: token.rawValue)
    let result = Self.control(epoll.raw, command, source, &event)
    if !result.isFailure { return }
    switch result.errno {
    case CSK_ENOENT: throw SocketError(code: .notRegistered, operation, errno: result.errno)
    // Errors of epoll_ctl(2). EPERM: the descriptor cannot be watched. ELOOP: epoll instances would watch each other in
    // a cycle. EINVAL: this epoll instance would watch itself, an exclusive registration was modified, or the exclusive
    // mode was combined with a mode that it excludes.
    case CSK_EPERM, CSK_EINVAL, CSK_ELOOP:
      throw SocketError(code: .notSupported, operation, errno: result.errno)
    // The number of registrations has reached the limit fs.epoll.max_user_watches.
    case CSK_ENOSPC: throw SocketError(code: .capacityExceeded, operation, errno: result.errno)
    default: throw SocketError(result, operation)
    }
  }

  private static func control(
    _ epoll: RawDescriptor, _ command: Int32, _ source: RawDescriptor, _ event: inout csk_epoll_event
  ) -> IOResult {
    // The kernel reads the event, and only during the call.
    IOResult(raw: unsafe csk_epoll_ctl(epoll.value, command, source.value, &event))
  }

  // In the following functions, the kernel writes at most `eventCapacity` events, the number for which there is memory.
  @inlinable
  public mutating func attemptWait(until deadline: Deadline) -> IOResult {
    let number = epoll.raw.value
    var result: Int
    if deadline.isNever {
      result = unsafe csk_epoll_wait(number, events, eventCapacity, -1)
    } else if deadline.isPast {
      result = unsafe csk_epoll_wait(number, events, eventCapacity, 0)
    } else {
      result = timedWait(deadline)
    }
    // In memory, the flag is at a fixed distance in front of the events. The program therefore computes the address of
    // the flag without a load.
    let flag = unsafe UnsafeMutableRawPointer(events) - WakerBell.roomOffset
    if result > 0, unsafe csk_flag_is_set(flag.assumingMemoryBound(to: UInt32.self)) == 0 {
      woken = false
    } else {
      result = settle(result, deadline)
    }
    // Both branches above reach this assignment. Therefore, the compiler can prove that every index in a loop over the
    // events is smaller than this value.
    found = result
    return IOResult(raw: result)
  }

  @usableFromInline
  func timedWait(_ deadline: Deadline) -> Int {
    if isPrecise {
      let left = deadline.remainingNanoseconds
      var time = csk_timespec(tv_sec: Int(left / 1_000_000_000), tv_nsec: Int(left % 1_000_000_000))
      let result = unsafe csk_epoll_wait_ns(epoll.raw.value, events, eventCapacity, &time)
      // The process may have installed a system call filter after it created this poller.
      if csk_may_be_refused(result) == 0 { return result }
    }
    // Wait again if 2³¹ milliseconds (24 days) pass before the deadline.
    while true {
      let left = deadline.remainingNanoseconds
      let milliseconds = left / 1_000_000 + (left % 1_000_000 == 0 ? 0 : 1)
      let result = unsafe csk_epoll_wait(epoll.raw.value, events, eventCapacity, Int32(clamping: milliseconds))
      if result != 0 || deadline.hasPassed { return result }
    }
  }

  /// Removes the wake-up from the events, if there is one. If a filter rejected epoll_wait(2), this method first waits
  /// with another system call.
  @usableFromInline
  mutating func settle(_ result: Int, _ deadline: Deadline) -> Int {
    let count = csk_may_be_refused(result) != 0 ? waitOtherwise(deadline) : result
    woken = false
    // The bell outlives this call.
    if unsafe csk_flag_is_set(bell.flag) == 0 { return count }
    // The kernel has written `count` events; there are none if the wait failed.
    let memory = unsafe UnsafeMutableBufferPointer(start: events, count: max(count, 0))
    var seen = unsafe memory.mutableSpan
    var index = 0
    while index < count {
      if seen[index].data == Self.bellData {
        bell.take()
        woken = true
        seen[index] = seen[count - 1]
        return count - 1
      }
      index += 1
    }
    return count
  }

  private func waitOtherwise(_ deadline: Deadline) -> Int {
    while true {
      let left = deadline.remainingNanoseconds
      let milliseconds = left < 0 ? -1 : Int32(clamping: left / 1_000_000 + (left % 1_000_000 == 0 ? 0 : 1))
      let result = unsafe csk_epoll_wait_other(epoll.raw.value, events, eventCapacity, milliseconds)
      if result != 0 || left < 0 || deadline.hasPassed { return result }
    }
  }

  /// Returns an event of the last wait. Traps if the index is not smaller than the result of the last wait.
  @inlinable
  public subscript(event index: Int) -> Event {
    precondition(index >= 0 && index < found, "the index is not less than the number of events of the last wait")
    // The kernel has written `found` events.
    let event = unsafe events[index]
    return Event(token: Token(fromEvent: event.data), readiness: Readiness(rawValue: event.events))
  }

  @inlinable public var wasWoken: Bool { woken }
  public var waker: Waker { Waker(bell) }

  /// The descriptor of the epoll instance. It is readable if an event is pending, so another poller can watch this
  /// poller.
  public var descriptor: RawDescriptor { epoll.raw }

  private static var bellData: UInt64 { .max }
}

extension EpollPoller: @unchecked Sendable {}
