/// A connect in progress: watch it for writing, and when it is writable call ``finish()``.
///
/// Dropping it gives the attempt up and closes the socket.
public struct PendingConnection<S: ConnectionTransport & ~Copyable>: ~Copyable, Sendable {
  private let socket: S
  /// Whom it goes to.
  public let address: S.Address
  /// The local address asked for.
  public let localAddress: S.Address?
  private let subject: String?

  /// For transports that begin to connect by other means than connect(2).
  /// - Parameters:
  ///   - socket: a connect of it is under way, or done.
  ///   - address: whom it goes to: the first, where there are several.
  ///   - source: the local address asked for.
  ///   - subject: how errors name the address; nil for its own text.
  public init(
    _ socket: consuming S, address: S.Address, source: S.Address? = nil, describedAs subject: String? = nil
  ) {
    self.socket = socket
    self.address = address
    localAddress = source
    self.subject = subject
  }

  /// Whether the connect has ended; asks the kernel, without waiting.
  /// - Throws: how it failed: `.connectionRefused`, `.connectionReset`, `.timedOut`, `.unreachable`, with the address.
  ///   The kernel reports a failure once; later calls throw `.notConnected`. Drop the value after a failure.
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
      try socket.confirm()
    } catch {
      throw failure(error)
    }
    return socket
  }

  /// The connected socket, waiting on this thread until the peer has answered.
  /// - Throws: how it failed, `.timedOut` and `.cancelled` among it, with the address. The attempt is given up then.
  public consuming func finish(
    until limit: some WaitLimit
  ) throws(EndpointError) -> S {
    do throws(SocketError) {
      var wait = try WaitOperation(.connect, until: limit)
      // Not asked before it is writable: a failure that is there already makes it so.
      repeat { try wait.block(on: readSource, for: .writable) } while try !socket.isConnected()
      try socket.confirm()
    } catch {
      throw failure(error)
    }
    return socket
  }

  private borrowing func failure(_ error: SocketError) -> EndpointError {
    EndpointError(error, address: subject ?? address.description, localAddress: localAddress?.description)
  }
}

extension PendingConnection: Watchable where S: ~Copyable {
  public var readSource: RawDescriptor { socket.descriptor }
  public var writeSource: RawDescriptor { socket.descriptor }
}
