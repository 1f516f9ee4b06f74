import Glibc
import SocketKit

// Faults change interest and trigger together: in the kernel's form, where both are bits of one number.
extension Interest {
  static var edge: Interest { Interest().with(.edge) }
  static var oneShot: Interest { Interest().with(.oneShot) }
  static var exclusive: Interest { Interest().with(.exclusive) }
  func with(_ trigger: Trigger) -> Interest { Interest(rawValue: rawValue | trigger.rawValue) }
  var trigger: Trigger { Trigger(rawValue: rawValue).known }
}

/// What a broken poller does otherwise than its base; everything not written is right.
protocol PollerFault: Sendable {
  init()
  mutating func capabilities(_ capabilities: PollerCapabilities) -> PollerCapabilities
  /// The interest to register or modify with, and the token.
  mutating func interest(_ source: RawDescriptor, _ interest: Interest, _ token: Token) -> (Interest, Token)
  /// Likewise, when it is modified.
  mutating func modified(_ source: RawDescriptor, _ interest: Interest, _ token: Token) -> (Interest, Token)
  /// Whether a source that the kernel does not take, or does not know, is taken all the same.
  static var takesAnything: Bool { get }
  static func waker(_ waker: Waker) -> Waker
  /// Whether to tell the base.
  mutating func forwardsDeregister(_ source: RawDescriptor) -> Bool
  mutating func registered(_ events: inout [Event])
  mutating func deadline(_ deadline: Deadline) -> Deadline
  mutating func willWait(_ base: inout some Poller & ~Copyable)
  /// What a wait found; true to wait once more.
  mutating func didWait(_ result: inout IOResult, _ events: inout [Event], _ deadline: Deadline) -> Bool
}

extension PollerFault {
  mutating func capabilities(_ capabilities: PollerCapabilities) -> PollerCapabilities { capabilities }
  mutating func interest(_ source: RawDescriptor, _ interest: Interest, _ token: Token) -> (Interest, Token) {
    (interest, token)
  }
  mutating func modified(_ source: RawDescriptor, _ interest: Interest, _ token: Token) -> (Interest, Token) {
    self.interest(source, interest, token)
  }
  static var takesAnything: Bool { false }
  static func waker(_ waker: Waker) -> Waker { waker }
  mutating func forwardsDeregister(_ source: RawDescriptor) -> Bool { true }
  mutating func registered(_ events: inout [Event]) {}
  mutating func deadline(_ deadline: Deadline) -> Deadline { deadline }
  mutating func willWait(_ base: inout some Poller & ~Copyable) {}
  mutating func didWait(_ result: inout IOResult, _ events: inout [Event], _ deadline: Deadline) -> Bool { false }
}

/// A poller with a fault, over another.
struct FaultyPoller<Base: Poller & ~Copyable, Fault: PollerFault>: ~Copyable, Poller {
  var base: Base
  var fault = Fault()
  var events: [Event] = []
  let answers: PollerCapabilities

  init(_ configuration: Base.Configuration) throws(SocketError) {
    base = try Base(configuration)
    answers = fault.capabilities(base.capabilities)
  }
  static func configuration(capacity: Int) -> Base.Configuration { Base.configuration(capacity: capacity) }

