public import CSocketKit
public import SocketKitCore

/// A poller that uses ppoll(2), which every Linux kernel has. It is the fastest poller for a few descriptors, and uses
/// no additional descriptors for registrations.
///
/// Every wait call passes all registrations to the kernel, so the cost of the call grows with the number of
/// registrations. The poller supports level and one-shot triggering. If the descriptor of a registration was closed,
/// the poller reports the registration once as ``/SocketKitCore/Readiness/invalid`` and then ignores the registration.
/// Otherwise, the closed descriptor would cause a busy loop.
@frozen @safe
public struct PollPoller: ~Copyable, Poller {
  /// The parameters of a poll poller.
  public struct Configuration: Hashable, Sendable {
    /// The initial capacity in registrations, 0 to 65536; values outside this range are clamped. The capacity grows as
    /// needed.
    public var initialCapacity: Int
    /// Creates parameters.
    public init(initialCapacity: Int = 64) { self.initialCapacity = initialCapacity }
  }

  // The three arrays exist as long as the poller exists. Each array has `capacity` elements, and all elements are
  // initialized. In the methods of this type, every index is less than `capacity`, because `count` is at most
  // `capacity` and `eventCount` is less than `capacity`.
  //
  // Slot 0 contains the descriptor of the waker. While a slot is paused, disarmed or invalid, its `fd` is the bitwise
  // complement of the descriptor's number, because ppoll(2) ignores negative numbers.
  @usableFromInline var slots: UnsafeMutablePointer<csk_pollfd>
  // The highest bit, which tokens do not use, marks a one-shot registration.
  @usableFromInline var tokens: UnsafeMutablePointer<UInt64>
  // These events are copies, because a registration or deregistration during a loop over the events may move slots.
  @usableFromInline var events: UnsafeMutablePointer<Event>
  @usableFromInline var capacity: Int
  @usableFromInline var count = 1
  private let bell: WakerBell
  @usableFromInline var woken = false
  /// The number of events that the last wait found.
  @usableFromInline var eventCount = 0

  /// - Throws: `.tooManyDescriptors`.
  public init(_ configuration: Configuration = Configuration()) throws(SocketError) {
    bell = try WakerBell()
    capacity = min(max(configuration.initialCapacity, 0), 65536) + 1
    unsafe slots = Self.array(capacity, filling: csk_pollfd())
    unsafe tokens = Self.array(capacity, filling: 0)
    unsafe events = Self.array(capacity, filling: Self.noEvent)
    unsafe slots[0] = csk_pollfd(fd: bell.source.value, events: Int16(CSK_POLLIN), revents: 0)
  }

  @inlinable
  deinit {
    unsafe slots.deallocate()
    unsafe tokens.deallocate()
    unsafe events.deallocate()
  }

  public static func configuration(capacity: Int) -> Configuration { Configuration(initialCapacity: capacity) }

  public var capabilities: PollerCapabilities { [.oneShot, .precise, .parks] }

  public mutating func register(
    source: RawDescriptor, for interest: Interest, trigger: Trigger, token: Token
  ) throws(SocketError) {
    try check(trigger, .register)
    if place(of: source) != nil { throw SocketError(code: .alreadyRegistered, .register) }
    // poll(2) accepts any number. Reject a closed descriptor in this call, as epoll does, instead of reporting it as
    // invalid later.
    let open = IOResult(raw: csk_fcntl(source.value, CSK_F_GETFD, 0))
    if open.isFailure { throw SocketError(open, .register) }
    if count == capacity { grow() }
    arm(count, source, interest, trigger, token)
    count += 1
  }

  public mutating func modify(
    source: RawDescriptor, for interest: Interest, trigger: Trigger, token: Token
  ) throws(SocketError) {
    try check(trigger, .modify)
    guard let place = place(of: source) else { throw SocketError(code: .notRegistered, .modify) }
    let open = IOResult(raw: csk_fcntl(source.value, CSK_F_GETFD, 0))
    if open.isFailure { throw SocketError(open, .modify) }
    arm(place, source, interest, trigger, token)
  }

  public mutating func deregister(source: RawDescriptor) throws(SocketError) {
    guard let place = place(of: source) else { throw SocketError(code: .notRegistered, .deregister) }
    count -= 1
    // Move the last slot into the gap.
    unsafe slots[place] = slots[count]
    unsafe tokens[place] = tokens[count]
  }

