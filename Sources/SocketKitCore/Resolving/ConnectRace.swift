internal import CSocketKit

/// The state of one connect by name: the results of the lookups, the attempts in progress, and the start of the next
/// attempt.
final class ConnectRace<S: ConnectionTransport & ~Copyable> where S.Address == IPSocketAddress {
  /// A class, because an array cannot contain noncopyable values.
  private final class Attempt {
    private var pending: PendingConnection<S>?
    let source: RawDescriptor

    init(_ pending: consuming PendingConnection<S>) {
      source = pending.writeSource
      self.pending = consume pending
    }
    func isFinished() throws(EndpointError) -> Bool { try pending?.isFinished() ?? false }
    func finish() throws(EndpointError) -> S? { try pending.take()?.finish() }
  }

  private let host: String
  private let deadline: Deadline
  private let control: WaitControl?
  private let delays: HappyEyeballs
  private var ipv6: [IPSocketAddress]?
  private var ipv4: [IPSocketAddress]?
  private var tried: Set<IPSocketAddress> = []
  private var attempts: [Attempt] = []
  /// The errors of the lookups.
  private var ipv6Failure: EndpointError?
  private var ipv4Failure: EndpointError?
  /// The errors of the attempts, in order of time.
  private var attemptFailures: [EndpointError] = []
  /// The time from which IPv4 does not wait for the IPv6 lookup.
  private var ipv4MayStart: Deadline?
  private var nextAttempt = Deadline.past

  init(_ host: String, until limit: some WaitLimit, _ delays: HappyEyeballs) {
    self.host = host
    deadline = limit.deadline
    control = limit.control
    self.delays = delays
  }

  func run(
    ipv6 first: consuming NameLookup, ipv4 second: consuming NameLookup,
    configure: (borrowing S) throws(SocketError) -> Void
  ) throws(EndpointError) -> S {
    while true {
      try check()
      if ipv6 == nil && first.isFinished { ipv6 = answer(first, &ipv6Failure) }
      if ipv4 == nil && second.isFinished {
        ipv4 = answer(second, &ipv4Failure)
        ipv4MayStart = .after(delays.resolutionDelay)
      }
      startNext(configure)
      if let winner = try takeWinner() { return winner }
      if ipv6 != nil && ipv4 != nil && attempts.isEmpty && untried == nil { throw verdict() }
      try sleep(ipv6 == nil ? first.readSource : nil, ipv4 == nil ? second.readSource : nil)
    }
  }

  private func check() throws(EndpointError) {
    if let control, control.isCancelled { throw failure(.cancelled) }
    if limit.hasPassed { throw failure(.timedOut) }
  }

  private var limit: Deadline { min(deadline, control?.deadline ?? .never) }

  private func failure(_ code: SocketError.Code) -> EndpointError {
    EndpointError(SocketError(code: code, .connect), address: host, attempts: failures)
  }

  private var failures: [EndpointError] { [ipv6Failure, ipv4Failure].compactMap { $0 } + attemptFailures }

  private func answer(_ lookup: borrowing NameLookup, _ failure: inout EndpointError?) -> [IPSocketAddress] {
    do throws(EndpointError) {
      return try lookup.wait(until: .never)
    } catch {
      failure = error
      return []
    }
  }

  /// The address to try next, at ``nextMoment``.
  private var untried: IPSocketAddress? {
    HappyEyeballs.interleaved(ipv6: ipv6 ?? [], ipv4: ipv4 ?? []).first { !tried.contains($0) }
  }

  /// The time at which the next attempt may start. While the IPv6 lookup has no answer, it is the end of the resolution
  /// delay. While another attempt is in progress, it is the end of the attempt delay. The later of both counts.
  private var nextMoment: Deadline {
    let afterAttempt = attempts.isEmpty ? Deadline.past : nextAttempt
    return ipv6 == nil ? max(afterAttempt, ipv4MayStart ?? .past) : afterAttempt
  }

  private func startNext(_ configure: (borrowing S) throws(SocketError) -> Void) {
    while nextMoment.hasPassed, let address = untried {
      tried.insert(address)
      do throws(EndpointError) {
        attempts.append(Attempt(try S.startConnecting(to: address, configure: configure)))
        nextAttempt = .after(delays.attemptDelay)
      } catch {
        attemptFailures.append(error)
      }
    }
  }

  /// Returns the first connected socket, or nil. Removes failed attempts, so that the next attempt can start at once.
  private func takeWinner() throws(EndpointError) -> S? {
    var index = 0
    while index < attempts.count {
      do throws(EndpointError) {
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

  /// Returns the error when all attempts have failed: the error of the first failed connect, or else of the first
  /// attempt that failed before its connect, or else of a lookup that may succeed later, because the name may exist, or
  /// else of the first lookup. The result does not depend on the order in which the lookups ended.
  private func verdict() -> EndpointError {
    let lookups = [ipv6Failure, ipv4Failure].compactMap { $0 }
    let reason =
      attemptFailures.first { $0.operation == .connect } ?? attemptFailures.first
      ?? lookups.first { $0.code != .nameNotFound } ?? lookups.first
    return EndpointError(
      reason?.reason ?? SocketError(code: .nameNotFound, .resolve), address: host, attempts: failures)
  }

  private func sleep(_ first: RawDescriptor?, _ second: RawDescriptor?) throws(EndpointError) {
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
        throw EndpointError(error, address: host, attempts: failures)
      }
    }
    defer { if let bell { control?.leave(bell) } }
    if let bell {
      if control?.isCancelled == true { return }
      watched.append(csk_pollfd(fd: bell.value, events: Int16(CSK_POLLIN), revents: 0))
    }
    // The time of the next attempt counts only with an address to try. Without one, a time in the past would cause a
    // busy loop.
    let until = untried == nil ? limit : min(limit, nextMoment)
    let left = until.remainingNanoseconds
    var time = csk_timespec(tv_sec: Int(left / 1_000_000_000), tv_nsec: Int(left % 1_000_000_000))
    let count = UInt(watched.count)
    let result = IOResult(raw: left < 0 ? csk_ppoll(&watched, count, nil) : csk_ppoll(&watched, count, &time))
    // After an interrupt or a spurious wakeup the caller's loop checks all states again.
    if result.isFailure && !result.isInterrupted {
      throw EndpointError(SocketError(result, .connect), address: host, attempts: failures)
    }
  }
}
