public import SocketKitCore

extension Transport where Self: ConnectedSocket & ~Copyable, Address == VsockAddress {
  /// Connects from a privileged port. The port proves to the peer that this process may bind a privileged port
  /// (CAP_NET_BIND_SERVICE).
  ///
  /// Tries the ports from 1023 down to 512 and uses the first free port, as rresvport(3) does.
  ///
  /// - Parameters:
  ///   - address: the peer's address.
  ///   - contextID: the local context ID to connect from: any, this machine's own, or local.
  ///   - limit: how long to wait, and how the thread waits: ``/SocketKitCore/WaitLimit``.
  ///   - configure: sets options on the socket before it is bound; called again for each port that is tried.
  /// - Throws: `.permissionDenied` without CAP_NET_BIND_SERVICE, `.addressInUse` if none of the 512 ports is free, and
  ///   the errors of `connect(to:from:until:)`.
  public static func connect(
    to address: VsockAddress, fromPrivilegedPortOf contextID: VsockContextID, until limit: some WaitLimit,
    configure: (borrowing Self) throws -> Void = { _ in }
  ) throws(SocketError) -> Self {
    var port = 1023 as UInt32
    while true {
      let source = VsockAddress(contextID: contextID, port: VsockPort(rawValue: port))
      do throws(SocketError) {
        return try connect(
          to: address, from: source, until: limit, configure: configure)
      } catch {
        guard error.code == .addressInUse, error.operation == .bind, port > 512 else { throw error }
        port -= 1
      }
    }
  }
}