  /// This method searches linearly. Its cost is much lower than the cost of the kernel's iteration over the slots in
  /// every wait.
  private func place(of source: RawDescriptor) -> Int? {
    var place = 1
    while place < count {
      let fd = unsafe slots[place].fd
      if fd == source.value || fd == ~source.value { return place }
      place &+= 1
    }
    return nil
  }

  private func check(_ trigger: Trigger, _ operation: SocketError.Operation) throws(SocketError) {
    if trigger.contains(.edge) || trigger.contains(.exclusive) {
      throw SocketError(code: .notSupported, operation)
    }
  }

  private func arm(
    _ place: Int, _ source: RawDescriptor, _ interest: Interest, _ trigger: Trigger, _ token: Token
  ) {
    let watched = interest.events
    unsafe tokens[place] = token.rawValue | (trigger.contains(.oneShot) ? Self.oneShotBit : 0)
    unsafe slots[place] = csk_pollfd(
      fd: watched.isEmpty ? ~source.value : source.value, events: Int16(truncatingIfNeeded: watched.rawValue),
      revents: 0)
  }

  @usableFromInline static var oneShotBit: UInt64 { @inlinable get { 1 << 63 } }

  @inline(never)
  private mutating func grow() {
    let larger = capacity * 2
    unsafe slots = moved(slots, larger, filling: csk_pollfd())
    unsafe tokens = moved(tokens, larger, filling: 0)
    unsafe events = moved(events, larger, filling: Self.noEvent)
    capacity = larger
  }

  /// Copies the `capacity` elements of the old array to a new array of `size` elements, and deallocates the old array.
  /// Returns the new array.
  private func moved<T: BitwiseCopyable>(
    _ old: UnsafeMutablePointer<T>, _ size: Int, filling value: T
  ) -> UnsafeMutablePointer<T> {
    let new = unsafe Self.array(size, filling: value)
    unsafe new.update(from: old, count: capacity)
    unsafe old.deallocate()
    return unsafe new
  }

  private static func array<T: BitwiseCopyable>(_ size: Int, filling value: T) -> UnsafeMutablePointer<T> {
    let new = UnsafeMutablePointer<T>.allocate(capacity: size)
    unsafe new.initialize(repeating: value, count: size)
    return unsafe new
  }

  private static var noEvent: Event { Event(token: Token(index: 0), readiness: []) }

  // The kernel accesses the first `count` slots and the time, and only during the call.
  @inlinable
  public mutating func attemptWait(until deadline: Deadline) -> IOResult {
    woken = false
    var result: Int
    if deadline.isNever {
      result = unsafe csk_ppoll(slots, UInt(bitPattern: count), nil)
    } else {
      let left = deadline.remainingNanoseconds
      var time = csk_timespec(tv_sec: Int(left / 1_000_000_000), tv_nsec: Int(left % 1_000_000_000))
      result = unsafe csk_ppoll(slots, UInt(bitPattern: count), &time)
    }
    eventCount = 0
    if result <= 0 { return IOResult(raw: result) }
    if unsafe slots[0].revents != 0 {
      takeWake()
      result &-= 1
    }
    var found = 0
    var place = 1
    while found < result && place < count {
      let seen = unsafe slots[place].revents
      if seen != 0 {
        let token = unsafe tokens[place]
        // From now on, ignore a one-shot registration that has fired, or a descriptor that is no longer valid.
        if token & Self.oneShotBit != 0 || seen & Int16(CSK_POLLNVAL) != 0 {
          unsafe slots[place].fd = ~slots[place].fd
        }
        unsafe events[found] = Event(
          token: Token(fromEvent: token & ~Self.oneShotBit),
          readiness: Readiness(rawValue: UInt32(UInt16(bitPattern: seen))))
        found &+= 1
      }
      place &+= 1
    }
    eventCount = found
    return IOResult(raw: found)
  }

  @usableFromInline
  mutating func takeWake() {
    bell.take()
    woken = true
  }

  @inlinable
  public subscript(event index: Int) -> Event {
    precondition(index >= 0 && index < eventCount, "the index is not less than the number of events of the last wait")
    return unsafe events[index]
  }

  @inlinable public var wasWoken: Bool { woken }
  public var waker: Waker { Waker(bell) }
}

extension PollPoller: @unchecked Sendable {}
