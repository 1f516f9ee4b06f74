/// A socket with one peer: a stream, or sequenced packets.
public protocol ConnectedSocket: Socket, ~Copyable {
  /// The address of the other end (getpeername(2)).
  /// - Throws: `.notConnected`; `.invalidAddress` when it is not one of this transport's addresses.
  borrowing func remoteAddress() throws(SocketError) -> Address
}

/// A socket that a ``Listener`` can make of a descriptor that it accepted: the connected transports, and wrappers over
/// them.
public protocol Acceptable<AcceptContext>: ConnectedSocket, ~Copyable {
  /// What the listener gives to each connection that it accepts: a codec, a key, a seed. `Void` for most.
  associatedtype AcceptContext: Sendable = Void

  /// Makes a socket of an accepted descriptor, which is non-blocking.
  init(accepted descriptor: consuming Descriptor, context: borrowing AcceptContext)
}
