public import SocketKitCore

/// What the three kinds of vsock sockets share (vsock(7)): addresses, options, and the local address as people expect it.
///
/// Which transport a connection takes is the kernel's choice: loopback for ``VsockContextID/local`` and the machine's own
/// context ID, the way to the host for the host, and for everything when the address has ``VsockAddress/Flags/toHost``, the
/// way to a guest otherwise.
public protocol VsockSocket: TransportSocket, ~Copyable where Address == VsockAddress, Options == VsockSocketOptions {
  /// Stream, sequenced packet or datagram.
  static var socketType: SocketType { get }
}

extension VsockSocket where Self: ~Copyable {
  public static func kind(for address: VsockAddress) -> SocketKind { SocketKind(.vsock, socketType) }

  public static func accepts(_ kind: SocketKind) -> Bool { kind.family == .vsock && kind.type == socketType }

  /// Sets the kernel's own time-out (``SocketOption/connectTimeout``) to what is left until the deadline, so that neither
  /// its 2 seconds end a patient connect nor a silent machine holds up anything for longer.
  public static func willConnect(_ socket: borrowing Self, until deadline: Deadline) throws(SocketError) {
    // The kernel has no word for never: 23 days, the longest that it takes on every CPU.
    let left = deadline.remaining ?? .seconds(2_000_000)
    // Zero would be the default again.
    try socket.setOption(.connectTimeout, to: min(.seconds(2_000_000), max(left, .milliseconds(1))))
  }

  /// The address of this end. Of a socket that connects, the kernel knows only the port (getsockname(2) says
  /// VMADDR_CID_ANY): then the context ID is ``VsockContextID/local`` where the peer is that, and otherwise what
  /// ``VsockContextID/current()`` says; ``VsockContextID/any`` stays where nobody knows, and on a socket that is not
  /// connected.
  /// - Throws: `.closed`; `.invalidAddress` when it is none of this transport's.
  public borrowing func localAddress() throws(SocketError) -> VsockAddress {
    guard var address = VsockAddress(try descriptor.localAddress()) else {
      throw SocketError(code: .invalidAddress, .localAddress)
    }
    if address.contextID == .any, let peer = try connectedPeer() {
      address.contextID = peer == .local ? .local : VsockContextID.currentIfKnown() ?? .any
    }
    return address
  }

  private borrowing func connectedPeer() throws(SocketError) -> VsockContextID? {
    do throws(SocketError) {
      return VsockAddress(try descriptor.remoteAddress())?.contextID
    } catch {
      if error.code == .notConnected { return nil }
      throw error
    }
  }
}

extension VsockSocket where Self: ConnectionTransport & ~Copyable {
  /// Listens at every context ID of this machine, which stays right when the ID changes.
  ///
  /// - Parameters:
  ///   - port: ``VsockPort/any`` lets the kernel choose, and ``Listener/localAddress()`` tells; 0 is a port of its own.
  ///   - backlog: how many connections may wait to be accepted; those beyond are reset.
  ///   - configure: sets options on the socket before it is bound; accepted sockets inherit them.
  /// - Throws: `.addressInUse`, `.permissionDenied` (ports up to 1023), `.protocolNotSupported`, `.tooManyDescriptors`, with the
  ///   address.
  public static func listen(
    port: VsockPort, backlog: Int = 511,
    configure: (borrowing Self) throws(SocketError) -> Void = { (_) throws(SocketError) in }
  ) throws(EndpointError) -> Listener<Self> {
    try listen(on: .any(port: port), backlog: backlog, configure: configure)
  }
}