  var capabilities: PollerCapabilities { answers }
  mutating func register(
    source: RawDescriptor, for interest: Interest, trigger: Trigger, token: Token
  ) throws(SocketError) {
    let (asked, token) = fault.interest(source, interest.with(trigger), token)
    do throws(SocketError) {
      try base.register(source: source, for: asked.events, trigger: asked.trigger, token: token)
    } catch {
      if error.code == .alreadyRegistered && Fault.self == RegistersTwice.self {
        return try base.modify(source: source, for: asked.events, trigger: asked.trigger, token: token)
      }
      if Fault.takesAnything && error.code == .closed { return }
      throw asTheKernelSays(error)
    }
    fault.registered(&events)
  }
  mutating func modify(
    source: RawDescriptor, for interest: Interest, trigger: Trigger, token: Token
  ) throws(SocketError) {
    let (asked, token) = fault.modified(source, interest.with(trigger), token)
    do throws(SocketError) {
      try base.modify(source: source, for: asked.events, trigger: asked.trigger, token: token)
    } catch {
      if Fault.takesAnything && error.code == .notRegistered {
        return try base.register(source: source, for: asked.events, trigger: asked.trigger, token: token)
      }
      throw asTheKernelSays(error)
    }
  }
  private func asTheKernelSays(_ error: SocketError) -> SocketError {
    guard Fault.self == CallsModesInvalid.self, error.errno == EINVAL else { return error }
    return SocketError(.failure(errno: EINVAL), error.operation)
  }
  mutating func deregister(source: RawDescriptor) throws(SocketError) {
    if fault.forwardsDeregister(source) { try base.deregister(source: source) }
  }
  mutating func attemptWait(until deadline: Deadline) -> IOResult {
    fault.willWait(&base)
    while true {
      var result = base.attemptWait(until: fault.deadline(deadline))
      events = (0..<max(0, result.raw)).map { base[event: $0] }
      if fault.didWait(&result, &events, deadline) && !base.wasWoken { continue }
      return result.isFailure ? result : IOResult(raw: events.count)
    }
  }
  subscript(event index: Int) -> Event {
    index < events.count ? events[index] : Event(token: Token(index: 0), readiness: [])
  }
  var wasWoken: Bool { base.wasWoken }
  var waker: Waker { Fault.waker(base.waker) }
}

/// A fault that drops a part of what it is asked to watch for.
protocol InterestFault: PollerFault {
  static var dropped: Interest { get }
}

extension InterestFault {
  mutating func interest(_ source: RawDescriptor, _ interest: Interest, _ token: Token) -> (Interest, Token) {
    (interest.subtracting(Self.dropped), token)
  }
}

struct NoFault: PollerFault {}
struct RegistersTwice: PollerFault {}
/// Hands the kernel's EINVAL on.
struct CallsModesInvalid: PollerFault {}

struct ReportsAfterDeregistering: PollerFault {
  mutating func forwardsDeregister(_ source: RawDescriptor) -> Bool { false }
}

struct LosesEarlyWakes: PollerFault {
  mutating func willWait(_ base: inout some Poller & ~Copyable) { _ = base.attemptWait(until: .past) }
}

/// Keeps the token that a descriptor's number was first seen with.
struct RemembersOldTokens: PollerFault {
  var tokens: [RawDescriptor: Token] = [:]
  mutating func interest(_ source: RawDescriptor, _ interest: Interest, _ token: Token) -> (Interest, Token) {
    if tokens[source] == nil { tokens[source] = token }
    return (interest, tokens[source] ?? token)
  }
}

struct EndsOnSignals: PollerFault {
  mutating func didWait(_ result: inout IOResult, _ events: inout [Event], _ deadline: Deadline) -> Bool {
    if result.isInterrupted { result = .zero }
    return false
  }
}

struct SpuriousErrorOnSignals: PollerFault {
  mutating func didWait(_ result: inout IOResult, _ events: inout [Event], _ deadline: Deadline) -> Bool {
    if result.isInterrupted { result = .failure(errno: EIO) }
    return false
  }
}

/// Claims to sleep, and never does.
struct BurnsTime: PollerFault {
  mutating func deadline(_ deadline: Deadline) -> Deadline { .past }
  mutating func didWait(_ result: inout IOResult, _ events: inout [Event], _ deadline: Deadline) -> Bool {
    result.raw == 0 && !deadline.hasPassed
  }
}

struct SleepsTooLong: PollerFault {
  mutating func deadline(_ deadline: Deadline) -> Deadline {
    deadline.isPast ? deadline : deadline.advanced(by: tooLong)
  }
}

struct WakesEarly: PollerFault {
  mutating func deadline(_ deadline: Deadline) -> Deadline {
    guard let left = deadline.remaining else { return deadline }
    return .after(left / 2)
  }
}

/// Always begins with the same descriptors.
struct ServesTheFirstOnly: PollerFault {
  mutating func didWait(_ result: inout IOResult, _ events: inout [Event], _ deadline: Deadline) -> Bool {
    events = Array(events.prefix(1))
    return false
  }
}

