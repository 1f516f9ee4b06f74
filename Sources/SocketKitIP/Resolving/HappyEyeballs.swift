public import SocketKitCore

/// The delays before the attempts to connect to the addresses of a name ("Happy Eyeballs", RFC 8305).
public struct HappyEyeballs: Hashable, Sendable {
  /// The time for which IPv4 attempts wait for the IPv6 lookup if the IPv4 lookup ended first (RFC 8305, section 3).
  /// The default is 50 ms.
  public var resolutionDelay: Duration
  /// The time after which the next attempt starts if the previous attempt is still in progress (section 5). The default
  /// is 250 ms, and the minimum is 10 ms.
  public var attemptDelay: Duration {
    didSet { attemptDelay = max(attemptDelay, Self.leastAttemptDelay) }
  }
  private static let leastAttemptDelay: Duration = .milliseconds(10)

  /// Makes the delays. An attempt delay of less than 10 ms is increased to 10 ms.
  public init(
    resolutionDelay: Duration = .milliseconds(50), attemptDelay: Duration = .milliseconds(250)
  ) {
    self.resolutionDelay = resolutionDelay
    self.attemptDelay = max(attemptDelay, Self.leastAttemptDelay)
  }

  /// Connects to an endpoint, and blocks the calling thread until the call succeeds or fails. This method looks up the
  /// IPv6 and IPv4 addresses of a name at the same time on other threads, and makes overlapping connection attempts to
  /// these addresses. A broken path therefore causes only a short delay and not a timeout (RFC 8305).
  /// `TCPSocket.connect(to:until:)` calls this method with the default delays.
  ///
  /// - Parameters:
  ///   - type: the transport.
  ///   - endpoint: the endpoint of the peer, such as `.host("example.org", port: 80)`.
  ///   - source: the local address, or nil to let the kernel choose. If the source is not nil, the method tries only
  ///     addresses of its IP version.
  ///   - limit: how long and in which way to wait (``/SocketKitCore/WaitLimit``). The limit applies to the lookup and
  ///     the connection attempts together.
  ///   - configure: a closure that sets options on each socket before the socket connects.
  /// - Throws: `.timedOut`, `.cancelled`, `.tooManyDescriptors`, `.outOfMemory`. If the attempts for all addresses
  ///   failed, the error has the code of the first failed connect call, and ``/SocketKitCore/SocketError/attempts``
  ///   contains the error of each attempt. If no lookup returned an address, the code is `.nameNotFound`, or
  ///   `.resolverFailed` if a later lookup may succeed. If the process looks up too many names at the same time, the
  ///   lookup waits for its turn (see ``NameLookup``).
  public func connect<S: Transport & ConnectedSocket & ~Copyable>(
    _ type: S.Type = S.self, to endpoint: IPEndpoint, from source: IPSocketAddress? = nil, until limit: some WaitLimit,
    configure: (borrowing S) throws -> Void = { _ in }
  ) throws(SocketError) -> S where S.Address == IPSocketAddress {
    switch endpoint {
    case .address(let address):
      return try S.connect(to: address, from: source, until: limit, configure: configure)
    case .host(let host, let port):
      let numeric = IPSocketAddress(host.contains(":") ? "[\(host)]:\(port)" : "\(host):\(port)")
      if let numeric { return try S.connect(to: numeric, from: source, until: limit, configure: configure) }
      return try ConnectRace<S>(host, port, from: source, until: limit, self).run(configure: configure)
    }
  }

  /// Returns the addresses in the order of the attempts: the families alternate, IPv6 is first, and the addresses of
  /// each family keep the order of the resolver (section 4).
  package static func interleaved(ipv6: [IPSocketAddress], ipv4: [IPSocketAddress]) -> [IPSocketAddress] {
    var result: [IPSocketAddress] = []
    for index in 0..<max(ipv6.count, ipv4.count) {
      if index < ipv6.count { result.append(ipv6[index]) }
      if index < ipv4.count { result.append(ipv4[index]) }
    }
    return result
  }
}

// These signatures contain the names `Endpoint` and `Address`. If they contained `IPEndpoint`, the compiler would infer
// `IPEndpoint` as the `Endpoint` of every transport.
extension Transport where Self: ConnectedSocket & ~Copyable, Endpoint == IPEndpoint, Address == IPSocketAddress {
  public static func open(
    connectedTo endpoint: Endpoint, from source: Address?, until limit: some WaitLimit,
    configure: (borrowing Self) throws -> Void
  ) throws(SocketError) -> Self {
    try HappyEyeballs().connect(to: endpoint, from: source, until: limit, configure: configure)
  }
}
