/// A socket of any kind, with or without its own descriptor. A socket cannot be copied, and is closed when it is
/// destroyed.
///
/// A socket type conforms to one of the protocols that define how a socket carries data: ``StreamSocket``,
/// ``DatagramSocket``, ``SequencedPacketSocket`` or ``OneToManySocket``. Sockets are `Sendable`: a program may pass a
/// socket to another thread. Several threads may concurrently call methods that borrow the socket, because the kernel
/// allows concurrent calls on one descriptor.
public protocol Socket: Watchable, ~Copyable, Sendable {
  /// The type of the addresses of this transport.
  associatedtype Address: SocketAddress

  /// The features of this kind of socket.
  static var capabilities: SocketCapabilities { get }

  /// Returns the address of this end (getsockname(2)).
  /// - Throws: `.closed`; `.invalidAddress` if the address is not of the type ``Address``.
  borrowing func localAddress() throws(SocketError) -> Address

  /// Ends one or both directions, as ``shutdown(_:)`` does.
  /// - Returns: 0 or -errno.
  borrowing func attemptShutdown(_ direction: ShutdownDirection) -> IOResult

  /// Closes the socket, as ``close()`` does.
  /// - Returns: the result of close(2). The socket is closed even if the result is an error.
  consuming func attemptClose() -> IOResult
}

extension Socket where Self: ~Copyable {
  /// Ends one or both directions (shutdown(2)). The calls that wait in other threads then end: a read from a stream
  /// returns the end of the stream, a receive of a datagram throws `.shutDown`, and a write throws `.brokenPipe`. Later
  /// calls have the same results, but they first return the datagrams that arrived before the shutdown. On most
  /// transports, a read from a stream first returns the bytes that arrived before the shutdown. The descriptor stays
  /// open until the socket is closed or destroyed.
  ///
  /// On a datagram socket, a receive without `until:` cannot detect the shutdown and returns nil. Pollers report
  /// `.readable`, and also ``Readiness/readClosed`` if the interest includes it.
  /// - Throws: `.notConnected` on a stream that is not connected; `.notSupported` for families without shutdown(2),
  ///   such as netlink; `.closed`.
  @inlinable
  public borrowing func shutdown(_ direction: ShutdownDirection) throws(SocketError) {
    let result = attemptShutdown(direction)
    if result.isFailure { throw SocketError(result, .shutdown) }
  }

  /// Closes the socket, and throws the error of close(2). A socket that is destroyed without this call is closed too,
  /// but the error is lost.
  /// - Throws: the error of close(2), such as EIO. The socket is closed even if this call throws.
  @inlinable
  public consuming func close() throws(SocketError) {
    let result = attemptClose()
    if result.isFailure && !result.isInterrupted { throw SocketError(result, .close) }
  }
}
