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

  /// Ends the connection to a peer: the socket hears from anybody again (connect(2) with AF_UNSPEC).
  ///
  /// An IP socket keeps its port, and the device that it is bound to, which the kernel takes away with the connection: both
  /// are set again. For a moment the socket has none, so another process can take the port. The device is not kept where the
  /// peer's address is link-local, because then connect(2) may have set it. A local address that connect(2) chose goes, one
  /// that the program bound stays.
  /// - Throws: `.addressInUse` when another socket took the port: the socket is not connected and not bound then.
  ///   `.notSupported` for raw IP sockets, which would receive nothing any more, connected or not: open another one.
  ///   `.closed`.
  public borrowing func disconnect() throws(SocketError) { try descriptor.disconnect() }
}
