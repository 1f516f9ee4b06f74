internal import CSocketKit
internal import SocketKitCore

/// The state of one call that connects to a name: the results of the lookups, the attempts in progress, and the time of
/// the next attempt.
final class ConnectRace<S: Transport & ConnectedSocket & ~Copyable> where S.Address == IPSocketAddress {
  /// This type is a class, because an array cannot contain noncopyable values.
  private final class Attempt {
    private var pending: PendingConnection<S>?
    let source: RawDescriptor

    init(_ pending: consuming PendingConnection<S>) {
      source = pending.writeSource
      self.pending = consume pending
    }
    func isFinished() throws(SocketError) -> Bool { try pending?.isFinished() ?? false }
    func finish() throws(SocketError) -> S? { try pending.take()?.finish() }
  }

  /// This type is a class, because `if let` and `?.` cannot borrow an optional noncopyable property.
  private final class Lookup {
    let value: NameLookup

    init(_ host: String, _ port: UInt16, _ version: NameLookup.Version) throws(SocketError) {
      value = try NameLookup(host, port: port, version: version)
    }
  }

  private let host: String
  private let deadline: Deadline
  private let control: WaitControl?
  private let delays: HappyEyeballs
  private let source: IPSocketAddress?
  /// The lookups. A lookup is nil if the source address has the other IP version.
  private let ipv6Lookup: Lookup?
  private let ipv4Lookup: Lookup?
  private var ipv6: [IPSocketAddress]?
  private var ipv4: [IPSocketAddress]?
  private var tried: Set<IPSocketAddress> = []
  private var attempts: [Attempt] = []
  /// The errors of the lookups.
  private var ipv6Failure: SocketError?
  private var ipv4Failure: SocketError?
  /// The errors of the attempts, in the order in which they occurred.
  private var attemptFailures: [SocketError] = []
  /// The time after which IPv4 attempts no longer wait for the IPv6 lookup.
  private var ipv4MayStart: Deadline?
  private var nextAttempt = Deadline.past

  /// Starts the lookups.
  init(
    _ host: String, _ port: UInt16, from source: IPSocketAddress?, until limit: some WaitLimit, _ delays: HappyEyeballs
  ) throws(SocketError) {
    self.host = host
    self.source = source
    deadline = limit.deadline
    control = limit.control
    self.delays = delays
    // A socket that is bound to an address can connect only to addresses of the same IP version.
    ipv6Lookup = source?.isIPv6 == false ? nil : try Lookup(host, port, .ipv6)
    ipv4Lookup = source?.isIPv6 == true ? nil : try Lookup(host, port, .ipv4)
    if ipv6Lookup == nil { ipv6 = [] }
    if ipv4Lookup == nil { ipv4 = [] }
  }

  func run(configure: (borrowing S) throws -> Void) throws(SocketError) -> S {
    while true {
      try check()
      if ipv6 == nil, let lookup = ipv6Lookup, lookup.value.isFinished { ipv6 = answer(lookup, &ipv6Failure) }
      if ipv4 == nil, let lookup = ipv4Lookup, lookup.value.isFinished {
        ipv4 = answer(lookup, &ipv4Failure)
        ipv4MayStart = .after(delays.resolutionDelay)
      }
      startNext(configure)
      if let winner = try takeWinner() { return winner }
      if ipv6 != nil && ipv4 != nil && attempts.isEmpty && untried == nil { throw verdict() }
      try sleep(ipv6 == nil ? ipv6Lookup?.value.readSource : nil, ipv4 == nil ? ipv4Lookup?.value.readSource : nil)
    }
  }

  private func check() throws(SocketError) {
    if let control, control.isCancelled { throw failure(.cancelled) }
    if limit.hasPassed { throw failure(.timedOut) }
  }

  private var limit: Deadline { min(deadline, control?.deadline ?? .never) }

  private func failure(_ code: SocketError.Code) -> SocketError {
    SocketError(code: code, .connect).with(address: host, attempts: failures)
  }

  /// The errors of the lookups except `.nameNotFound`, and the errors of the attempts. For example, a missing IPv6
  /// address is not an error if the name has an IPv4 address.
  private var failures: [SocketError] {
    [ipv6Failure, ipv4Failure].compactMap { $0 }.filter { $0.code != .nameNotFound } + attemptFailures
  }

