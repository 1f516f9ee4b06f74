import Glibc
import SocketKit
import TestSupport
import Testing

/// Vsock by text: streams and packets over loopback; datagrams, which no transport of these kernels has.
@Suite(.exclusive, .guestOnly) struct VsockEndpointTests {
  @Test(arguments: [
    ("vsock://local:*", "vsock://local:"), ("vsock://any:*", "vsock://any:"),
    ("vsock://1:70001", "vsock://local:70001"),
    ("vsock-seqpacket://local:*", "vsock-seqpacket://local:"), ("vsock-seqpacket://any:*", "vsock-seqpacket://any:"),
    ("vsock-seqpacket://any:70002", "vsock-seqpacket://any:70002"),
  ])
  func connectAndListenByText(_ text: String, _ expected: String) throws {
    var exchange = Exchange()
    let printed = try AnyEndpoint(parsing: text).visit(with: &exchange)
    #expect(printed.hasPrefix(expected) && !printed.hasSuffix("*"))
  }

  @Test func datagramsByTextAreSaidToBeMissing() throws {
    var exchange = Exchange()
    let endpoint = try AnyEndpoint(parsing: "vsock-dgram://local:70003")
    var error: SocketError?
    do { _ = try endpoint.visit(with: &exchange) } catch let thrown as SocketError { error = thrown }
    #expect(error?.address == "local(1):70003")
    // ENODEV until a transport for datagrams is loaded, and none is made for these kernels.
    #expect(error?.code == .protocolNotSupported && error?.errno == ENODEV, "\(String(describing: error))")
  }

  @Test(arguments: ["vsock://local:70004", "vsock-seqpacket://local:70004"])
  func nobodyThere(_ text: String) throws {
    var knocking = Knocking()
    let error = endpointError { () throws(SocketError) in try AnyEndpoint(parsing: text).visit(with: &knocking) }
    #expect(error?.code == .connectionReset && error?.operation == .connect && error?.address == "local(1):70004")
    #expect(knocking.visits == 1)
  }
}

private struct Knocking: EndpointVisitor {
  // Not empty: ThreadSanitizer takes the address of an empty visitor in a closure, which is undefined.
  var visits = 0

  mutating func stream<S: Transport & StreamSocket & Acceptable<Void> & ~Copyable>(
    _: S.Type, at endpoint: S.Endpoint
  ) throws(SocketError) {
    visits += 1
    _ = try S.connect(to: endpoint, until: .after(.seconds(20)))
  }
  mutating func packets<S: Transport & SequencedPacketSocket & Acceptable<Void> & ~Copyable>(
    _: S.Type, at endpoint: S.Endpoint
  ) throws(SocketError) {
    visits += 1
    _ = try S.connect(to: endpoint, until: .after(.seconds(20)))
  }
}
