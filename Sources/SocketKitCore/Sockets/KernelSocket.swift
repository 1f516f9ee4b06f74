internal import CSocketKit

/// A socket whose methods are nothing but the kernel's calls on its descriptor.
///
/// The promise: kernel I/O on ``descriptor`` means the same as the methods, so io_uring, splice, sendfile and batches may
/// go round them. A wrapper that frames, encrypts or injects faults must not conform.
public protocol KernelSocket: Socket, OptionTarget, ~Copyable {
  /// The socket's descriptor, valid while the socket lives.
  var descriptor: RawDescriptor { get }
  /// Gives the descriptor away; the connection stays as it is.
  consuming func releaseDescriptor() -> Descriptor
  /// Closes now and says what the kernel said; without it a socket closes silently when its life ends.
  /// - Throws: what close(2) reports. The socket is gone in every case.
  consuming func close() throws(SocketError)
  /// Called after a kernel call outside the methods has failed or reported an error: sendfile(2), splice(2), or a read
  /// of SO_ERROR. The default does nothing. A transport whose kernel reports a failure to one call only ends its other
  /// calls here.
  borrowing func noteFailure(_ result: IOResult)
}

extension KernelSocket where Self: ~Copyable {
  @inlinable public var readSource: RawDescriptor { descriptor }
  @inlinable public var writeSource: RawDescriptor { descriptor }
  @inlinable public var optionDescriptor: RawDescriptor { descriptor }

  @inlinable
  public consuming func close() throws(SocketError) { try releaseDescriptor().close() }
  @inlinable
  public borrowing func noteFailure(_ result: IOResult) {}

  /// Makes a kernel call outside the methods, and notes its failure.
  borrowing func noting<R>(_ call: () throws(SocketError) -> R) throws(SocketError) -> R {
    do throws(SocketError) {
      return try call()
    } catch {
      noteFailure(.failure(errno: error.errno))
      throw error
    }
  }

  public borrowing func shutdown(_ direction: ShutdownDirection) throws(SocketError) {
    let result = descriptor.attemptShutdown(direction)
    if result.isFailure { throw SocketError(result, .shutdown) }
  }

  public borrowing func localAddress() throws(SocketError) -> Address {
    guard let address = Address(try descriptor.localAddress()) else {
      throw SocketError(code: .invalidAddress, .localAddress)
    }
    return address
  }

  public borrowing func remoteAddress() throws(SocketError) -> Address {
    guard let address = Address(try descriptor.remoteAddress()) else {
      throw SocketError(code: .invalidAddress, .remoteAddress)
    }
    return address
  }
}

extension KernelSocket where Self: DatagramSocket & ~Copyable {
  /// Ends one or both directions (shutdown(2)), connected or not: waits for datagrams end with `.shutDown`, sends fail
  /// with `.brokenPipe`. Datagrams that arrive after it can still be received.
  /// - Throws: `.notSupported` by families without shutdown(2), such as netlink; `.closed`.
  public borrowing func shutdown(_ direction: ShutdownDirection) throws(SocketError) {
    let result = descriptor.attemptShutdown(direction)
    // For a socket that is not connected the kernel returns ENOTCONN, and still shuts it down (net/ipv4/af_inet.c,
    // inet_shutdown).
    if result.isFailure && result.errno != CSK_ENOTCONN { throw SocketError(result, .shutdown) }
  }
}

extension RawDescriptor {
  /// The address that the socket is bound to (getsockname(2)).
  public func localAddress() throws(SocketError) -> AnySocketAddress {
    var address = AnySocketAddress()
    let result = IOResult(raw: address.fill { csk_getsockname(value, $0, &$1) })
    if result.isFailure { throw SocketError(result, .localAddress) }
    return address
  }

  /// The address that the socket is connected to (getpeername(2)).
  public func remoteAddress() throws(SocketError) -> AnySocketAddress {
    var address = AnySocketAddress()
    let result = IOResult(raw: address.fill { csk_getpeername(value, $0, &$1) })
    if result.isFailure { throw SocketError(result, .remoteAddress) }
    return address
  }
}
