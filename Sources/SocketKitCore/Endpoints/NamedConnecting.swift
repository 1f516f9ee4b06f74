/// A transport with connections that has a scheme in the text form of addresses.
public protocol NamedConnectionTransport: NamedTransport, ConnectionTransport, ~Copyable {
  /// Connects to a location. Looks up its name if it has one.
  ///
  /// The default implementation tries the addresses in turn. IP transports race them (RFC 8305).
  /// - Parameters:
  ///   - location: the location of the peer.
  ///   - limit: how long to wait for the lookup and the connect together, and how: ``WaitLimit``.
  ///   - configure: sets options on each socket before it connects.
  /// - Throws: `.connectionRefused`, `.timedOut`, `.cancelled`, `.unreachable`, `.nameNotFound`, `.resolverFailed`,
  ///   `.tooManyDescriptors`. The error contains the address, and ``EndpointError/attempts`` contains each attempt.
  static func connect(
    at location: Location, until limit: some WaitLimit,
    configure: (borrowing Self) throws(SocketError) -> Void
  ) throws(EndpointError) -> Self

  /// Listens at a location. A name stands for the first of its addresses whose IP version this kernel supports.
  /// - Parameters:
  ///   - location: the local location. With port 0 the kernel chooses the port.
  ///   - limit: how long to wait for the lookup of a name, and how: ``WaitLimit``. No other step waits.
  ///   - configure: sets options on the socket before it is bound.
  /// - Throws: `.addressInUse`, `.addressNotAvailable`, `.permissionDenied`, `.tooManyDescriptors`,
  ///   `.protocolNotSupported`, `.nameNotFound`, `.resolverFailed`, `.timedOut`. The error contains the address.
  static func listen(
    at location: Location, until limit: some WaitLimit,
    configure: (borrowing Self) throws(SocketError) -> Void
  ) throws(EndpointError) -> Listener<Self>
}

extension NamedConnectionTransport where Self: ~Copyable {
  /// Calls ``connect(at:until:configure:)`` without options.
  public static func connect(
    at location: Location, until limit: some WaitLimit
  ) throws(EndpointError) -> Self {
    try connect(at: location, until: limit) { (_) throws(SocketError) in }
  }

  /// Calls ``listen(at:until:configure:)`` without options.
  public static func listen(
    at location: Location, until limit: some WaitLimit = .never
  ) throws(EndpointError) -> Listener<Self> {
    try listen(at: location, until: limit) { (_) throws(SocketError) in }
  }

  public static func connect(
    at location: Location, until limit: some WaitLimit,
    configure: (borrowing Self) throws(SocketError) -> Void
  ) throws(EndpointError) -> Self {
    var failures: [EndpointError] = []
    for address in try addresses(of: location, until: limit) {
      do throws(EndpointError) {
        return try connect(to: address, until: limit, configure: configure)
      } catch {
        failures.append(error)
        if error.code == .cancelled || limit.deadline.hasPassed { break }
      }
    }
    if failures.count == 1 { throw failures[0] }
    throw EndpointError(
      failures.first?.reason ?? SocketError(code: .nameNotFound, .resolve), address: text(of: location),
      attempts: failures)
  }

  public static func listen(
    at location: Location, until limit: some WaitLimit,
    configure: (borrowing Self) throws(SocketError) -> Void
  ) throws(EndpointError) -> Listener<Self> {
    try firstUsable(of: location, until: limit) { (address) throws(EndpointError) in
      try listen(on: address, configure: configure)
    }
  }
}

extension NamedConnectionTransport where Self: ~Copyable, Location == IPLocation, Address == IPSocketAddress {
  public static func connect(
    at location: IPLocation, until limit: some WaitLimit,
    configure: (borrowing Self) throws(SocketError) -> Void
  ) throws(EndpointError) -> Self {
    switch location {
    case .address(let address):
      try connect(to: address, until: limit, configure: configure)
    case .host(let name, let port):
      try connect(toHost: name, port: port, until: limit, configure: configure)
    }
  }
}

extension NamedTransport where Self: DatagramSocket & ~Copyable {
  /// Opens a datagram socket that receives at a location. A name stands for the first of its addresses whose IP version
  /// this kernel supports.
  /// - Parameter limit: how long to wait for the lookup of a name, and how: ``WaitLimit``. No other step waits.
  /// - Throws: `.addressInUse`, `.addressNotAvailable`, `.permissionDenied`, `.nameNotFound`, `.resolverFailed`,
  ///   `.timedOut`. The error contains the address.
  public static func bind(
    at location: Location, until limit: some WaitLimit = .never
  ) throws(EndpointError) -> Self {
    try firstUsable(of: location, until: limit) { (address) throws(EndpointError) in
      try bind(to: address)
    }
  }

  /// Opens a datagram socket that is connected to one peer. A name stands for the first of its addresses whose IP
  /// version this kernel supports.
  /// - Parameter limit: how long to wait for the lookup of a name, and how: ``WaitLimit``. No other step waits.
  /// - Throws: `.unreachable`, `.connectionRefused`, `.nameNotFound`, `.resolverFailed`, `.timedOut`. The error
  ///   contains the address.
  public static func connect(
    at location: Location, until limit: some WaitLimit = .never
  ) throws(EndpointError) -> Self {
    try firstUsable(of: location, until: limit) { (address) throws(EndpointError) in
      try connect(to: address)
    }
  }
}

extension NamedTransport where Self: ~Copyable {
  /// Returns the result of `make` for the first address of the location whose protocol this kernel supports.
  fileprivate static func firstUsable<R: ~Copyable>(
    of location: Location, until limit: some WaitLimit,
    _ make: (Address) throws(EndpointError) -> R
  ) throws(EndpointError) -> R {
    var failure: EndpointError?
    for address in try addresses(of: location, until: limit) {
      do throws(EndpointError) {
        return try make(address)
      } catch {
        if error.code != .protocolNotSupported { throw error }
        failure = failure ?? error
      }
    }
    throw failure ?? EndpointError(SocketError(code: .nameNotFound, .resolve), address: text(of: location))
  }
}
