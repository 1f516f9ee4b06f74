// Connecting and binding to an endpoint: the default implementations of a transport's requirements, and the methods
// that programs call. These methods are disfavoured overloads: if the endpoints of a transport are its addresses, the
// compiler chooses the overload for addresses.

extension Transport where Self: ~Copyable {
  public static func open(
    boundTo endpoint: Endpoint, until limit: some WaitLimit, configure: (borrowing Self) throws -> Void
  ) throws(SocketError) -> Self {
    try firstUsable(of: endpoint, until: limit) { (address) throws(SocketError) in
      try bound(to: address, configure: configure)
    }
  }

  public static func open(
    connectedTo endpoint: Endpoint, from source: Address?, until limit: some WaitLimit,
    configure: (borrowing Self) throws -> Void
  ) throws(SocketError) -> Self {
    throw SocketError(code: .notSupported, .connect).with(address: endpointFormat.text(of: endpoint))
  }

  /// Returns the result of `make` for the first address of the endpoint whose protocol the kernel supports.
  fileprivate static func firstUsable<R: ~Copyable>(
    of endpoint: Endpoint, until limit: some WaitLimit, _ make: (Address) throws(SocketError) -> R
  ) throws(SocketError) -> R {
    var failure: SocketError?
    for address in try endpointFormat.addresses(endpoint, limit) {
      do throws(SocketError) {
        return try make(address)
      } catch {
        if error.code != .protocolNotSupported { throw error }
        failure = failure ?? error
      }
    }
    throw failure ?? SocketError(code: .nameNotFound, .resolve).with(address: endpointFormat.text(of: endpoint))
  }
}

extension Transport where Self: ConnectedSocket & ~Copyable {
  public static func open(
    connectedTo endpoint: Endpoint, from source: Address?, until limit: some WaitLimit,
    configure: (borrowing Self) throws -> Void
  ) throws(SocketError) -> Self {
    var failures: [SocketError] = []
    for address in try endpointFormat.addresses(endpoint, limit) {
      do throws(SocketError) {
        return try connect(to: address, from: source, until: limit, configure: configure)
      } catch {
        failures.append(error)
        if error.code == .cancelled || limit.deadline.hasPassed { break }
      }
    }
    if failures.count == 1 { throw failures[0] }
    throw (failures.first ?? SocketError(code: .nameNotFound, .resolve)).with(
      address: endpointFormat.text(of: endpoint), attempts: failures)
  }

  /// Connects to an endpoint, and blocks the calling thread until the connect succeeds or fails. If the endpoint is a
  /// name, the method looks up the name first.
  ///
  /// - Parameters:
  ///   - endpoint: the endpoint of the peer, such as `.host("example.org", port: 80)`.
  ///   - source: the local address, or nil to let the kernel choose. A socket with a source address can connect only to
  ///     addresses that have the IP version of the source address.
  ///   - limit: how long and in which way to wait for the lookup and the connect together: ``WaitLimit``.
  ///   - configure: a closure that sets options on each socket before the socket connects.
  /// - Throws: `.connectionRefused`, `.timedOut`, `.cancelled`, `.unreachable`, `.nameNotFound`, `.resolverFailed`,
  ///   `.tooManyDescriptors`. The error contains the address. If the method tried several addresses,
  ///   ``SocketError/attempts`` contains the error of each attempt.
  @_disfavoredOverload
  public static func connect(
    to endpoint: Endpoint, from source: Address? = nil, until limit: some WaitLimit,
    configure: (borrowing Self) throws -> Void = { _ in }
  ) throws(SocketError) -> Self {
    try open(connectedTo: endpoint, from: source, until: limit, configure: configure)
  }
}

extension Transport where Self: Acceptable<Void> & ~Copyable {
  /// Listens on an endpoint. If the endpoint is a name, the method uses the first address of the name whose IP version
  /// the kernel supports.
  /// - Parameters:
  ///   - endpoint: the local endpoint. With port 0, the kernel chooses the port.
  ///   - backlog: the number of connections that may wait to be accepted, at least 0. The kernel limits this number to
  ///     net.core.somaxconn (listen(2)).
  ///   - limit: how long and in which way to wait for the lookup of a name: ``WaitLimit``. No other step waits.
  ///   - configure: a closure that sets options on the socket before the socket is bound.
  /// - Throws: `.addressInUse`, `.addressNotAvailable`, `.permissionDenied`, `.tooManyDescriptors`,
  ///   `.protocolNotSupported`, `.nameNotFound`, `.resolverFailed`, `.timedOut`, `.invalidArgument` for a negative
  ///   backlog. The error contains the address.
  @_disfavoredOverload
  public static func listen(
    on endpoint: Endpoint, backlog: Int = 511, until limit: some WaitLimit = .never,
    configure: (borrowing Self) throws -> Void = { _ in }
  ) throws(SocketError) -> Listener<Self> {
    let socket = try open(boundTo: endpoint, until: limit, configure: configure)
    let cleanup = socket.listenerCleanup
    do throws(SocketError) {
      return try socket.listen(backlog: backlog, cleanup: cleanup)
    } catch {
      throw error.with(address: endpointFormat.text(of: endpoint))
    }
  }
}

extension Transport where Self: DatagramSocket & ~Copyable {
  public static func open(
    connectedTo endpoint: Endpoint, from source: Address?, until limit: some WaitLimit,
    configure: (borrowing Self) throws -> Void
  ) throws(SocketError) -> Self {
    try firstUsable(of: endpoint, until: limit) { (address) throws(SocketError) in
      try connect(to: address, from: source, configure: configure)
    }
  }

  /// Opens a datagram socket that receives at an endpoint. If the endpoint is a name, the method uses the first address
  /// of the name whose IP version the kernel supports.
  /// - Parameters:
  ///   - endpoint: the local endpoint. With port 0, the kernel chooses the port.
  ///   - limit: how long and in which way to wait for the lookup of a name: ``WaitLimit``. No other step waits.
  ///   - configure: a closure that sets options on the socket before the socket is bound.
  /// - Throws: `.addressInUse`, `.addressNotAvailable`, `.permissionDenied`, `.nameNotFound`, `.resolverFailed`,
  ///   `.timedOut`. The error contains the address.
  @_disfavoredOverload
  public static func bind(
    to endpoint: Endpoint, until limit: some WaitLimit = .never, configure: (borrowing Self) throws -> Void = { _ in }
  ) throws(SocketError) -> Self {
    try open(boundTo: endpoint, until: limit, configure: configure)
  }

  /// Opens a datagram socket that is connected to one peer. If the endpoint is a name, the method uses the first
  /// address of the name whose IP version the kernel supports.
  /// - Parameters:
  ///   - endpoint: the peer.
  ///   - source: the local address, or nil to let the kernel choose.
  ///   - limit: how long and in which way to wait for the lookup of a name: ``WaitLimit``. No other step waits.
  ///   - configure: a closure that sets options on the socket before the socket is bound or connected.
  /// - Throws: `.unreachable`, `.connectionRefused`, `.nameNotFound`, `.resolverFailed`, `.timedOut`. The error
  ///   contains the address.
  @_disfavoredOverload
  public static func connect(
    to endpoint: Endpoint, from source: Address? = nil, until limit: some WaitLimit = .never,
    configure: (borrowing Self) throws -> Void = { _ in }
  ) throws(SocketError) -> Self {
    try open(connectedTo: endpoint, from: source, until: limit, configure: configure)
  }
}
