/// A socket that owns exactly one descriptor and supports socket options: a transport's socket, or a wrapper that
/// stores nothing except the wrapped socket.
///
/// A wrapper that buffers bytes itself (``Watchable/pending``) must not conform, because ``releaseDescriptor()`` would
/// lose these bytes.
public protocol DescriptorSocket: Socket, OptionTarget, ~Copyable {
  /// Returns the descriptor and transfers its ownership to the caller. The connection does not change.
  consuming func releaseDescriptor() -> Descriptor
}

extension DescriptorSocket where Self: ~Copyable {
  @inlinable public var readSource: RawDescriptor { descriptor }
  @inlinable public var writeSource: RawDescriptor { descriptor }

  @inlinable
  public consuming func attemptClose() -> IOResult { releaseDescriptor().attemptClose() }

  public borrowing func attemptShutdown(_ direction: ShutdownDirection) -> IOResult {
    descriptor.attemptShutdown(direction)
  }

  public borrowing func localAddress() throws(SocketError) -> Address {
    guard let address = Address(try descriptor.localAddress()) else {
      throw SocketError(code: .invalidAddress, .localAddress)
    }
    return address
  }
}

extension DescriptorSocket where Self: ConnectedSocket & ~Copyable {
  public borrowing func remoteAddress() throws(SocketError) -> Address {
    guard let address = Address(try descriptor.remoteAddress()) else {
      throw SocketError(code: .invalidAddress, .remoteAddress)
    }
    return address
  }
}
