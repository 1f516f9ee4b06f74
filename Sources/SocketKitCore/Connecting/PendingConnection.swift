/// A connect under way: watch ``source`` for writing, and when it is writable ask ``finish()``.
///
/// Dropping it gives the attempt up and closes the socket.
public struct PendingConnection<S: ConnectionTransport & ~Copyable>: ~Copyable, Sendable {
  private let socket: S
  /// Whom it goes to.
  public let address: S.Address
  /// The local address asked for.
  public let localAddress: S.Address?

  init(_ socket: consuming S, address: S.Address, source: S.Address?) {
    self.socket = socket
    self.address = address
    localAddress = source
  }

  /// What a poller watches for writing.
  public var source: RawDescriptor { socket.descriptor }

  /// Whether the connect has ended; asks the kernel, without waiting.
  /// - Throws: how it failed: `.connectionRefused`, `.timedOut`, `.unreachable`, with the address. Drop the value then.
  public borrowing func isFinished() throws(EndpointError) -> Bool {
    do throws(SocketError) {
      return try socket.isConnected()
    } catch {
      throw failure(error)
    }
  }

  /// The connected socket.
  /// - Throws: how it failed; `.notConnected` when it is still under way: ask ``isFinished()`` first. The attempt is
  ///   given up in every case of failure.
  public consuming func finish() throws(EndpointError) -> S {
    do throws(SocketError) {
      guard try socket.isConnected() else { throw SocketError(code: .notConnected, .connect) }
      try S.didConnect(socket)
    } catch {
      throw failure(error)
    }
    return socket
  }

  private borrowing func failure(_ error: SocketError) -> EndpointError {
    EndpointError(error, address: address.description, localAddress: localAddress?.description)
  }
}
