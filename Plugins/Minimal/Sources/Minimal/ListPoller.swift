import Glibc
public import SocketKitCore

/// A poller that passes a list of descriptors to poll(2). It supports only level triggering, and rounds deadlines up to
/// whole milliseconds.
public struct ListPoller: ~Copyable, Poller {
  /// The parameters of the poller: none.
  public struct Configuration: Sendable {}

  /// The watched descriptors. The first entry is the waker's descriptor. poll(2) ignores negative numbers, so a paused
  /// registration contains the bitwise complement of its descriptor.
  private var watched: [pollfd]
  private var tokens = [Token(index: 0)]
  private var events: [Event] = []
  private let bell: WakerBell
  public private(set) var wasWoken = false

  /// - Throws: `.tooManyDescriptors`.
  public init(_ configuration: Configuration) throws(SocketError) {
    bell = try WakerBell()
    watched = [pollfd(fd: bell.source.value, events: Int16(POLLIN), revents: 0)]
  }

  public static func configuration(capacity: Int) -> Configuration { Configuration() }
  public var capabilities: PollerCapabilities { .parks }
  public var waker: Waker { Waker(bell) }

  public mutating func register(
    source: RawDescriptor, for interest: Interest, trigger: Trigger, token: Token
  ) throws(SocketError) {
    let entry = try entry(source, interest, trigger, .register)
    if index(of: source) != nil { throw SocketError(code: .alreadyRegistered, .register) }
    watched.append(entry)
    tokens.append(token)
  }

  public mutating func modify(
    source: RawDescriptor, for interest: Interest, trigger: Trigger, token: Token
  ) throws(SocketError) {
    guard let index = index(of: source) else { throw SocketError(code: .notRegistered, .modify) }
    watched[index] = try entry(source, interest, trigger, .modify)
    tokens[index] = token
  }

  public mutating func deregister(source: RawDescriptor) throws(SocketError) {
    guard let index = index(of: source) else { throw SocketError(code: .notRegistered, .deregister) }
    watched.remove(at: index)
    tokens.remove(at: index)
  }

  private func index(of source: RawDescriptor) -> Int? {
    watched.dropFirst().firstIndex { $0.fd == source.value || $0.fd == ~source.value }
  }

  private func entry(
    _ source: RawDescriptor, _ interest: Interest, _ trigger: Trigger, _ operation: SocketError.Operation
  ) throws(SocketError) -> pollfd {
    if !trigger.isEmpty { throw SocketError(code: .notSupported, operation) }
    // This check is necessary, because poll(2) does not fail for a closed descriptor.
    if fcntl(source.value, F_GETFD) < 0 { throw SocketError(.failure(errno: errno), operation) }
    let events = Int16(truncatingIfNeeded: interest.events.rawValue)
    return pollfd(fd: events == 0 ? ~source.value : source.value, events: events, revents: 0)
  }

  public mutating func attemptWait(until deadline: Deadline) -> IOResult {
    wasWoken = false
    events.removeAll(keepingCapacity: true)
    var result: Int32
    repeat {
      // The time is rounded up. poll(2) waits for at most 24 days, and is called again for a longer time.
      let left = deadline.remainingNanoseconds
      let time = deadline.isNever ? -1 : Int32(clamping: left / 1_000_000 + (left % 1_000_000 == 0 ? 0 : 1))
      result = poll(&watched, nfds_t(watched.count), time)
      if result < 0 { return .failure(errno: errno) }
    } while result == 0 && !deadline.hasPassed
    if watched[0].revents != 0 {
      bell.take()
      wasWoken = true
    }
    for index in watched.indices.dropFirst() where watched[index].revents != 0 {
      let seen = watched[index].revents
      // A closed descriptor is reported once.
      if seen & Int16(POLLNVAL) != 0 { watched[index].fd = ~watched[index].fd }
      events.append(Event(token: tokens[index], readiness: Readiness(rawValue: UInt32(UInt16(bitPattern: seen)))))
    }
    return IOResult(raw: events.count)
  }

  public subscript(event index: Int) -> Event { events[index] }
}
