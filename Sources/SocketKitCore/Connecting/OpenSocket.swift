internal import CSocketKit

// Bind, connect and listen on a socket that is already open. These methods are for kinds of sockets that the address
// does not determine, and for addresses of a type other than the transport's.

extension DescriptorSocket where Self: ~Copyable {
  /// Binds this socket to an address of any type (bind(2)).
  /// - Throws: `.addressInUse`, `.addressNotAvailable`, `.permissionDenied`, `.invalidArgument` (already bound, or
  ///   another family). The error contains the address.
  public borrowing func bind(to address: some SocketAddress) throws(EndpointError) {
    do throws(SocketError) {
      try descriptor.bind(to: address)
    } catch {
      throw EndpointError(error, address: address.description)
    }
  }
}

extension ConnectionTransport where Self: ~Copyable {
  /// Connects this open socket, and blocks the calling thread until the peer has answered. After an error close the
  /// socket: whether the kernel allows another connect depends on the transport.
  ///
  /// - Parameters:
  ///   - address: the address of the peer.
  ///   - limit: how long to wait, and how: ``WaitLimit``.
  /// - Throws: as ``connect(to:from:until:configure:)``. The error contains the address.
  public borrowing func connect(
    to address: Address, until limit: some WaitLimit
  ) throws(EndpointError) {
    do throws(SocketError) {
      var wait = try WaitOperation(.connect, until: limit)
      try wait.check()
      try connect(to: address, waiting: &wait)
    } catch {
      throw EndpointError(error, address: address.description)
    }
  }

  /// Listens on the address that this socket is bound to (listen(2)). Closing the listener does not remove a socket
  /// file.
  /// - Parameter backlog: the number of connections that may wait to be accepted, at least 0. The kernel limits it to
  ///   net.core.somaxconn (listen(2)).
  /// - Throws: `.invalidArgument`, also for a negative backlog, `.notSupported`, `.addressInUse`. After an error the
  ///   socket is closed.
  public consuming func listen(backlog: Int = 511) throws(SocketError) -> Listener<Self> {
    guard backlog >= 0 else { throw SocketError(code: .invalidArgument, .listen) }
    let result = IOResult(raw: csk_listen(descriptor.value, Int32(clamping: max(backlog, Self.smallestBacklog))))
    let listener = Listener<Self>(releaseDescriptor(), context: ())
    if result.isFailure { throw SocketError(result, .listen) }
    return listener
  }
}
