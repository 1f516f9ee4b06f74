extension Transport where Self: DatagramSocket & ~Copyable {
  /// Opens a datagram socket that receives at an address.
  ///
  /// - Parameters:
  ///   - address: the local address. With port 0, the kernel chooses the port, and `localAddress()` returns the port.
  ///     If the kernel does not support IPv6, `IPSocketAddress.any(port:)` means every IPv4 address.
  ///   - configure: a closure that sets options on the socket before the socket is bound.
  /// - Throws: `.addressInUse`, `.addressNotAvailable`, `.permissionDenied`, `.tooManyDescriptors`. The error contains
  ///   the address.
  public static func bind(
    to address: Address, configure: (borrowing Self) throws -> Void = { _ in }
  ) throws(SocketError) -> Self {
    try bound(to: address, configure: configure)
  }

  /// Opens a datagram socket that is connected to one peer. The socket sends to this peer, receives only from this
  /// peer, and reports ICMP errors. This method sends nothing and does not wait.
  ///
  /// - Parameters:
  ///   - address: the peer.
  ///   - source: the local address, or nil to let the kernel choose.
  ///   - configure: a closure that sets options on the socket before the socket is bound or connected.
  /// - Throws: `.unreachable`, `.addressInUse`, `.connectionRefused` (no Unix socket is open at the address). The error
  ///   contains the addresses.
  public static func connect(
    to address: Address, from source: Address? = nil,
    configure: (borrowing Self) throws -> Void = { _ in }
  ) throws(SocketError) -> Self {
    do throws(SocketError) {
      var socket = try open(for: address)
      try socket.configure(with: configure)
      if let source { try socket.bind(to: source) }
      try socket.connect(to: address)
      return socket
    } catch {
      throw error.with(address: address.description, localAddress: source?.description)
    }
  }
}

extension DescriptorSocket where Self: DatagramSocket & ~Copyable {
  /// Connects this socket to a peer. If the socket is already connected, replaces its peer.
  /// - Throws: `.unreachable`, `.connectionRefused`, `.invalidArgument`.
  public borrowing func connect(to address: Address) throws(SocketError) {
    var result = descriptor.attemptConnect(to: address)
    while result.isInterrupted { result = descriptor.attemptConnect(to: address) }
    if result.isFailure { throw SocketError(result, .connect) }
  }

  /// Disconnects the socket from its peer, so that the socket receives from any sender again (connect(2) with
  /// AF_UNSPEC).
  ///
  /// An IP socket keeps its port and its bound device. The kernel clears the port and the device when it disconnects
  /// the socket, and this method restores them. Before the port is restored, another process can bind the port. This
  /// method does not restore the device if the peer's address is link-local, because connect(2) may have set the
  /// device. The socket loses a local address that connect(2) chose, and keeps a local address that the program bound.
  /// - Throws: `.addressInUse` if another socket has bound the port; the socket is then neither connected nor bound.
  ///   `.permissionDenied` before Linux 5.7 if the socket is bound to a device and the process has lost CAP_NET_RAW;
  ///   the socket is then neither connected nor bound. `.notSupported` for raw IP sockets, which could not receive
  ///   after a disconnect: open another socket instead. `.closed`.
  public borrowing func disconnect() throws(SocketError) { try descriptor.disconnect() }
}
