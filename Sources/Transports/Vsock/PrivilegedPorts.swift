public import SocketKitCore

extension VsockSocket where Self: ConnectionTransport & ~Copyable {
  /// Connects from a privileged port, which tells the peer that this process may bind one (CAP_NET_BIND_SERVICE): the
  /// first of 1023 down to 512 that is free, as rresvport(3) does it.
  ///
  /// - Parameters:
  ///   - address: whom to connect to.
  ///   - contextID: the local context ID to come from: any, this machine's own, or local.
  ///   - limit: how long to wait, and how: ``WaitLimit``.
  ///   - configure: sets options on the socket before it is bound; called again for each port that is tried.
  /// - Throws: `.permissionDenied` without CAP_NET_BIND_SERVICE, `.addressInUse` when none of the 512 is free, and as
  ///   `connect(to:from:until:)`.
  public static func connect(
    to address: VsockAddress, fromPrivilegedPortOf contextID: VsockContextID, until limit: some WaitLimit,
    configure: (borrowing Self) throws(SocketError) -> Void = { (_) throws(SocketError) in }
  ) throws(EndpointError) -> Self {
    var port = 1023 as UInt32
    while true {
      let source = VsockAddress(contextID: contextID, port: VsockPort(rawValue: port))
      do throws(EndpointError) {
        return try connect(
          to: address, from: source, until: limit, configure: configure)
      } catch {
        guard error.code == .addressInUse, error.operation == .bind, port > 512 else { throw error }
        port -= 1
      }
    }
  }
}
