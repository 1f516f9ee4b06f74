/// A socket of any kind, with a descriptor of its own or without. It cannot be copied, and closes when its life ends.
///
/// All sockets conform, through a protocol that says how they carry data: ``StreamSocket``, ``DatagramSocket`` or
/// ``SequencedPacketSocket``. `Sendable`: a socket may be given to another thread, and the methods that only borrow it
/// may be called from several threads at the same time, as the kernel allows.
public protocol Socket: Watchable, ~Copyable, Sendable {
  /// The addresses of this transport.
  associatedtype Address: SocketAddress

  /// What this kind of socket can do.
  static var capabilities: SocketCapabilities { get }

  /// The address of this end (getsockname(2)).
  /// - Throws: `.closed`; `.invalidAddress` when it is not one of this transport's addresses.
  borrowing func localAddress() throws(SocketError) -> Address

  /// Ends one or both directions: what ``shutdown(_:)`` does.
  /// - Returns: 0 or -errno.
  borrowing func attemptShutdown(_ direction: ShutdownDirection) -> IOResult

  /// Closes now: what ``close()`` does.
  /// - Returns: the result of close(2). The socket is closed in every case.
  consuming func attemptClose() -> IOResult
}

extension Socket where Self: ~Copyable {
  /// Ends one or both directions (shutdown(2)). Waits in other threads end: a wait for data with the end of the stream,
  /// one for a datagram with `.shutDown`, one for room with `.brokenPipe`. Later calls end likewise; they first return
  /// datagrams that arrived before, and on most transports bytes too. The descriptor stays open until the socket's life
  /// ends.
  ///
  /// A receive of a datagram that does not wait cannot see the shutdown and returns nil. Pollers report `.readable`,
  /// with ``Readiness/readClosed`` where that is watched.
  /// - Throws: `.notConnected` on a stream that is not connected, `.notSupported` by families without shutdown(2), such
  ///   as netlink; `.closed`.
  @inlinable
  public borrowing func shutdown(_ direction: ShutdownDirection) throws(SocketError) {
    let result = attemptShutdown(direction)
    if result.isFailure { throw SocketError(result, .shutdown) }
  }

  /// Closes now, and reports errors. Without this call a socket closes when its life ends, and errors are lost.
  /// - Throws: what close(2) reports, such as EIO. The socket is closed in every case.
  @inlinable
  public consuming func close() throws(SocketError) {
    let result = attemptClose()
    if result.isFailure && !result.isInterrupted { throw SocketError(result, .close) }
  }
}
