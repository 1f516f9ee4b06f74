public import CSocketKit
public import SocketKitCore

/// A poller over ppoll(2): on every Linux, without a descriptor of its own per registration, and fastest for a few.
///
/// Every wait passes all registrations to the kernel, so its cost grows with their number. Level and one-shot triggering.
/// A registration whose descriptor was closed is reported once as ``Readiness/invalid`` and then left out, so that it
/// cannot make the loop spin.
@frozen
public struct PollPoller: ~Copyable, Poller {
  /// How a poll poller is made.
  public struct Configuration: Hashable, Sendable {
    /// How many registrations it has room for at first; it grows.
    public var initialCapacity: Int
    public init(initialCapacity: Int = 64) { self.initialCapacity = initialCapacity }
  }

  // Slot 0 is the bell. A slot's fd is complemented (negative: ppoll skips it) while it is paused, disarmed or invalid.
  @usableFromInline var slots: UnsafeMutablePointer<csk_pollfd>
  @usableFromInline var tokens: UnsafeMutablePointer<UInt64>
  // Copies, because registering and deregistering between two events moves slots.
  @usableFromInline var events: UnsafeMutablePointer<Event>
  @usableFromInline var capacity: Int
  @usableFromInline var count = 1
  @usableFromInline var oneShots = 0
  private var places: [RawDescriptor: Int] = [:]
  private var oneShotSources: Set<RawDescriptor> = []
  private let bell: WakerBell
  @usableFromInline var woken = false

  /// - Throws: `.tooManyDescriptors`.
  public init(_ configuration: Configuration = Configuration()) throws(SocketError) {
    bell = try WakerBell()
    capacity = max(configuration.initialCapacity, 0) + 1
    slots = .allocate(capacity: capacity)
    tokens = .allocate(capacity: capacity)
    events = .allocate(capacity: capacity)
    events.initialize(repeating: Self.noEvent, count: capacity)
    slots.initialize(to: csk_pollfd(fd: bell.source.value, events: Int16(CSK_POLLIN), revents: 0))
    tokens.initialize(to: 0)
  }

  deinit {
    slots.deallocate()
    tokens.deallocate()
    events.deallocate()
  }

  public static func configuration(capacity: Int) -> Configuration { Configuration(initialCapacity: capacity) }

  public var capabilities: PollerCapabilities { [.oneShot, .precise, .parks] }

  public mutating func register(source: RawDescriptor, _ interest: Interest, token: Token) throws(SocketError) {
    try check(interest, .register)
    if places[source] != nil { throw SocketError(code: .alreadyRegistered, .register) }
    // poll(2) takes any number; a closed one is refused now, as epoll does, not reported later.
    let open = IOResult(raw: csk_fcntl(source.value, 1, 0))
    if open.isFailure { throw SocketError(open, .register) }
    if count == capacity { grow() }
    (tokens + count).initialize(to: token.rawValue)
    (slots + count).initialize(to: csk_pollfd())
    arm(count, source, interest)
    places[source] = count
    count += 1
  }

  public mutating func modify(source: RawDescriptor, _ interest: Interest, token: Token) throws(SocketError) {
    try check(interest, .modify)
    guard let place = places[source] else { throw SocketError(code: .notRegistered, .modify) }
    let open = IOResult(raw: csk_fcntl(source.value, 1, 0))
    if open.isFailure { throw SocketError(open, .modify) }
    tokens[place] = token.rawValue
    arm(place, source, interest)
  }

  public mutating func deregister(source: RawDescriptor) throws(SocketError) {
    guard let place = places.removeValue(forKey: source) else {
      throw SocketError(code: .notRegistered, .deregister)
    }
    setOneShot(source, false)
    count -= 1
    if place != count {
      // The last one moves into the gap.
      slots[place] = slots[count]
      tokens[place] = tokens[count]
      let moved = slots[place].fd
      places[RawDescriptor(moved < 0 ? ~moved : moved)] = place
    }
  }

  private func check(_ interest: Interest, _ operation: SocketError.Operation) throws(SocketError) {
    if interest.contains(.edge) || interest.contains(.exclusive) {
      throw SocketError(code: .notSupported, operation)
    }
  }

  private mutating func arm(_ place: Int, _ source: RawDescriptor, _ interest: Interest) {
    setOneShot(source, interest.contains(.oneShot))
    let watched = interest.events
    slots[place].fd = watched.isEmpty ? ~source.value : source.value
    slots[place].events = Int16(truncatingIfNeeded: watched.rawValue)
    slots[place].revents = 0
  }

  private mutating func setOneShot(_ source: RawDescriptor, _ on: Bool) {
    if on { oneShotSources.insert(source) } else { oneShotSources.remove(source) }
    oneShots = oneShotSources.count
  }

  private mutating func grow() {
    let larger = capacity * 2
    slots = moved(slots, count, larger)
    tokens = moved(tokens, count, larger)
    events = moved(events, capacity, larger)
    (events + capacity).initialize(repeating: Self.noEvent, count: larger - capacity)
    capacity = larger
  }

  private func moved<T>(_ old: UnsafeMutablePointer<T>, _ used: Int, _ size: Int) -> UnsafeMutablePointer<T> {
    let new = UnsafeMutablePointer<T>.allocate(capacity: size)
    new.moveInitialize(from: old, count: used)
    old.deallocate()
    return new
  }

  private static var noEvent: Event { Event(token: Token(index: 0), readiness: []) }

  @inlinable
  public mutating func attemptWait(until deadline: Deadline) -> IOResult {
    woken = false
    var result: Int
    if deadline.isNever {
      result = csk_ppoll(slots, UInt(bitPattern: count), nil)
    } else {
      let left = deadline.remainingNanoseconds
      var time = csk_timespec(tv_sec: Int(left / 1_000_000_000), tv_nsec: Int(left % 1_000_000_000))
      result = csk_ppoll(slots, UInt(bitPattern: count), &time)
    }
    if result <= 0 { return IOResult(raw: result) }
    if slots[0].revents != 0 {
      takeWake()
      result &-= 1
    }
    var found = 0
    var place = 1
    var union: Int16 = 0
    while found < result && place < count {
      let seen = slots[place].revents
      if seen != 0 {
        union |= seen
        events[found] = Event(
          token: Token(fromEvent: tokens[place]), readiness: Readiness(rawValue: UInt32(UInt16(bitPattern: seen))))
        found &+= 1
      }
      place &+= 1
    }
    if oneShots != 0 || union & Int16(CSK_POLLNVAL) != 0 { disarm() }
    return IOResult(raw: found)
  }

  @usableFromInline
  mutating func takeWake() {
    bell.take()
    woken = true
  }

  /// Leaves out what fires once and what is no descriptor any more.
  @usableFromInline
  mutating func disarm() {
    for place in 1..<count where slots[place].revents != 0 {
      let isInvalid = slots[place].revents & Int16(CSK_POLLNVAL) != 0
      if isInvalid || oneShotSources.contains(RawDescriptor(slots[place].fd)) { slots[place].fd = ~slots[place].fd }
    }
  }

  @inlinable
  public subscript(event index: Int) -> Event { events[index] }

  @inlinable public var wasWoken: Bool { woken }
  public var waker: Waker { Waker(bell) }
}

extension PollPoller: @unchecked Sendable {}
