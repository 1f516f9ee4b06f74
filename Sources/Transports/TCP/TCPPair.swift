public import SocketKitCore
internal import SocketKitIP

extension TCPSocket {
  /// Makes two TCP sockets that are connected to each other over loopback.
  ///
  /// Use this pair for code that requires TCP. For other code, a Unix socket pair is sufficient. During this call, a
  /// listener is open on a port that the kernel chooses, and any process on the host can connect to it. The second
  /// socket is the connection whose two addresses match those of the first socket; the call closes all other
  /// connections.
  /// - Parameters:
  ///   - family: `.ipv4` for 127.0.0.1, `.ipv6` for ::1.
  ///   - limit: how long to wait. Other connections to the port, or a firewall, may delay the expected connection.
  ///   - configure: sets options on the listener before it is bound, and then on the first socket before it connects.
  ///     The second socket inherits the listener's options.
  /// - Throws: `.wrongSocketKind` for another family; `.timedOut`, `.cancelled`, `.tooManyDescriptors`;
  ///   `.addressNotAvailable` if loopback is down or has no address of the family; `.protocolNotSupported` for IPv6 if
  ///   the kernel does not support it; errors that `configure` throws.
  public static func pair(
    over family: AddressFamily = .ipv4, until limit: some WaitLimit,
    configure: (borrowing TCPSocket) throws -> Void = { _ in }
  ) throws(SocketError) -> SocketPair<TCPSocket> {
    guard family == .ipv4 || family == .ipv6 else { throw SocketError(code: .wrongSocketKind, .pair) }
    do throws(SocketError) {
      let listener = try listen(
        on: family == .ipv6 ? .loopbackIPv6(port: 0) : .loopback(port: 0), configure: configure)
      return try pair(by: listener, until: limit, configure: configure)
    } catch {
      throw error
    }
  }

  private static func pair(
    by listener: borrowing Listener<TCPSocket>, until limit: some WaitLimit,
    configure: (borrowing TCPSocket) throws -> Void
  ) throws(SocketError) -> SocketPair<TCPSocket> {
    let address = try described { () throws(SocketError) in try listener.localAddress() }
    let first = try connect(to: address, until: limit, configure: configure)
    let own = try described { () throws(SocketError) in try first.localAddress() }
    while true {
      let second = try accepted(by: listener, until: limit)
      if second.isBetween(address, and: own) { return SocketPair(first, second) }
    }
  }

  private static func accepted(
    by listener: borrowing Listener<TCPSocket>, until limit: some WaitLimit
  ) throws(SocketError) -> TCPSocket {
    do throws(SocketError) {
      return try listener.accept(until: limit)
    } catch {
      throw error.with(address: "loopback")
    }
  }

  private static func described(
    _ body: () throws(SocketError) -> IPSocketAddress
  ) throws(SocketError) -> IPSocketAddress {
    do throws(SocketError) {
      return try body()
    } catch {
      throw error.with(address: "loopback")
    }
  }

  /// Returns whether this connection has these two addresses. A connection that was reset no longer has addresses.
  private borrowing func isBetween(_ near: IPSocketAddress, and far: IPSocketAddress) -> Bool {
    do throws(SocketError) {
      let remote = try remoteAddress()
      let local = try localAddress()
      return local == near && remote == far
    } catch {
      return false
    }
  }
}
