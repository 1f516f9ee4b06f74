internal import CSocketKit

extension TransportSocket where Self: DatagramSocket & ~Copyable {
  /// A datagram socket that receives at an address.
  ///
  /// - Parameters:
  ///   - address: where; port 0 lets the kernel choose, and `localAddress()` tells. Where the kernel has no IPv6,
  ///     ``IPSocketAddress/any(port:)`` is every IPv4 address.
  ///   - configure: sets options on the socket before it is bound.
  /// - Throws: `.addressInUse`, `.addressNotAvailable`, `.permissionDenied`, `.tooManyDescriptors`, with the address.
  public static func bind(
    to address: Address, configure: (borrowing Self) throws(SocketError) -> Void = { (_) throws(SocketError) in }
  ) throws(EndpointError) -> Self {
    var address = address
    do throws(SocketError) {
      var socket = try open(forAllOf: &address)
      try willListen(socket, on: address)
      try configure(socket)
      try socket.bind(clearingTheWayTo: address)
      return socket
    } catch {
      throw EndpointError(error, address: address.description)
    }
  }

  /// A datagram socket connected to one peer: it sends there, hears only from there, and hears of ICMP errors. Nothing is
  /// sent by this, and nothing waits.
  ///
  /// - Parameters:
  ///   - address: the peer.
  ///   - source: the local address to use; nil lets the kernel choose.
  ///   - configure: sets options on the socket before it is bound or connected.
  /// - Throws: `.unreachable`, `.addressInUse`, `.connectionRefused` (a Unix socket where nobody is), with the addresses.
  public static func connect(
    to address: Address, from source: Address? = nil,
    configure: (borrowing Self) throws(SocketError) -> Void = { (_) throws(SocketError) in }
  ) throws(EndpointError) -> Self {
    do throws(SocketError) {
      var socket = try open(for: address)
      try configure(socket)
      if let source { try socket.bind(clearingTheWayTo: source) }
      try socket.connect(to: address)
      return socket
    } catch {
      throw EndpointError(error, address: address.description, localAddress: source?.description)
    }
  }
}

extension DatagramSocket where Self: KernelSocket & ~Copyable {
  /// Connects this socket to one peer, or to another one than before.
  /// - Throws: `.unreachable`, `.connectionRefused`, `.invalidArgument`.
  public borrowing func connect(to address: Address) throws(SocketError) {
    var result = descriptor.attemptConnect(to: address)
    while result.isInterrupted { result = descriptor.attemptConnect(to: address) }
    if result.isFailure { throw SocketError(result, .connect) }
  }

  /// Dissolves the connection to a peer: the socket hears from anybody again (connect(2) with AF_UNSPEC).
  /// - Throws: `.closed`.
  public borrowing func disconnect() throws(SocketError) {
    let unspecified: [UInt8] = [UInt8](repeating: 0, count: 16)
    let result = IOResult(raw: csk_connect(descriptor.value, unspecified, 16))
    if result.isFailure { throw SocketError(result, .connect) }
  }
}
