extension Transport where Self: ConnectedSocket & ~Copyable {
  /// Connects this open socket, and blocks the calling thread until the connect succeeds or fails. After an error,
  /// close the socket, because some transports do not allow another connect call on it.
  ///
  /// - Parameters:
  ///   - address: the address of the peer.
  ///   - limit: how long and in which way to wait: ``WaitLimit``.
  /// - Throws: as `connect(to:until:)`. The error contains the address.
  public borrowing func connect(
    to address: Address, until limit: some WaitLimit
  ) throws(SocketError) {
    do throws(SocketError) {
      var wait = try WaitOperation(.connect, until: limit)
      try wait.check()
      try connect(to: address, waiting: &wait)
    } catch {
      throw error.with(address: address.description)
    }
  }
}
