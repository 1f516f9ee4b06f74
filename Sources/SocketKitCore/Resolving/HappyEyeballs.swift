/// How a connect by name races the addresses of the name: "Happy Eyeballs", RFC 8305.
public struct HappyEyeballs: Hashable, Sendable {
  /// How long IPv4 waits for the IPv6 answer when it came first (RFC 8305, section 3): 50 ms.
  public var resolutionDelay: Duration
  /// How long an attempt may go unanswered before the next one starts beside it (section 5): 250 ms, at least 10 ms.
  public var attemptDelay: Duration {
    didSet { attemptDelay = max(attemptDelay, Self.leastAttemptDelay) }
  }
  private static let leastAttemptDelay: Duration = .milliseconds(10)

  public init(
    resolutionDelay: Duration = .milliseconds(50), attemptDelay: Duration = .milliseconds(250)
  ) {
    self.resolutionDelay = resolutionDelay
    self.attemptDelay = max(attemptDelay, Self.leastAttemptDelay)
  }

  /// The order in which addresses are tried: families in turn, IPv6 first, each in the resolver's own order (section
  /// 4).
  public static func interleaved(ipv6: [IPSocketAddress], ipv4: [IPSocketAddress]) -> [IPSocketAddress] {
    var result: [IPSocketAddress] = []
    for index in 0..<max(ipv6.count, ipv4.count) {
      if index < ipv6.count { result.append(ipv6[index]) }
      if index < ipv4.count { result.append(ipv4[index]) }
    }
    return result
  }
}

extension ConnectionTransport where Self: ~Copyable, Address == IPSocketAddress {
  /// Connects to a host by name: looks up its IPv6 and IPv4 addresses at the same time, off this thread, and races
  /// connects to them, so that a broken path costs a moment and not a timeout (RFC 8305). Waits on this thread.
  ///
  /// - Parameters:
  ///   - host: a name, or a numeric address, with a zone if need be.
  ///   - port: whom to ask for there.
  ///   - limit: for lookup and connect together.
  ///   - racing: the delays between attempts.
  ///   - configure: sets options on each socket before it connects.
  /// - Throws: `.timedOut`, `.cancelled`, `.tooManyDescriptors`, `.outOfMemory`; when every address failed, the first
  ///   connect's code, with each attempt in ``EndpointError/attempts``; without an address `.resolverFailed` when a
  ///   lookup may work later, and `.nameNotFound` when both found nothing. While the process looks up too many names at
  ///   a time, the lookup waits for its turn: see ``NameLookup``.
  public static func connect(
    toHost host: String, port: UInt16, until limit: some WaitLimit,
    racing: HappyEyeballs = HappyEyeballs(),
    configure: (borrowing Self) throws(SocketError) -> Void = { (_) throws(SocketError) in }
  ) throws(EndpointError) -> Self {
    let numeric = IPSocketAddress(host.contains(":") ? "[\(host)]:\(port)" : "\(host):\(port)")
    if let numeric { return try connect(to: numeric, until: limit, configure: configure) }
    let race = ConnectRace<Self>(host, until: limit, racing)
    return try race.run(
      ipv6: NameLookup(host, port: port, version: .ipv6), ipv4: NameLookup(host, port: port, version: .ipv4),
      configure: configure)
  }
}
