/// A socket with one peer: a stream socket or a sequenced-packet socket.
public protocol ConnectedSocket: Socket, ~Copyable {
  /// The address of the other end (getpeername(2)).
  /// - Throws: `.notConnected`; `.invalidAddress` if the address is not of the type ``Socket/Address``.
  borrowing func remoteAddress() throws(SocketError) -> Address
}

/// A socket that a ``Listener`` can make from an accepted descriptor. The sockets of connected transports conform, and
/// so do wrappers over these sockets.
public protocol Acceptable<AcceptContext>: ConnectedSocket, ~Copyable {
  /// The value that a listener passes to each accepted connection, such as a codec, a key or a seed. For most types, it
  /// is `Void`.
  associatedtype AcceptContext: Sendable = Void

  /// Makes a socket from an accepted descriptor. The descriptor is non-blocking.
  init(accepted descriptor: consuming Descriptor, context: borrowing AcceptContext)
}
