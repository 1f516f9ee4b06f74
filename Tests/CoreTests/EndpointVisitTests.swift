import Glibc
import NameService
import SocketKit
import TestSupport
import Testing

/// What is done at an address that was text. Apart from what only reads texts, because none of these may be vsock's.
@Suite(.exclusive) struct EndpointVisitTests {
  @Test func aThirdPartysTransportStandsBesideOurs() throws {
    typealias Mine = Transports<OwnStream, AllTransports>
    #expect(Mine.schemes.first == "own+stream" && Mine.schemes.dropFirst() == AllTransports.schemes[...])
    let own = try Endpoint<Mine>(parsing: "own+stream:/x")
    #expect(own.description == "own+stream:/x" && own.scheme == "own+stream")
    let tcp = try Endpoint<Mine>(parsing: "tcp://x:1")
    #expect(tcp != own && tcp.scheme == "tcp")
    var names = NameOfKind()
    #expect(try own.visit(with: &names) == "stream own+stream")
    #expect(try tcp.visit(with: &names) == "stream tcp")
    // A scheme of ours is shadowed by one in front.
    #expect(Transports<UnixStreamSocket, AllTransports>.schemes.count == AllTransports.schemes.count + 1)
  }

  @Test func visitorsSeeTheKindAndRefuseOthers() throws {
    var names = NameOfKind()
    for (text, expected) in [
      ("udp://x:1", "datagrams udp"), ("unix:x", "stream unix"),
      ("unix-seqpacket:x", "packets unix-seqpacket"), ("unix-dgram:x", "datagrams unix-dgram"),
    ] {
      #expect(try AnyEndpoint(parsing: text).visit(with: &names) == expected)
    }
    var streams = StreamsOnly()
    let error = endpointError { () throws(SocketError) in
      try AnyEndpoint(parsing: "udp://x:1").visit(with: &streams)
    }
    #expect(error?.code == .wrongSocketKind && error?.address == "udp://x:1")
    #expect(error?.description.contains("Datagrams cannot be used") == true)
  }

  @Test(arguments: [
    ("tcp://127.0.0.1:0", "tcp://127.0.0.1:"), ("tcp://[::1]:0", "tcp://[::1]:"), ("tcp://*:0", "tcp://*:"),
    ("tcp://localhost:0", "tcp://"), ("unix:@", "unix:@"), ("unix-seqpacket:@", "unix-seqpacket:@"),
    ("udp://127.0.0.1:0", "udp://127.0.0.1:"), ("udp://[::1]:0", "udp://[::1]:"), ("udp://*:0", "udp://*:"),
    ("udp://localhost:0", "udp://"), ("unix-dgram:@", "unix-dgram:@"),
  ])
  func connectAndListenByText(_ text: String, _ expected: String) throws {
    var exchange = Exchange()
    let printed = try AnyEndpoint(parsing: text).visit(with: &exchange)
    #expect(printed.hasPrefix(expected) && printed != expected && !printed.hasSuffix(":0"))
  }

  @Test(arguments: ["unix", "unix-seqpacket", "unix-dgram"])
  func pathsAndNamesByText(_ scheme: String) throws {
    let path = temporaryPath()
    defer { CLibrary.unlink(path) }
    for text in ["\(scheme):\(path)", "\(scheme):@\(path)%00%FF"] {
      var exchange = Exchange()
      #expect(try AnyEndpoint(parsing: text).visit(with: &exchange) == text)
    }
  }

  @Test func aNameThatNobodyHasIsNotFound() throws {
    // EAI_NONAME.
    name_service_answer(AF_INET, -2, nil, 0)
    name_service_answer(AF_INET6, -2, nil, 0)
    let endpoint = try IPEndpoint(body: "//no-such-name.test:1")
    let error = endpointError { () throws(SocketError) in
      _ = try TCPSocket.listen(on: endpoint, until: .after(.seconds(20)))
    }
    #expect(error?.code == .nameNotFound && error?.operation == .resolve && error?.address == "no-such-name.test")
    let past = endpointError { () throws(SocketError) in _ = try TCPSocket.connect(to: endpoint, until: .past) }
    #expect(past?.code == .timedOut)
  }
}

/// What a third party writes.
private struct OwnStream: ~Copyable, StreamSocket, KernelSocket, Transport, Acceptable {
  typealias Options = SocketLevelOptions
  typealias Address = UnixAddress
  let owned: Descriptor
  init(owning descriptor: consuming Descriptor) { owned = descriptor }
  var descriptor: RawDescriptor { owned.raw }
  consuming func releaseDescriptor() -> Descriptor { owned }
  static var capabilities: SocketCapabilities { .halfClose }
  static var kinds: [SocketKind] { [SocketKind(.unix, .stream)] }
  static var endpointFormat: EndpointFormat<UnixAddress, UnixAddress> { .unix(scheme: "own+stream") }
}

private struct NameOfKind: EndpointVisitor {
  typealias Outcome = String
  func stream<S: Transport & StreamSocket & Acceptable<Void> & ~Copyable>(_: S.Type, at _: S.Endpoint) -> String {
    "stream \(S.endpointFormat.scheme)"
  }
  func packets<S: Transport & SequencedPacketSocket & Acceptable<Void> & ~Copyable>(
    _: S.Type, at _: S.Endpoint
  ) -> String {
    "packets \(S.endpointFormat.scheme)"
  }
  func datagrams<S: Transport & DatagramSocket & ~Copyable>(_: S.Type, at _: S.Endpoint) -> String {
    "datagrams \(S.endpointFormat.scheme)"
  }
}

private struct StreamsOnly: EndpointVisitor {
  func stream<S: Transport & StreamSocket & Acceptable<Void> & ~Copyable>(_: S.Type, at _: S.Endpoint) {}
}
