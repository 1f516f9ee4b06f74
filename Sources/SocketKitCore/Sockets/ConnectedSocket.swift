/// A socket with one peer: a stream, or sequenced packets.
public protocol ConnectedSocket: Socket, ~Copyable {
  /// The address of the other end (getpeername(2)).
  /// - Throws: `.notConnected`; `.invalidAddress` when it is not one of this transport's addresses.
  borrowing func remoteAddress() throws(SocketError) -> Address
}

/// A socket that a ``Listener`` can make from an accepted descriptor: the connected transports, and wrappers over them.
public protocol Acceptable<AcceptContext>: ConnectedSocket, ~Copyable {
  /// The value that the listener passes to each connection that it accepts: a codec, a key, a seed. `Void` for most.
  associatedtype AcceptContext: Sendable = Void

  /// Makes a socket from an accepted descriptor, which is non-blocking.
  init(accepted descriptor: consuming Descriptor, context: borrowing AcceptContext)
}
