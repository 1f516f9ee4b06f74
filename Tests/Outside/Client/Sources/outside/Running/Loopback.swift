import Glibc
import MultipathTCP
import SocketKitCore
import SocketKitIP
import SocketKitSCTP
import SocketKitTCP
import SocketKitUnix

/// A transport that can be tried on this host.
protocol LoopbackTransport: Transport, Acceptable<Void>, StreamSocket, ~Copyable {
  /// Where a listener may listen.
  static func place() throws -> Address
  /// A listener's address as an argument of a command, and back.
  static func text(_ address: Address) -> String
  static func address(_ text: String) -> Address?
  /// Whether closing with something unread resets the connection.
  static var closingResets: Bool { get }
  /// Whether what was sent can be received once the call has returned.
  static var deliversAtOnce: Bool { get }
}

extension LoopbackTransport where Self: ~Copyable {
  static var closingResets: Bool { true }
  static var deliversAtOnce: Bool { true }
}

extension TCPSocket: LoopbackTransport {
  static func place() -> IPSocketAddress { .loopback(port: 0) }
  static func text(_ address: IPSocketAddress) -> String { address.description }
  static func address(_ text: String) -> IPSocketAddress? { IPSocketAddress(text) }
}

extension SCTPSocket: LoopbackTransport {
  static func place() -> IPSocketAddress { .loopback(port: 0) }
  static func text(_ address: IPSocketAddress) -> String { address.description }
  static func address(_ text: String) -> IPSocketAddress? { IPSocketAddress(text) }
}

extension MultipathTCPSocket: LoopbackTransport {
  static func place() -> IPSocketAddress { .loopback(port: 0) }
  static func text(_ address: IPSocketAddress) -> String { address.description }
  static func address(_ text: String) -> IPSocketAddress? { IPSocketAddress(text) }
}

extension UnixStreamSocket: LoopbackTransport {
  static func place() throws -> UnixAddress {
    try UnixAddress(abstract: "socketkit-outside-\(getpid())-\(UInt32.random(in: 0...UInt32.max))")
  }
  static func text(_ address: UnixAddress) -> String { address.description }
  static func address(_ text: String) -> UnixAddress? { UnixAddress(text) }
}

/// What the runner and its peer give up after.
let patience = Duration.seconds(30)

/// The bytes of one message: each differs from its neighbours and from the message before.
func message(_ number: Int) -> [UInt8] { (0..<64).map { UInt8(truncatingIfNeeded: $0 &* 7 &+ number &* 13) } }

/// A composition that did not do what it should.
struct Mismatch: Error, CustomStringConvertible {
  let description: String
}

func expect(_ condition: Bool, _ what: @autoclosure () -> String) throws {
  if !condition { throw Mismatch(description: what()) }
}
