/// A socket of any kind, with or without its own descriptor. It cannot be copied, and closes when its life ends.
///
/// Every socket conforms through a protocol that defines how it carries data: ``StreamSocket``, ``DatagramSocket`` or
/// ``SequencedPacketSocket``. Sockets are `Sendable`: a program may pass a socket to another thread, and several
/// threads may call the methods that only borrow it at the same time, as the kernel allows.
public protocol Socket: Watchable, ~Copyable, Sendable {
  /// The addresses of this transport.
  associatedtype Address: SocketAddress

  /// The features of this kind of socket.
  static var capabilities: SocketCapabilities { get }

  /// Returns the address of this end (getsockname(2)).
  /// - Throws: `.closed`; `.invalidAddress` when it is not one of this transport's addresses.
  borrowing func localAddress() throws(SocketError) -> Address

  /// Ends one or both directions, as ``shutdown(_:)`` does.
  /// - Returns: 0 or -errno.
  borrowing func attemptShutdown(_ direction: ShutdownDirection) -> IOResult

  /// Closes the socket now, as ``close()`` does.
  /// - Returns: the result of close(2). The socket is closed in every case.
  consuming func attemptClose() -> IOResult
}

extension Socket where Self: ~Copyable {
  /// Ends one or both directions (shutdown(2)). Waits in other threads end: a wait for data with the end of the stream,
  /// a wait for a datagram with `.shutDown`, a wait for room with `.brokenPipe`. Later calls end in the same way. They
  /// first return datagrams that arrived before the shutdown, and on most transports also bytes. The descriptor stays
  /// open until the socket's life ends.
  ///
  /// A receive of a datagram that does not wait cannot detect the shutdown and returns nil. Pollers report `.readable`,
  /// with ``Readiness/readClosed`` where the interest includes it.
  /// - Throws: `.notConnected` on a stream that is not connected; `.notSupported` for families without shutdown(2),
  ///   such as netlink; `.closed`.
  @inlinable
  public borrowing func shutdown(_ direction: ShutdownDirection) throws(SocketError) {
    let result = attemptShutdown(direction)
    if result.isFailure { throw SocketError(result, .shutdown) }
  }

  /// Closes the socket now, and reports errors. Without this call a socket closes when its life ends, and errors are
  /// lost.
  /// - Throws: the error of close(2), such as EIO. The socket is closed in every case.
  @inlinable
  public consuming func close() throws(SocketError) {
    let result = attemptClose()
    if result.isFailure && !result.isInterrupted { throw SocketError(result, .close) }
  }
}
