internal import CSocketKit

// Binding, connecting and listening with a socket that is open already: for kinds that do not follow from an address,
// and for addresses of another type than the transport's own.

extension DescriptorSocket where Self: ~Copyable {
  /// Binds this socket to an address of any type (bind(2)).
  /// - Throws: `.addressInUse`, `.addressNotAvailable`, `.permissionDenied`, `.invalidArgument` (bound already, or
  ///   another family), with the address.
  public borrowing func bind(to address: some SocketAddress) throws(EndpointError) {
    do throws(SocketError) {
      try descriptor.bind(to: address)
    } catch {
      throw EndpointError(error, address: address.description)
    }
  }
}

extension ConnectionTransport where Self: ~Copyable {
  /// Connects this open socket, waiting on this thread until the peer has answered. After a failure drop it: what the
  /// kernel allows then differs by transport.
  ///
  /// - Parameters:
  ///   - address: whom to connect to.
  ///   - limit: how long to wait, and how: ``WaitLimit``.
  /// - Throws: as ``connect(to:from:until:configure:)``, with the address.
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

  /// Listens on the address that this socket is bound to (listen(2)). Nothing is cleaned up when the listener closes.
  /// - Parameter backlog: how many connections may wait to be accepted, at least 0; the kernel caps it at
  ///   net.core.somaxconn (listen(2)).
  /// - Throws: `.invalidArgument`, also for a negative backlog, `.notSupported`, `.addressInUse`. The socket is closed
  ///   then.
  public consuming func listen(backlog: Int = 511) throws(SocketError) -> Listener<Self> {
    guard backlog >= 0 else { throw SocketError(code: .invalidArgument, .listen) }
    let result = IOResult(raw: csk_listen(descriptor.value, Int32(clamping: max(backlog, Self.smallestBacklog))))
    let listener = Listener<Self>(releaseDescriptor(), context: ())
    if result.isFailure { throw SocketError(result, .listen) }
    return listener
  }
}
