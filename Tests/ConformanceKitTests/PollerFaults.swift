import Glibc
import SocketKit

/// Takes a wake-up that is there already, and forgets it, once in a thousand waits.
struct LosesOneWakeInAThousand: PollerFault {
  private var waits = 0
  mutating func willWait(_ base: inout some Poller & ~Copyable) {
    waits += 1
    if waits % 1000 == 0 { _ = base.attemptWait(until: .past) }
  }
}

/// Works off what has changed since its last wait, and clears its wake-ups only then.
struct ClearsWakesLate: PollerFault {
  mutating func willWait(_ base: inout some Poller & ~Copyable) {
    let end = ContinuousClock.now + .microseconds(20)
    while ContinuousClock.now < end {}
    _ = base.attemptWait(until: .past)
  }
}

/// No fault: each wait takes long, as on a busy host.
struct IsSlow: PollerFault {
  mutating func willWait(_ base: inout some Poller & ~Copyable) { usleep(4000) }
}

/// Reports room once for each registration.
struct ReportsRoomOnce: PollerFault {
  private var seen: Set<Token> = []
  mutating func interest(_ source: RawDescriptor, _ interest: Interest, _ token: Token) -> (Interest, Token) {
    seen.remove(token)
    return (interest, token)
  }
  mutating func didWait(_ result: inout IOResult, _ events: inout [Event], _ deadline: Deadline) -> Bool {
    events = events.compactMap { event in
      if !event.isWritable || seen.insert(event.token).inserted { return event }
      let rest = event.readiness.subtracting(.writable)
      return rest == [] ? nil : Event(token: event.token, readiness: rest)
    }
    return false
  }
}

/// Hands out one event for each wait, and keeps the others for later waits.
struct KeepsABacklog: PollerFault {
  private var backlog: [Event] = []
  mutating func deadline(_ deadline: Deadline) -> Deadline { backlog.isEmpty ? deadline : .past }
  mutating func didWait(_ result: inout IOResult, _ events: inout [Event], _ deadline: Deadline) -> Bool {
    backlog += events.filter { event in !backlog.contains { $0.token == event.token } }
    events = backlog.isEmpty ? [] : [backlog.removeFirst()]
    return false
  }
}

/// How a time in whole units overflows a narrow number.
protocol NarrowTime: Sendable {
  static var most: Duration { get }
}
/// Microseconds in 32 bits.
enum Microseconds32: NarrowTime {
  static var most: Duration { .microseconds(UInt32.max) }
}
/// Milliseconds in 31 bits, as poll(2) and epoll_wait(2) take them.
enum Milliseconds31: NarrowTime {
  static var most: Duration { .milliseconds(Int32.max) }
}
/// Milliseconds in 32 bits.
enum Milliseconds32: NarrowTime {
  static var most: Duration { .milliseconds(UInt32.max) }
}

struct Overflows<Time: NarrowTime>: PollerFault {
  mutating func deadline(_ deadline: Deadline) -> Deadline {
    guard let left = deadline.remaining, left > Time.most else { return deadline }
    return .past
  }
}

/// Keeps whole milliseconds only, rounded up, and claims more.
struct CountsMilliseconds: PollerFault {
  mutating func deadline(_ deadline: Deadline) -> Deadline {
    deadline.isPast || deadline.isNever ? deadline : deadline.advanced(by: .milliseconds(1))
  }
}

struct SwallowsErrors: PollerFault {
  mutating func didWait(_ result: inout IOResult, _ events: inout [Event], _ deadline: Deadline) -> Bool {
    events = events.map { Event(token: $0.token, readiness: $0.readiness.subtracting(.error)) }
    return false
  }
}

struct ReportsErrorsWithData: PollerFault {
  mutating func didWait(_ result: inout IOResult, _ events: inout [Event], _ deadline: Deadline) -> Bool {
    events = events.map { Event(token: $0.token, readiness: $0.readiness.union(.error)) }
    return false
  }
}

struct IgnoresUrgentData: InterestFault {
  static var dropped: Interest { .priority }
}

struct LosesTheEdgeWhenModified: PollerFault {
  mutating func modified(_ source: RawDescriptor, _ interest: Interest, _ token: Token) -> (Interest, Token) {
    (interest.subtracting(.edge), token)
  }
}

