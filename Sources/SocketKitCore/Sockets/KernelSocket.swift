internal import CSocketKit

/// A socket whose methods have the same effect as kernel I/O on its descriptor: TCP, UDP, Unix, raw IP, vsock streams.
///
/// sendfile(2), splice(2), zero-copy sends and io_uring use the descriptor and do not call the methods, so they accept
/// only sockets that conform to this protocol. A wrapper that frames, encrypts or counts data, or that injects faults,
/// must not conform. A transport that queues or splits the data that it sends, as vsock packets and SCTP streams do,
/// must not conform either. A conforming type inherits the primitives of ``StreamSocket`` and ``MessageSocket``, and
/// must not replace them. The conformance kit checks this rule by mixing methods and kernel calls.
public protocol KernelSocket: DescriptorSocket, ~Copyable {
  /// Replaces a misleading error number that a kernel call on the descriptor returned. This function is called by the
  /// primitives, by all other methods that transfer data with the descriptor, and by `takePendingError(as:)`. The
  /// default implementation returns the result unchanged.
  static func named(_ result: IOResult, on descriptor: RawDescriptor) -> IOResult
}

extension KernelSocket where Self: ~Copyable {
  @inlinable @inline(__always)
  public static func named(_ result: IOResult, on descriptor: RawDescriptor) -> IOResult { result }

  /// Makes a kernel call on the descriptor, and replaces its error as ``named(_:on:)`` does.
  package borrowing func naming<R>(_ call: () throws(SocketError) -> R) throws(SocketError) -> R {
    do throws(SocketError) {
      return try call()
    } catch {
      if error.errno == 0 { throw error }
      let named = Self.named(.failure(errno: error.errno), on: descriptor)
      throw named.errno == error.errno ? error : SocketError(named, error.operation)
    }
  }
}

extension DescriptorSocket where Self: DatagramSocket & ~Copyable {
  /// Shuts down the socket. For a socket that is not connected, the kernel returns ENOTCONN although it shuts the
  /// socket down (net/ipv4/af_inet.c, inet_shutdown).
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
  /// Returns the address that the socket is bound to (getsockname(2)).
  public func localAddress() throws(SocketError) -> AnySocketAddress {
    var address = AnySocketAddress()
    // The kernel writes at most `$1` bytes.
    let result = IOResult(raw: unsafe address.fill { unsafe csk_getsockname(value, $0, &$1) })
    if result.isFailure { throw SocketError(result, .localAddress) }
    return address
  }

  /// Returns the address that the socket is connected to (getpeername(2)).
  public func remoteAddress() throws(SocketError) -> AnySocketAddress {
    var address = AnySocketAddress()
    // The kernel writes at most `$1` bytes.
    let result = IOResult(raw: unsafe address.fill { unsafe csk_getpeername(value, $0, &$1) })
    if result.isFailure { throw SocketError(result, .remoteAddress) }
    return address
  }
}
