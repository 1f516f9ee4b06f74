extension Transport where Self: DatagramSocket & ~Copyable {
  /// Opens a datagram socket that receives at an address.
  ///
  /// - Parameters:
  ///   - address: the local address. With port 0 the kernel chooses the port, and `localAddress()` returns it. When the
  ///     kernel has no IPv6, ``IPSocketAddress/any(port:)`` means every IPv4 address.
  ///   - configure: sets options on the socket before it is bound.
  /// - Throws: `.addressInUse`, `.addressNotAvailable`, `.permissionDenied`, `.tooManyDescriptors`. The error contains
  ///   the address.
  public static func bind(
    to address: Address, configure: (borrowing Self) throws -> Void = { _ in }
  ) throws(SocketError) -> Self {
    try bound(to: address, configure: configure)
  }

  /// Opens a datagram socket that is connected to one peer: it sends to this peer, receives only from it, and reports
  /// ICMP errors. This method sends nothing and does not wait.
  ///
  /// - Parameters:
  ///   - address: the peer.
  ///   - source: the local address to use; nil lets the kernel choose.
  ///   - configure: sets options on the socket before it is bound or connected.
  /// - Throws: `.unreachable`, `.addressInUse`, `.connectionRefused` (no Unix socket is open at the address). The error
  ///   contains the addresses.
  public static func connect(
    to address: Address, from source: Address? = nil,
    configure: (borrowing Self) throws -> Void = { _ in }
  ) throws(SocketError) -> Self {
    do throws(SocketError) {
      var socket = try open(for: address)
      try socket.configure(with: configure)
      if let source { try socket.bindDescriptor(to: source) }
      try socket.connect(to: address)
      return socket
    } catch {
      throw error.with(address: address.description, localAddress: source?.description)
    }
  }
}

extension DescriptorSocket where Self: DatagramSocket & ~Copyable {
  /// Connects this socket to a peer, or to a different peer when it is already connected.
  /// - Throws: `.unreachable`, `.connectionRefused`, `.invalidArgument`.
  public borrowing func connect(to address: Address) throws(SocketError) {
    var result = descriptor.attemptConnect(to: address)
    while result.isInterrupted { result = descriptor.attemptConnect(to: address) }
    if result.isFailure { throw SocketError(result, .connect) }
  }

  /// Disconnects the socket from its peer, so that it receives from any sender again (connect(2) with AF_UNSPEC).
  ///
  /// An IP socket keeps its port and the device that it is bound to. The kernel clears both when it disconnects the
  /// socket, and this method sets them again. In between, another process can take the port. The device is not kept
  /// when the peer's address is link-local, because then connect(2) may have set it. The socket loses a local address
  /// that connect(2) chose, and keeps a local address that the program bound.
  /// - Throws: `.addressInUse` when another socket took the port; the socket is then neither connected nor bound.
  ///   `.permissionDenied` before Linux 5.7 when the socket is bound to a device and the process has lost CAP_NET_RAW;
  ///   the socket is then neither connected nor bound. `.notSupported` for raw IP sockets, which could not receive
  ///   after a disconnect: open another socket. `.closed`.
  public borrowing func disconnect() throws(SocketError) { try descriptor.disconnect() }
}
