/// A socket of any shape: it owns its descriptor, so it cannot be copied, and closes when its life ends.
///
/// `Sendable`: a socket may be handed to another thread, and the methods that only borrow it may be called from several
/// at once, as the kernel allows.
public protocol Socket: Watchable, ~Copyable, Sendable {
  /// The addresses of this transport.
  associatedtype Address: SocketAddress
  /// What a ``Listener`` hands to each connection that it accepts: a codec, a key, a seed. `Void` for most.
  associatedtype AcceptContext: Sendable = Void

  /// What this kind of socket can do.
  static var capabilities: SocketCapabilities { get }

  /// Makes a socket of a connection that a listener accepted.
  init(accepted descriptor: consuming Descriptor, context: borrowing AcceptContext)

  /// Ends one or both directions (shutdown(2)). Waits in other threads end: a wait for data with the end of the stream,
  /// one for a datagram with `.shutDown`, one for room with `.brokenPipe`. Later calls end likewise; they first return
  /// datagrams that arrived before, and on most transports bytes too. The descriptor stays open until the socket's life
  /// ends.
  ///
  /// A receive of a datagram that does not wait cannot see the shutdown and returns nil. Pollers report
  /// `.readable`, with ``Readiness/readClosed`` where that is watched.
  /// - Throws: `.notConnected`, and what the transport says.
  borrowing func shutdown(_ direction: ShutdownDirection) throws(SocketError)

  /// The address of this end (getsockname(2)).
  /// - Throws: `.closed`; `.invalidAddress` when it is none of this transport's.
  borrowing func localAddress() throws(SocketError) -> Address

  /// The address of the other end (getpeername(2)).
  /// - Throws: `.notConnected`; `.invalidAddress` when it is none of this transport's.
  borrowing func remoteAddress() throws(SocketError) -> Address
}
