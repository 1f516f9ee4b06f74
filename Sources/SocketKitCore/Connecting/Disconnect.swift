internal import CSocketKit

extension RawDescriptor {
  /// Disconnects the socket with connect(2) and AF_UNSPEC, and restores the port and the device that the kernel clears.
  func disconnect() throws(SocketError) {
    let before = try connected(localAddress)
    guard let port = before.ipPort else { return try dissolve() }
    if try connected({ () throws(SocketError) in try socketKind() }).type == .raw {
      // A disconnect removes the socket from the table in which the kernel looks up the receivers of a packet, and a
      // later connect does not insert the socket again (raw_prot in net/ipv4/raw.c and rawv6_prot in net/ipv6/raw.c
      // have unhash but no get_port).
      throw SocketError(code: .notSupported, .connect)
    }
    let device = boundDevice()
    try dissolve()
    if device != 0, boundDevice() == 0 {
      // Before Linux 5.7, this option needs CAP_NET_RAW, which the first bind to the device also needed.
      try setIntegerOption(CSK_SOL_SOCKET, CSK_SO_BINDTOIFINDEX, device)
    }
    // __udp_disconnect in net/ipv4/udp.c clears a port that the kernel chose in bind(2) or connect(2).
    var after = try connected(localAddress)
    guard port != 0, after.ipPort == 0 else { return }
    after.ipPort = port
    try connected { () throws(SocketError) in try bind(to: after) }
  }

  private func dissolve() throws(SocketError) {
    let unspecified = InlineArray<2, UInt64>(repeating: 0)
    let result = attemptConnect(to: AnySocketAddress(copying: unspecified.span.integerBytes))
    if result.isFailure { throw SocketError(result, .connect) }
  }

  /// Returns the index of the interface to which the socket is bound (SO_BINDTOIFINDEX, Linux 5.1). Returns 0 if the
  /// socket is not bound to an interface, or if connect(2) may have bound the socket.
  private func boundDevice() -> Int {
    do throws(SocketError) {
      let device = try integerOption(CSK_SOL_SOCKET, CSK_SO_BINDTOIFINDEX)
      if device == 0 { return 0 }
      if let peer = try? remoteAddress(), peer.isLinkLocalIPv6 { return 0 }
      return device
    } catch {
      return 0
    }
  }

  /// Calls `body`, and throws its error as an error of the operation ``SocketError/Operation/connect``.
  private func connected<R>(_ body: () throws(SocketError) -> R) throws(SocketError) -> R {
    do throws(SocketError) {
      return try body()
    } catch {
      throw SocketError(code: error.code, .connect, errno: error.errno)
    }
  }
}
