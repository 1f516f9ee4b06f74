/// A connect in progress. Watch it for writing, and call ``finish()`` when it is writable.
///
/// Dropping the value aborts the connect and closes the socket.
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
  ///   - address: the address of the peer, or the first address when there are several.
  ///   - source: the requested local address.
  ///   - subject: the text that errors contain for the address; nil for the address's own text.
  public init(
    _ socket: consuming S, address: S.Address, source: S.Address? = nil, describedAs subject: String? = nil
  ) {
    self.socket = socket
    self.address = address
    localAddress = source
    self.subject = subject
  }

  /// Returns whether the connect has succeeded. Asks the kernel, and does not wait.
  /// - Throws: the error of the connect: `.connectionRefused`, `.connectionReset`, `.timedOut`, `.unreachable`. The
  ///   error contains the address. The kernel reports an error once; later calls throw `.notConnected`. Drop the value
  ///   after an error.
  public borrowing func isFinished() throws(SocketError) -> Bool {
    do throws(SocketError) {
      return try socket.isConnected()
    } catch {
      throw failure(error)
    }
  }

  /// Returns the connected socket.
  /// - Throws: the error of the connect; `.notConnected` when it is still in progress, so call ``isFinished()`` first.
  ///   After any error the socket is closed.
  public consuming func finish() throws(SocketError) -> S {
    do throws(SocketError) {
      guard try socket.isConnected() else { throw SocketError(code: .notConnected, .connect) }
      try socket.confirm()
    } catch {
      throw failure(error)
    }
    return socket
  }

  /// Blocks the calling thread until the peer has answered, and returns the connected socket.
  /// - Throws: the error of the connect, `.timedOut` or `.cancelled`. The error contains the address. After an error
  ///   the socket is closed.
  public consuming func finish(
    until limit: some WaitLimit
  ) throws(SocketError) -> S {
    do throws(SocketError) {
      var wait = try WaitOperation(.connect, until: limit)
      // The loop waits before it asks: an error that has already happened makes the socket writable.
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
