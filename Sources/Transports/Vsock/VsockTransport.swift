public import SocketKitCore

// The three types of vsock sockets share the following members (vsock(7)). The kernel chooses the transport of a
// connection according to the peer's address. For `VsockContextID.local` and the machine's own context ID, it chooses
// loopback. For the host's context ID, and for every address with `VsockAddress.Flags.toHost`, it chooses the transport
// to the host. For all other addresses, it chooses the transport to a guest.

extension Transport where Self: ~Copyable, Address == VsockAddress, Options == VsockSocketOptions {
  /// Sets the kernel's own connect timeout (``SocketKitCore/SocketOption/connectTimeout``) to the time that remains
  /// until the deadline.
  ///
  /// Without this step, the kernel's default of 2 seconds would end a connect call whose deadline is later. If the
  /// deadline is earlier, a machine that does not answer would delay the call.
  public borrowing func configure(at step: SetupStep<VsockAddress>) throws(SocketError) {
    guard case .connecting(let deadline) = step else { return }
    // The kernel's option has no value for "no timeout". 23 days is the longest timeout that the kernel accepts on
    // every CPU.
    let left = deadline.remaining ?? .seconds(2_000_000)
    // Zero would restore the default.
    try setOption(.connectTimeout, to: min(.seconds(2_000_000), max(left, .milliseconds(1))))
  }

  /// Returns the address of this end.
  ///
  /// On a connecting socket, the kernel reports only the port (getsockname(2) returns VMADDR_CID_ANY). In that case,
  /// the context ID is ``VsockContextID/local`` if the peer's context ID is ``VsockContextID/local``, and otherwise the
  /// result of ``VsockContextID/current()``. It remains ``VsockContextID/any`` if the current ID is unknown, or if the
  /// socket is not connected.
  /// - Throws: `.closed`; `.invalidAddress` if the address is not a vsock address.
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

extension Transport where Self: Acceptable<Void> & ~Copyable, Address == VsockAddress {
  /// Listens on every context ID of this machine, even after the ID changes.
  ///
  /// - Parameters:
  ///   - port: ``VsockPort/any`` lets the kernel choose a port, which ``/SocketKitCore/Listener/localAddress()``
  ///     returns; 0 is an ordinary port.
  ///   - backlog: how many connections may wait to be accepted; the kernel resets further connections.
  ///   - configure: sets options on the socket before it is bound; accepted sockets inherit them.
  /// - Throws: `.addressInUse`, `.permissionDenied` (ports up to 1023), `.protocolNotSupported`, `.tooManyDescriptors`.
  ///   The error contains the address.
  public static func listen(
    port: VsockPort, backlog: Int = 511,
    configure: (borrowing Self) throws -> Void = { _ in }
  ) throws(SocketError) -> Listener<Self> {
    try listen(on: .any(port: port), backlog: backlog, configure: configure)
  }
}
