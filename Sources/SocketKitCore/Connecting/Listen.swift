internal import CSocketKit

extension ConnectionTransport where Self: ~Copyable {
  /// Listens on an address.
  ///
  /// - Parameters:
  ///   - address: the local address. With port 0 the kernel chooses the port, and ``Listener/localAddress()`` returns
  ///     it. When the kernel has no IPv6, ``IPSocketAddress/any(port:)`` means every IPv4 address.
  ///   - backlog: the number of connections that may wait to be accepted, at least 0. The kernel limits it to
  ///     net.core.somaxconn (listen(2)).
  ///   - configure: sets options on the socket before it is bound.
  /// - Throws: `.addressInUse`, `.addressNotAvailable`, `.permissionDenied`, `.tooManyDescriptors`,
  ///   `.protocolNotSupported`, `.invalidArgument` for a negative backlog. The error contains the address.
  public static func listen(
    on address: Address, backlog: Int = 511,
    configure: (borrowing Self) throws(SocketError) -> Void = { (_) throws(SocketError) in }
  ) throws(EndpointError) -> Listener<Self> {
    var address = address
    do throws(SocketError) {
      guard backlog >= 0 else { throw SocketError(code: .invalidArgument, .listen) }
      var socket = try open(forAllOf: &address)
      try willListen(socket, on: address)
      try configure(socket)
      try socket.bind(clearingTheWayTo: address)
      let cleanup = cleanup(for: address)
      let result = IOResult(raw: csk_listen(socket.descriptor.value, Int32(clamping: max(backlog, smallestBacklog))))
      let listener = Listener<Self>(socket.releaseDescriptor(), context: (), cleanup: cleanup)
      if result.isFailure { throw SocketError(result, .listen) }
      return listener
    } catch {
      throw EndpointError(error, address: address.description)
    }
  }
}
