internal import CSocketKitBaseline
internal import Glibc
internal import SocketKit
internal import SocketKitToolSupport

/// A transport that can be measured: what the bench needs beyond a stream socket. Addresses travel between the
/// processes as text.
protocol BenchTransport: ConnectionTransport, StreamSocket, ~Copyable {
  /// Reads an address as it prints itself; nil when it is none.
  static func address(_ text: String) -> Address?
  /// Where a server of this process listens.
  static func benchAddress() throws -> Address
  /// The same listener made by the C baseline.
  static func baselineListener() throws -> BaselineListener
  /// Options that both ends set, in C too.
  static func tune(_ socket: borrowing Self) throws(SocketError)
  /// Whether the one end that has ended its sending can wait for the other to do the same.
  static var endsInHalves: Bool { get }
}

extension BenchTransport where Self: ~Copyable {
  static var endsInHalves: Bool { true }
}

extension BenchTransport where Address: LosslessStringConvertible, Self: ~Copyable {
  static func address(_ text: String) -> Address? { Address(text) }
}

/// A listening descriptor from the C baseline, and its address as text. The server process owns it to its end.
struct BaselineListener {
  let descriptor: Int32
  let address: String
}

extension TCPSocket: BenchTransport {
  static func benchAddress() -> IPSocketAddress { .loopback(port: 0) }

  static func baselineListener() throws -> BaselineListener {
    var port: UInt16 = 0
    let descriptor = try checked(baseline_listen_tcp(&port), "listening on TCP in C")
    return BaselineListener(descriptor: descriptor, address: IPSocketAddress.loopback(port: port).description)
  }

  /// On a listener it is inherited by what is accepted.
  static func tune(_ socket: borrowing TCPSocket) throws(SocketError) { try socket.setOption(.noDelay, to: true) }
}

extension UnixStreamSocket: BenchTransport {
  // Abstract: whatever happens to the process, no file is left.
  private static var name: String { "socketkit-bench-\(getpid())" }

  static func benchAddress() throws -> UnixAddress { try UnixAddress(abstract: name) }

  static func baselineListener() throws -> BaselineListener {
    let descriptor = try checked(baseline_listen_unix(name), "listening on a Unix socket in C")
    return BaselineListener(descriptor: descriptor, address: "@" + name)
  }

  static func tune(_ socket: borrowing UnixStreamSocket) throws(SocketError) {}
}

extension SCTPSocket: BenchTransport {
  static func benchAddress() -> IPSocketAddress { .loopback(port: 0) }

  static func baselineListener() throws -> BaselineListener {
    var port: UInt16 = 0
    let descriptor = try checked(baseline_listen_sctp(&port), "listening on SCTP in C")
    return BaselineListener(descriptor: descriptor, address: IPSocketAddress.loopback(port: port).description)
  }

  /// The end of one direction ends the association, and the kernel does not report that to who began it.
  static var endsInHalves: Bool { false }

  /// Room for more than two of loopback's packets, or each waits for a delayed acknowledgement.
  static func tune(_ socket: borrowing SCTPSocket) throws(SocketError) {
    try socket.setOption(.noDelay, to: true)
    try socket.setOption(.receiveBuffer, to: Int(BASELINE_SCTP_BUFFER))
  }
}

extension VsockStreamSocket: BenchTransport {
  static func address(_ text: String) -> VsockAddress? { try? VsockAddress(text) }

  // Loopback and nothing else: a virtual machine's vsock leads to whoever runs it.
  static func benchAddress() -> VsockAddress { .local(port: .any) }

  static func baselineListener() throws -> BaselineListener {
    var port: UInt32 = 0
    let descriptor = try checked(baseline_listen_vsock(&port), "listening on vsock in C")
    return BaselineListener(
      descriptor: descriptor, address: VsockAddress.local(port: VsockPort(rawValue: port)).description)
  }

  static func tune(_ socket: borrowing VsockStreamSocket) throws(SocketError) {}

  /// Why this kernel has no loopback; nil when it has. Binding tells, without connecting anywhere.
  static let lack: String? = {
    do {
      try VsockStreamSocket.open(for: .local(port: .any)).bind(to: VsockAddress.local(port: .any))
      return nil
    } catch {
      return "no loopback in this kernel (\((error as? EndpointError)?.code ?? .other)): modprobe vsock_loopback"
    }
  }()
}

/// The value of a C function that returns -errno when it fails.
@discardableResult
func checked<Number: BinaryInteger>(_ result: Number, _ action: String) throws(ToolError) -> Number {
  if result < 0 { throw ToolError("\(action): \(String(cString: strerror(Int32(-Int(result)))))") }
  return result
}
