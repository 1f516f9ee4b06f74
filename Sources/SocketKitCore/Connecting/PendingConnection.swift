/// A connect in progress. Watch this value for writing. When it is writable, call ``isFinished()``; if that returns
/// true, call ``finish()``.
///
/// Deregister this value from the poller before you call ``finish()``, and register the socket after that call, because
/// the socket may have other sources than its pending connection.
///
/// If the value is destroyed, the connect is aborted and the socket is closed.
public struct PendingConnection<S: Transport & ConnectedSocket & ~Copyable>: ~Copyable, Sendable {
  private let socket: S
  /// The address of the peer.
  public let address: S.Address
  /// The requested local address.
  public let localAddress: S.Address?
  private let subject: String?

  /// Makes a pending connection for transports that start to connect by other means than connect(2).
  /// - Parameters:
  ///   - socket: a socket that is connecting or connected.
  ///   - address: the address of the peer, or the first address if the peer has several.
  ///   - source: the requested local address.
  ///   - subject: the text that represents the address in errors, or nil for the description of the address.
  public init(
    _ socket: consuming S, address: S.Address, source: S.Address? = nil, describedAs subject: String? = nil
  ) {
    self.socket = socket
    self.address = address
    localAddress = source
    self.subject = subject
  }

  /// Returns whether the connect has succeeded. This method queries the kernel and does not wait.
  /// - Throws: the error of the connect (`.connectionRefused`, `.connectionReset`, `.timedOut`, `.unreachable`). The
  ///   error contains the address. The kernel reports an error once; later calls throw `.notConnected`. Do not use the
  ///   value after an error.
  public borrowing func isFinished() throws(SocketError) -> Bool {
    do throws(SocketError) {
      return try socket.isConnected()
    } catch {
      throw failure(error)
    }
  }

  /// Returns the connected socket.
  /// - Throws: the error of the connect; `.notConnected` if the connect is still in progress. Call ``isFinished()``
  ///   first. If the method throws, it closes the socket.
  public consuming func finish() throws(SocketError) -> S {
    do throws(SocketError) {
      guard try socket.isConnected() else { throw SocketError(code: .notConnected, .connect) }
      try socket.confirm()
    } catch {
      throw failure(error)
    }
    return socket
  }

  /// Blocks the calling thread until the connect succeeds or fails, and returns the connected socket.
  /// - Throws: the error of the connect, `.timedOut` or `.cancelled`. The error contains the address. If the method
  ///   throws, it closes the socket.
  public consuming func finish(
    until limit: some WaitLimit
  ) throws(SocketError) -> S {
    do throws(SocketError) {
      var wait = try WaitOperation(.connect, until: limit)
      // The loop can wait before it checks the connection: if an error has already occurred, the socket is writable and
      // the wait returns immediately.
      repeat { try wait.block(on: readSource, for: .writable) } while try !socket.isConnected()
      try socket.confirm()
    } catch {
      throw failure(error)
    }
    return socket
  }

  private borrowing func failure(_ error: SocketError) -> SocketError {
    error.with(address: subject ?? address.description, localAddress: localAddress?.description)
  }
}

extension PendingConnection: Watchable where S: ~Copyable {
  public var readSource: RawDescriptor { socket.descriptor }
  public var writeSource: RawDescriptor { socket.descriptor }
}
