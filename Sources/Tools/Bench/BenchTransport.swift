internal import CSocketKitBaseline
internal import Glibc
internal import SocketKit
internal import SocketKitToolSupport

/// A transport that the bench can measure. The requirements supplement those of a stream socket. The processes exchange
/// addresses as text.
protocol BenchTransport: Transport, Acceptable<Void>, StreamSocket, ~Copyable {
  /// Parses an address from its printed form, or returns nil if the text is not an address.
  static func address(_ text: String) -> Address?
  /// The address on which a server of this process listens.
  static func benchAddress() throws -> Address
  /// Creates the same listener in C, for the baseline.
  static func baselineListener() throws -> BaselineListener
  /// Sets the options that both ends use. The C baseline sets the same options.
  static func tune(_ socket: borrowing Self) throws(SocketError)
  /// Whether an end that has shut down writing can wait for the peer to do the same.
  static var endsInHalves: Bool { get }
}

extension BenchTransport where Self: ~Copyable {
  static var endsInHalves: Bool { true }
}

extension BenchTransport where Address: LosslessStringConvertible, Self: ~Copyable {
  static func address(_ text: String) -> Address? { Address(text) }
}

/// A listening descriptor of the C baseline, and its address as text. The descriptor stays open until the server
/// process exits.
struct BaselineListener {
  let descriptor: Int32
  let address: String
}

extension TCPSocket: BenchTransport {
  static func benchAddress() -> IPSocketAddress { .loopback(port: 0) }

  static func baselineListener() throws -> BaselineListener {
    var port: UInt16 = 0
    // The function stores the port during the call.
    let descriptor = try checked(unsafe baseline_listen_tcp(&port), "listening on TCP in C")
    return BaselineListener(descriptor: descriptor, address: IPSocketAddress.loopback(port: port).description)
  }

  /// Accepted sockets inherit the option from the listener.
  static func tune(_ socket: borrowing TCPSocket) throws(SocketError) { try socket.setOption(.noDelay, to: true) }
}

extension UnixStreamSocket: BenchTransport {
  // Use an abstract address, so that no file remains even if the process is killed.
  private static var name: String { "socketkit-bench-\(getpid())" }

  static func benchAddress() throws -> UnixAddress { try UnixAddress(abstract: name) }

  static func baselineListener() throws -> BaselineListener {
    // The function reads the name during the call.
    let descriptor = try checked(unsafe baseline_listen_unix(name), "listening on a Unix socket in C")
    return BaselineListener(descriptor: descriptor, address: "@" + name)
  }

  static func tune(_ socket: borrowing UnixStreamSocket) throws(SocketError) {}
}

extension SCTPSocket: BenchTransport {
  static func benchAddress() -> IPSocketAddress { .loopback(port: 0) }

  static func baselineListener() throws -> BaselineListener {
    var port: UInt16 = 0
    // The function stores the port during the call.
    let descriptor = try checked(unsafe baseline_listen_sctp(&port), "listening on SCTP in C")
    return BaselineListener(descriptor: descriptor, address: IPSocketAddress.loopback(port: port).description)
  }

  /// A shutdown of one direction ends the association, and the kernel does not report this end to the side that called
  /// shutdown.
  static var endsInHalves: Bool { false }

  /// Sets a receive buffer larger than two loopback packets. With a smaller buffer, each packet waits for a delayed
  /// acknowledgement.
  static func tune(_ socket: borrowing SCTPSocket) throws(SocketError) {
    try socket.setOption(.noDelay, to: true)
    try socket.setOption(.receiveBuffer, to: Int(BASELINE_SCTP_BUFFER))
  }
}

extension VsockStreamSocket: BenchTransport {
  static func address(_ text: String) -> VsockAddress? { try? VsockAddress(text) }

  // Use loopback only: other vsock addresses of a virtual machine lead to its host.
  static func benchAddress() -> VsockAddress { .local(port: .any) }

  static func baselineListener() throws -> BaselineListener {
    var port: UInt32 = 0
    // The function stores the port during the call.
    let descriptor = try checked(unsafe baseline_listen_vsock(&port), "listening on vsock in C")
    return BaselineListener(
      descriptor: descriptor, address: VsockAddress.local(port: VsockPort(rawValue: port)).description)
  }

  static func tune(_ socket: borrowing VsockStreamSocket) throws(SocketError) {}

  /// The reason why vsock loopback is not available, or nil if it is available. Binding a socket is sufficient for this
  /// check, so no connection is made.
  static let lack: String? = {
    do {
      var socket = try VsockStreamSocket.open(for: .local(port: .any))
      try socket.bind(to: .local(port: .any))
      return nil
    } catch {
      return
        "this kernel has no vsock loopback (\((error as? SocketError)?.code ?? .other)); run modprobe vsock_loopback"
    }
  }()
}

/// Returns the result of a C function. Throws an error if the result is negative: it is then -errno.
@discardableResult
func checked<Number: BinaryInteger>(_ result: Number, _ action: String) throws(ToolError) -> Number {
  if result < 0 { throw ToolError("\(action): \(systemText(Int32(-Int(result))))") }
  return result
}