  private func answer(_ lookup: Lookup, _ failure: inout SocketError?) -> [IPSocketAddress] {
    do throws(SocketError) {
      return try lookup.value.wait(until: .never)
    } catch {
      failure = error
      return []
    }
  }

  /// The address of the next attempt, which may start at ``nextMoment``; nil if there is none.
  private var untried: IPSocketAddress? {
    HappyEyeballs.interleaved(ipv6: ipv6 ?? [], ipv4: ipv4 ?? []).first { !tried.contains($0) }
  }

  /// The time at which the next attempt may start. While the IPv6 lookup is in progress, this time is not before the
  /// end of the resolution delay. While another attempt is in progress, this time is not before the end of the attempt
  /// delay.
  private var nextMoment: Deadline {
    let afterAttempt = attempts.isEmpty ? Deadline.past : nextAttempt
    return ipv6 == nil ? max(afterAttempt, ipv4MayStart ?? .past) : afterAttempt
  }

  private func startNext(_ configure: (borrowing S) throws -> Void) {
    while nextMoment.hasPassed, let address = untried {
      tried.insert(address)
      do throws(SocketError) {
        attempts.append(Attempt(try S.startConnecting(to: address, from: source, configure: configure)))
        nextAttempt = .after(delays.attemptDelay)
      } catch {
        attemptFailures.append(error)
      }
    }
  }

  /// Returns the first connected socket, or nil. Removes failed attempts, so that the next attempt can start
  /// immediately.
  private func takeWinner() throws(SocketError) -> S? {
    var index = 0
    while index < attempts.count {
      do throws(SocketError) {
        if try attempts[index].isFinished() {
          if let socket = try attempts[index].finish() { return socket }
        }
        index += 1
      } catch {
        attemptFailures.append(error)
        attempts.remove(at: index)
        nextAttempt = .past
      }
    }
    return nil
  }

  /// Returns the error to throw after all attempts have failed. This is the first error that exists in the following
  /// order: the error of the first attempt whose connect call failed; the error of the first attempt that failed before
  /// its connect call; the error of a lookup that may succeed when it is repeated (any error except `.nameNotFound`);
  /// the error of the IPv6 lookup; the error of the IPv4 lookup. The result does not depend on the order in which the
  /// lookups ended.
  private func verdict() -> SocketError {
    if let reason = attemptFailures.first(where: { $0.operation == .connect }) ?? attemptFailures.first {
      return SocketError(code: reason.code, reason.operation, errno: reason.errno).with(
        address: host, attempts: failures, explanation: reason.explanation)
    }
    let lookups = [ipv6Failure, ipv4Failure].compactMap { $0 }
    return lookups.first { $0.code != .nameNotFound } ?? lookups.first
      ?? SocketError(code: .nameNotFound, .resolve).with(address: host)
  }

  private func sleep(_ first: RawDescriptor?, _ second: RawDescriptor?) throws(SocketError) {
    var watched: [csk_pollfd] = []
    for source in [first, second] {
      if let source { watched.append(csk_pollfd(fd: source.value, events: Int16(CSK_POLLIN), revents: 0)) }
    }
    for attempt in attempts {
      watched.append(csk_pollfd(fd: attempt.source.value, events: Int16(CSK_POLLOUT), revents: 0))
    }
    var bell: RawDescriptor?
    if let control {
      do throws(SocketError) {
        bell = try control.enter(.connect)
      } catch {
        throw error.with(address: host, attempts: failures)
      }
    }
    defer { if let bell { control?.leave(bell) } }
    if let bell {
      if control?.isCancelled == true { return }
      watched.append(csk_pollfd(fd: bell.value, events: Int16(CSK_POLLIN), revents: 0))
    }
    // Use the time of the next attempt only if there is an address to try. If there is none, this time may have passed,
    // and the caller would loop without sleeping.
    let until = untried == nil ? limit : min(limit, nextMoment)
    let left = until.remainingNanoseconds
    var time = csk_timespec(tv_sec: Int(left / 1_000_000_000), tv_nsec: Int(left % 1_000_000_000))
    let count = UInt(watched.count)
    // The kernel accesses `count` elements of the array, and the time, only during the call.
    let result = IOResult(raw: unsafe left < 0 ? csk_ppoll(&watched, count, nil) : csk_ppoll(&watched, count, &time))
    // After a signal or a spurious wake-up, the caller's loop checks all states again.
    if result.isFailure && !result.isInterrupted {
      throw SocketError(result, .connect).with(address: host, attempts: failures)
    }
  }
}