struct WakesEverybody: InterestFault {
  static var dropped: Interest { .exclusive }
}

struct NeverIsPast: PollerFault {
  mutating func deadline(_ deadline: Deadline) -> Deadline { deadline.isNever ? .past : deadline }
}

/// Looks for events when the deadline has come, and not before.
struct LooksAtTheDeadline: PollerFault {
  mutating func willWait(_ base: inout some Poller & ~Copyable) { looks = 0 }
  private var looks = 0
  mutating func deadline(_ deadline: Deadline) -> Deadline {
    looks += 1
    guard looks == 1, let left = deadline.remaining, left > .zero else { return deadline }
    usleep(UInt32(min(left, tooLong) / .microseconds(1)))
    return .past
  }
}

struct IgnoresTheReadingEnd: InterestFault {
  static var dropped: Interest { .readClosed }
}

/// Reports an end as nothing at all.
struct SwallowsEnds: PollerFault {
  mutating func didWait(_ result: inout IOResult, _ events: inout [Event], _ deadline: Deadline) -> Bool {
    let before = events.count
    events.removeAll { !$0.readiness.isDisjoint(with: [.readClosed, .hangUp, .error]) }
    return before > 0 && events.isEmpty && !deadline.hasPassed
  }
}

/// Reads a byte of each source that it reports as readable.
struct EatsData: PollerFault {
  private var sources: [Token: RawDescriptor] = [:]
  mutating func interest(_ source: RawDescriptor, _ interest: Interest, _ token: Token) -> (Interest, Token) {
    sources[token] = source
    return (interest, token)
  }
  mutating func didWait(_ result: inout IOResult, _ events: inout [Event], _ deadline: Deadline) -> Bool {
    for event in events where event.isReadable {
      var byte: UInt8 = 0
      // The byte outlives the call.
      if let source = sources[event.token] { _ = unsafe recv(source.value, &byte, 1, Int32(MSG_DONTWAIT)) }
    }
    return false
  }
}

struct TakesAnything: PollerFault {
  static var takesAnything: Bool { true }
}

/// Asks for nothing where it is asked to watch exclusively.
struct DropsExclusiveInterest: PollerFault {
  mutating func interest(_ source: RawDescriptor, _ interest: Interest, _ token: Token) -> (Interest, Token) {
    (interest.contains(.exclusive) ? [] : interest, token)
  }
}

/// Notices that it was woken when it would have waited long enough.
struct NoticesWakesLate: PollerFault {
  mutating func didWait(_ result: inout IOResult, _ events: inout [Event], _ deadline: Deadline) -> Bool {
    if result.raw == 0 && !deadline.hasPassed { usleep(UInt32(tooLong / .microseconds(1))) }
    return false
  }
}

/// Hands a waker out whose descriptor it has closed.
struct ClosesItsBell: PollerFault {
  static func waker(_ waker: Waker) -> Waker {
    guard let bell = try? WakerBell() else { return waker }
    close(bell.source.value)
    return Waker(bell)
  }
}

/// Reports what it has reported again, until something else comes.
struct RepeatsItself: PollerFault {
  private var last: [Event] = []
  mutating func didWait(_ result: inout IOResult, _ events: inout [Event], _ deadline: Deadline) -> Bool {
    if events.isEmpty && !result.isFailure { events = last } else { last = events }
    return false
  }
}

/// Reports nothing else while the source with the lowest token is busy.
struct PrefersTheFirst: PollerFault {
  private var first = Token(index: .max)
  private var last = ContinuousClock.now
  mutating func interest(_ source: RawDescriptor, _ interest: Interest, _ token: Token) -> (Interest, Token) {
    if token.index < first.index { first = token }
    return (interest, token)
  }
  mutating func didWait(_ result: inout IOResult, _ events: inout [Event], _ deadline: Deadline) -> Bool {
    if let event = events.first(where: { $0.token.index == first.index }) {
      events = [event]
      last = .now
      return false
    }
    guard !events.isEmpty && ContinuousClock.now - last < .milliseconds(100) else { return false }
    events = []
    return !deadline.hasPassed
  }
}
