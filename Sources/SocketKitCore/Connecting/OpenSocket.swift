internal import CSocketKit

// Methods that bind or connect a socket that is already open. Use them if the address does not determine the kind of
// the socket, or for addresses of a type other than the transport's.

extension DescriptorSocket where Self: ~Copyable {
  /// Binds this socket to an address of any type (bind(2)).
  /// - Throws: `.addressInUse`, `.addressNotAvailable`, `.permissionDenied`, `.invalidArgument` (the socket is already
  ///   bound, or the address has another family). The error contains the address.
  public borrowing func bind(to address: some SocketAddress) throws(SocketError) {
    do throws(SocketError) {
      try descriptor.bind(to: address)
    } catch {
      throw error.with(address: address.description)
    }
  }
}

extension Transport where Self: ConnectedSocket & ~Copyable {
  /// Connects this open socket, and blocks the calling thread until the connect succeeds or fails. After an error,
  /// close the socket: whether the kernel allows another connect depends on the transport.
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
