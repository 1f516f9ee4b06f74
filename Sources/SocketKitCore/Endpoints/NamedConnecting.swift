/// A transport with connections that addresses name.
public protocol NamedConnectionTransport: NamedTransport, ConnectionTransport, ~Copyable {
  /// Connects to a location, looking up its name if it has one.
  ///
  /// The default tries the addresses in turn; IP transports race them (RFC 8305).
  /// - Parameters:
  ///   - location: whom to connect to.
  ///   - limit: for lookup and connect together.
  ///   - configure: sets options on each socket before it connects.
  /// - Throws: `.connectionRefused`, `.timedOut`, `.cancelled`, `.unreachable`, `.nameNotFound`, `.resolverFailed`,
  ///   `.tooManyDescriptors`, with the address; each attempt in ``EndpointError/attempts``.
  static func connect(
    at location: Location, until limit: some WaitLimit,
    configure: (borrowing Self) throws(SocketError) -> Void
  ) throws(EndpointError) -> Self

  /// Listens at a location: where it is a name, at the first of its addresses whose IP version this kernel has.
  /// - Parameters:
  ///   - location: where; port 0 lets the kernel choose.
  ///   - limit: for looking up a name; nothing else waits.
  ///   - configure: sets options on the socket before it is bound.
  /// - Throws: `.addressInUse`, `.addressNotAvailable`, `.permissionDenied`, `.tooManyDescriptors`,
  ///   `.protocolNotSupported`, `.nameNotFound`, `.resolverFailed`, `.timedOut`, with the address.
  static func listen(
    at location: Location, until limit: some WaitLimit,
    configure: (borrowing Self) throws(SocketError) -> Void
  ) throws(EndpointError) -> Listener<Self>
}

extension NamedConnectionTransport where Self: ~Copyable {
  /// ``connect(at:until:configure:)`` without a control or options.
  public static func connect(
    at location: Location, until limit: some WaitLimit
  ) throws(EndpointError) -> Self {
    try connect(at: location, until: limit) { (_) throws(SocketError) in }
  }

  /// ``listen(at:until:configure:)`` without a control or options.
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
  /// A datagram socket that receives at a location: where it is a name, at the first of its addresses whose IP version
  /// this kernel has.
  /// - Parameter limit: for looking up a name; nothing else waits.
  /// - Throws: `.addressInUse`, `.addressNotAvailable`, `.permissionDenied`, `.nameNotFound`, `.resolverFailed`,
  ///   `.timedOut`, with the address.
  public static func bind(
    at location: Location, until limit: some WaitLimit = .never
  ) throws(EndpointError) -> Self {
    try firstUsable(of: location, until: limit) { (address) throws(EndpointError) in
      try bind(to: address)
    }
  }

  /// A datagram socket connected to one peer: where it is a name, to the first of its addresses whose IP version this
  /// kernel has.
  /// - Parameter limit: for looking up a name; nothing else waits.
  /// - Throws: `.unreachable`, `.connectionRefused`, `.nameNotFound`, `.resolverFailed`, `.timedOut`, with the address.
  public static func connect(
    at location: Location, until limit: some WaitLimit = .never
  ) throws(EndpointError) -> Self {
    try firstUsable(of: location, until: limit) { (address) throws(EndpointError) in
      try connect(to: address)
    }
  }
}

extension NamedTransport where Self: ~Copyable {
  /// Returns what `make` makes of the first address of a location whose protocol this kernel has.
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
