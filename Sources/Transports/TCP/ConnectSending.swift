internal import CSocketKit
public import SocketKitCore
public import SocketKitIP

extension TCPSocket {
  /// Connects and sends bytes, blocking this thread until the peer has answered and the kernel has accepted every byte.
  ///
  /// If the kernel has a Fast Open cookie from a previous connection to the peer, the kernel sends the first bytes in
  /// the SYN, which saves one round trip (MSG_FASTOPEN, Linux 3.7; RFC 7413). Otherwise the kernel sends all bytes
  /// after the handshake. This is the case for the first connection to a peer, for a peer that does not support fast
  /// open, and on a host whose net.ipv4.tcp_fastopen does not include the client bit (1).
  ///
  /// **The peer may receive the bytes twice** (RFC 7413, 2.1), on two connections. Send only data that may safely
  /// arrive twice.
  ///
  /// - Parameters:
  ///   - address: the peer's address.
  ///   - source: the local address; nil lets the kernel choose.
  ///   - bytes: the bytes to send. If there are none, the call only connects.
  ///   - limit: how long to wait, and how the thread waits: ``/SocketKitCore/WaitLimit``. If the limit has already
  ///     passed, the call fails before it sends anything.
  ///   - configure: sets options on the socket before it connects.
  /// - Throws: the errors of `connect(to:from:until:configure:)`, and the errors of writing after the connection is
  ///   established. The error includes the addresses.
  public static func connect(
    to address: IPSocketAddress, from source: IPSocketAddress? = nil, sending bytes: Span<UInt8>,
    until limit: some WaitLimit,
    configure: (borrowing TCPSocket) throws -> Void = { _ in }
  ) throws(SocketError) -> TCPSocket {
    if bytes.isEmpty {
      return try connect(
        to: address, from: source, until: limit, configure: configure)
    }
    var sent = 0
    let pending: PendingConnection<TCPSocket>
    do throws(SocketError) {
      try limit.check(.connect)
      pending = PendingConnection(
        try begin(address, source, bytes, &sent, configure), address: address, source: source)
    } catch {
      throw error.with(address: address.description, localAddress: source?.description)
    }
    let socket = try pending.finish(until: limit)
    do throws(SocketError) {
      let rest = bytes.extracting(droppingFirst: sent)
      if !rest.isEmpty { try socket.writeAll(rest, until: limit) }
    } catch {
      throw error.after(transferring: error.transferred + sent).with(
        address: address.description,
        localAddress: source?.description)
    }
    return socket
  }

  private static func begin(
    _ address: IPSocketAddress, _ source: IPSocketAddress?, _ bytes: Span<UInt8>, _ sent: inout Int,
    _ configure: (borrowing TCPSocket) throws -> Void
  ) throws(SocketError) -> TCPSocket {
    let socket = try open(for: address)
    try socket.configure(with: configure)
    if let source { try socket.bindWithoutPort(to: source) }
    sent = try socket.beginSending(bytes, to: address)
    return socket
  }

  private borrowing func bindWithoutPort(to source: IPSocketAddress) throws(SocketError) {
    if source.port == 0 {
      // A failure is ignored, because a kernel before Linux 4.2 does not have the option and reserves a port instead.
      _ = descriptor.writeOption(CSK_IPPROTO_IP, CSK_IP_BIND_ADDRESS_NO_PORT, 1 as Int32)
    }
    try descriptor.bind(to: source)
  }

  /// Starts to connect.
  /// - Returns: the number of bytes that the kernel has accepted for transmission with the connection request.
  private borrowing func beginSending(_ bytes: Span<UInt8>, to address: IPSocketAddress) throws(SocketError) -> Int {
    let number = descriptor.value
    // The kernel reads the address and the bytes only during the call.
    let result = address.withBytes { name in
      unsafe name.withUnsafeBytes { name in
        unsafe bytes.withUnsafeBytes { memory in
          IOResult(
            raw: unsafe csk_sendto(
              number, memory.baseAddress, memory.count, CSK_MSG_FASTOPEN | CSK_MSG_NOSIGNAL, name.baseAddress,
              UInt32(name.count)))
        }
      }
    }
    if !result.isFailure { return result.raw }
    switch result.errno {
    // EINPROGRESS: the kernel accepted no bytes, because it has no cookie and requests one. EINTR means the same
    // (connect(2)).
    case CSK_EINPROGRESS, CSK_EINTR: return 0
    // Fast open is disabled: connect normally.
    case CSK_EOPNOTSUPP:
      let connecting = address.withBytes { name in
        unsafe name.withUnsafeBytes { IOResult(raw: unsafe csk_connect(number, $0.baseAddress, UInt32($0.count))) }
      }
      if connecting.isFailure && ![CSK_EINPROGRESS, CSK_EINTR].contains(connecting.errno) {
        throw SocketError(connecting, .connect)
      }
      return 0
    default: throw SocketError(result, .connect)
    }
  }
}
