internal import CSocketKit

/// A socket whose methods are nothing but the kernel's calls on its descriptor.
///
/// The promise: kernel I/O on ``descriptor`` means the same as the methods, so io_uring, splice, sendfile and batches may
/// go round them. A wrapper that frames, encrypts or injects faults must not conform.
public protocol KernelSocket: DescriptorSocket, ~Copyable {
  /// Called after a kernel call outside the methods has failed or reported an error: sendfile(2), splice(2), or a read
  /// of SO_ERROR. The default does nothing. A transport whose kernel reports a failure to one call only ends its other
  /// calls here.
  borrowing func noteFailure(_ result: IOResult)
}

extension KernelSocket where Self: ~Copyable {
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
}

extension DescriptorSocket where Self: DatagramSocket & ~Copyable {
  /// Also for a socket that is not connected: the kernel returns ENOTCONN for it, and still shuts it down
  /// (net/ipv4/af_inet.c, inet_shutdown).
  public borrowing func attemptShutdown(_ direction: ShutdownDirection) -> IOResult {
    let result = descriptor.attemptShutdown(direction)
    return result.errno == CSK_ENOTCONN ? .zero : result
  }

  public borrowing func connectedAddress() throws(SocketError) -> Address? {
    do throws(SocketError) {
      let address = try descriptor.remoteAddress()
      if let address = Address(address) { return address }
    } catch {
      if error.errno == CSK_ENOTCONN { return nil }
      throw error
    }
    throw SocketError(code: .invalidAddress, .remoteAddress)
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
