internal import CSocketKit

extension Transport where Self: Acceptable<Void> & ~Copyable {
  /// Listens on an address.
  ///
  /// - Parameters:
  ///   - address: the local address. With port 0, the kernel chooses the port, and ``Listener/localAddress()`` returns
  ///     the port. If the kernel does not support IPv6, `IPSocketAddress.any(port:)` means every IPv4 address.
  ///   - backlog: the number of connections that may wait to be accepted, at least 0. The kernel limits this number to
  ///     net.core.somaxconn (listen(2)).
  ///   - configure: a closure that sets options on the socket before the socket is bound.
  /// - Throws: `.addressInUse`, `.addressNotAvailable`, `.permissionDenied`, `.tooManyDescriptors`,
  ///   `.protocolNotSupported`, `.invalidArgument` for a negative backlog. The error contains the address.
  public static func listen(
    on address: Address, backlog: Int = 511,
    configure: (borrowing Self) throws -> Void = { _ in }
  ) throws(SocketError) -> Listener<Self> {
    let socket = try bound(to: address, configure: configure)
    let cleanup = socket.listenerCleanup
    do throws(SocketError) {
      return try socket.listen(backlog: backlog, cleanup: cleanup)
    } catch {
      throw error.with(address: address.description)
    }
  }

  /// Listens on the address that this socket is bound to (listen(2)).
  /// - Parameters:
  ///   - backlog: the number of connections that may wait to be accepted, at least 0. The kernel limits this number to
  ///     net.core.somaxconn (listen(2)).
  ///   - cleanup: a function that is called once, when the listener is closed or destroyed, for example to remove a
  ///     socket file. Without this function, closing the listener does not remove a socket file.
  /// - Throws: `.invalidArgument` (for example, for a negative backlog), `.notSupported`, `.addressInUse`. If the
  ///   method throws, it has closed the socket and called `cleanup`.
  public consuming func listen(
    backlog: Int = 511, cleanup: (@Sendable () -> Void)? = nil
  ) throws(SocketError) -> Listener<Self> {
    guard backlog >= 0 else {
      cleanup?()
      throw SocketError(code: .invalidArgument, .listen)
    }
    let result = IOResult(raw: csk_listen(descriptor.value, Int32(clamping: max(backlog, Self.smallestBacklog))))
    let listener = Listener<Self>(releaseDescriptor(), context: (), cleanup: cleanup)
    if result.isFailure { throw SocketError(result, .listen) }
    return listener
  }
}
