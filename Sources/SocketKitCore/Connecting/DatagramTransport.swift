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

  /// A datagram socket connected to one peer: it sends there, hears only from there, and hears of ICMP errors. Nothing
  /// is sent by this, and nothing waits.
  ///
  /// - Parameters:
  ///   - address: the peer.
  ///   - source: the local address to use; nil lets the kernel choose.
  ///   - configure: sets options on the socket before it is bound or connected.
  /// - Throws: `.unreachable`, `.addressInUse`, `.connectionRefused` (a Unix socket where nobody is), with the
  ///   addresses.
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

extension DescriptorSocket where Self: DatagramSocket & ~Copyable {
  /// Connects this socket to one peer, or to another one than before.
  /// - Throws: `.unreachable`, `.connectionRefused`, `.invalidArgument`.
  public borrowing func connect(to address: Address) throws(SocketError) {
    var result = descriptor.attemptConnect(to: address)
    while result.isInterrupted { result = descriptor.attemptConnect(to: address) }
    if result.isFailure { throw SocketError(result, .connect) }
  }

  /// Ends the connection to a peer: the socket hears from anybody again (connect(2) with AF_UNSPEC).
  ///
  /// An IP socket keeps its port and the device that it is bound to. The kernel clears both with the connection, and
  /// this sets them again; in between another process can take the port. The device is not kept where the peer's
  /// address is link-local, because then connect(2) may have set it. The socket loses a local address that connect(2)
  /// chose, and keeps one that the program bound.
  /// - Throws: `.addressInUse` when another socket took the port; the socket is then neither connected nor bound.
  ///   `.permissionDenied` before Linux 5.7 when the socket is bound to a device and the process has lost CAP_NET_RAW;
  ///   the socket is then neither connected nor bound.
  ///   `.notSupported` for raw IP sockets, which could never receive again: open another one. `.closed`.
  public borrowing func disconnect() throws(SocketError) { try descriptor.disconnect() }
}
