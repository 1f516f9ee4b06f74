import Glibc
import SocketKit
import TestSupport
import Testing

/// Waiting for a peer's answer costs no processor time, also for a socket that is written to by way of another
/// descriptor, as vsock's packets are: that one says nothing about the connection.
@Suite(.exclusive) struct ConnectIdleTests {
  private func waits<S: Transport & Acceptable<Void> & ~Copyable>(
    _ type: S.Type, _ body: (S.Address) throws(SocketError) -> Void
  ) throws where S.Address == IPSocketAddress {
    // The kernel drops the requests to a full backlog.
    let listener = try TCPSocket.listen(on: .loopback(port: 0), backlog: 0)
    let address = try listener.localAddress()
    let queued = try TCPSocket.connect(to: address, until: .after(.seconds(5)))
    let before = threadCPUTime()
    do throws(SocketError) {
      try body(address)
      Issue.record("connected")
    } catch {
      #expect(error.code == .timedOut)
    }
    #expect(threadCPUTime() - before < 100)
    _ = queued.descriptor
  }

  @Test func connecting() throws {
    try waits(TCPSocket.self) { address throws(SocketError) in
      _ = try TCPSocket.connect(to: address, until: .after(.milliseconds(400)))
    }
    try waits(TwoWaySocket.self) { address throws(SocketError) in
      _ = try TwoWaySocket.connect(to: address, until: .after(.milliseconds(400)))
    }
  }

  @Test func finishing() throws {
    try waits(TCPSocket.self) { address throws(SocketError) in
      _ = try TCPSocket.startConnecting(to: address).finish(until: .after(.milliseconds(400)))
    }
    try waits(TwoWaySocket.self) { address throws(SocketError) in
      _ = try TwoWaySocket.startConnecting(to: address).finish(until: .after(.milliseconds(400)))
    }
  }
}

/// TCP with a descriptor of its own for writing, which is always writable.
private struct TwoWaySocket: ~Copyable, StreamSocket, KernelSocket, Transport, Acceptable {
  typealias Options = TCPSocketOptions
  typealias Address = IPSocketAddress
  private let owned: Descriptor
  private let writable = unsafe Descriptor(
    unsafeOwning: RawDescriptor(socket(AF_INET, Int32(SOCK_DGRAM.rawValue | SOCK_CLOEXEC.rawValue), 0)))

  init(owning descriptor: consuming Descriptor) { owned = descriptor }

  var descriptor: RawDescriptor { owned.raw }
  var writeSource: RawDescriptor { writable.raw }
  consuming func releaseDescriptor() -> Descriptor { owned }

  static var capabilities: SocketCapabilities { .halfClose }
  static var kinds: [SocketKind] { TCPSocket.kinds }
}