struct IgnoresPauses: PollerFault {
  mutating func interest(_ source: RawDescriptor, _ interest: Interest, _ token: Token) -> (Interest, Token) {
    (interest.events.isEmpty ? .readable : interest, token)
  }
}

struct FiresTwice: InterestFault {
  static var dropped: Interest { .oneShot }
}

struct EdgeIsLevel: InterestFault {
  static var dropped: Interest { .edge }
}

struct LevelIsEdge: PollerFault {
  mutating func interest(_ source: RawDescriptor, _ interest: Interest, _ token: Token) -> (Interest, Token) {
    (interest.union(.edge), token)
  }
}

/// Takes a mode that it denies having.
struct TakesWhatItLacks: PollerFault {
  mutating func capabilities(_ capabilities: PollerCapabilities) -> PollerCapabilities {
    capabilities.subtracting(.edge)
  }
}

struct ReportsUnasked: PollerFault {
  mutating func didWait(_ result: inout IOResult, _ events: inout [Event], _ deadline: Deadline) -> Bool {
    events = events.map { Event(token: $0.token, readiness: $0.readiness.union(.writable)) }
    return false
  }
}

struct NeverWritable: InterestFault {
  static var dropped: Interest { .writable }
}

struct SwallowsHangUps: PollerFault {
  mutating func didWait(_ result: inout IOResult, _ events: inout [Event], _ deadline: Deadline) -> Bool {
    events = events.map { Event(token: $0.token, readiness: $0.readiness.subtracting(.hangUp)) }
    return false
  }
}

struct ForgetsEventsOnRegister: PollerFault {
  mutating func registered(_ events: inout [Event]) { events = [] }
}

/// What poll(2) does by itself with a descriptor that was closed.
struct SpinsOnClosed: PollerFault {
  var closed: Event?
  mutating func didWait(_ result: inout IOResult, _ events: inout [Event], _ deadline: Deadline) -> Bool {
    if let event = events.first(where: { $0.readiness.contains(.invalid) }) { closed = event }
    if events.isEmpty, let closed { events = [closed] }
    return false
  }
  mutating func deadline(_ deadline: Deadline) -> Deadline { closed == nil ? deadline : .past }
}

/// Drops an event now and then.
struct LosesEvents: PollerFault {
  var waits = 0
  mutating func interest(_ source: RawDescriptor, _ interest: Interest, _ token: Token) -> (Interest, Token) {
    (interest.union(.edge), token)
  }
  mutating func didWait(_ result: inout IOResult, _ events: inout [Event], _ deadline: Deadline) -> Bool {
    waits += 1
    if waits % 50 == 0 { events.removeAll() }
    return waits % 50 == 0 && result.raw > 0
  }
}

/// A poller whose descriptors are inherited.
struct InheritedPoller: ~Copyable, Poller {
  var base: EpollPoller
  init(_ configuration: EpollPoller.Configuration) throws(SocketError) {
    base = try EpollPoller(configuration)
    _ = fcntl(base.descriptor.value, F_SETFD, 0)
  }
  static func configuration(capacity: Int) -> EpollPoller.Configuration {
    EpollPoller.configuration(capacity: capacity)
  }
  var capabilities: PollerCapabilities { base.capabilities }
  mutating func register(
    source: RawDescriptor, for interest: Interest, trigger: Trigger, token: Token
  ) throws(SocketError) {
    try base.register(source: source, for: interest, trigger: trigger, token: token)
  }
  mutating func modify(
    source: RawDescriptor, for interest: Interest, trigger: Trigger, token: Token
  ) throws(SocketError) {
    try base.modify(source: source, for: interest, trigger: trigger, token: token)
  }
  mutating func deregister(source: RawDescriptor) throws(SocketError) { try base.deregister(source: source) }
  mutating func attemptWait(until deadline: Deadline) -> IOResult { base.attemptWait(until: deadline) }
  subscript(event index: Int) -> Event { base[event: index] }
  var wasWoken: Bool { base.wasWoken }
  var waker: Waker { base.waker }
}
