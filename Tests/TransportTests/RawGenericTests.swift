import Glibc
import SocketKit
import TestSupport
import Testing

/// sockaddr_nl of netlink(7): a third party's address.
private struct NetlinkAddress: SocketAddress {
  var port: UInt32 = 0
  var groups: UInt32 = 0
  var family: AddressFamily { AddressFamily(rawValue: 16) }
  var description: String { "netlink:\(port)" }

  init(port: UInt32 = 0, groups: UInt32 = 0) {
    self.port = port
    self.groups = groups
  }
  init?(sockaddr bytes: RawSpan) {
    guard bytes.byteCount >= 12, bytes.integer(as: UInt16.self) == 16 else { return nil }
    port = bytes.integer(at: 4, as: UInt32.self)
    groups = bytes.integer(at: 8, as: UInt32.self)
  }
  func withBytes<R>(_ body: (RawSpan) -> R) -> R {
    let words: InlineArray<3, UInt32> = [16, port, groups]
    return body(words.span.integerBytes)
  }
}

@Suite(.exclusive) struct RawGenericTests {
  /// NLMSG_NOOP with NLM_F_ACK: the kernel answers with an acknowledgement that repeats the sequence number.
  @Test func netlinkWithAnAddressTypeOfTheCallers() throws {
    let kind = SocketKind(AddressFamily(rawValue: 16), .raw, protocolNumber: 0)
    var socket = try GenericMessageSocket<NetlinkAddress, SocketLevelOptions>.open(kind)
    try socket.bind(to: NetlinkAddress())
    let own = try socket.localAddress()
    #expect(own.port != 0)
    let request: [UInt8] = [16, 0, 0, 0, 1, 0, 5, 0, 77, 0, 0, 0, 0, 0, 0, 0]
    let outcome = try socket.send(request.span, to: NetlinkAddress())
    #expect(outcome == 16)
    var answer = [UInt8](repeating: 0, count: 256)
    var info = MessageInfo()
    let count = try socket.receive(into: answer.mutableSpan, &info, until: .after(.seconds(5)))
    #expect(count >= 20 && NetlinkAddress(info.address) == NetlinkAddress())
    // nlmsgerr: type 2, our sequence, our port, error 0.
    #expect(answer[4] == 2 && answer[8] == 77 && answer[16] == 0)
  }

  @Test func streamsOfAnyFamily() throws {
    let path = temporaryPath()
    defer { CLibrary.unlink(path) }
    let addresses = [
      AnySocketAddress(IPSocketAddress.loopback(port: 0)), AnySocketAddress(IPSocketAddress.loopbackIPv6(port: 0)),
      AnySocketAddress(try UnixAddress(path: path)),
    ]
    for address in addresses {
      let listener = try GenericStreamSocket<AnySocketAddress, SocketLevelOptions>.listen(on: address)
      let client = try GenericStreamSocket<AnySocketAddress, SocketLevelOptions>.connect(
        to: listener.localAddress(), until: .after(.seconds(5)))
      try exchange(listener, client)
    }
  }

  @Test func aProtocolThatNoAddressTells() throws {
    // Multipath TCP
    let kind = SocketKind(.ipv4, .stream, protocolNumber: 262)
    do throws(SocketError) {
      _ = try GenericStreamSocket<IPSocketAddress, SocketLevelOptions>.open(kind)
    } catch {
      return unavailable("\(error)")
    }
    var server = try GenericStreamSocket<IPSocketAddress, SocketLevelOptions>.open(kind)
    try server.bind(to: IPSocketAddress.loopback(port: 0))
    let listener = try server.listen()
    let client = try GenericStreamSocket<IPSocketAddress, SocketLevelOptions>.open(kind)
    try client.connect(to: listener.localAddress(), until: .after(.seconds(5)))
    let number = try client.descriptor.socketKind().protocolNumber
    #expect(number == 262)
    try exchange(listener, client)
    let refused = try GenericStreamSocket<IPSocketAddress, SocketLevelOptions>.open(kind)
    let free = try TCPSocket.listen(on: .loopback(port: 0)).localAddress()
    let error = failure { () throws(SocketError) in try refused.connect(to: free, until: .after(.seconds(5))) }
    #expect(error?.code == .connectionRefused && error?.address == free.description)
  }

  private func exchange<S: StreamSocket & ~Copyable>(_ listener: borrowing Listener<S>, _ client: borrowing S) throws {
    let server = try listener.accept(until: .after(.seconds(5)))
    try client.writeAll([1, 2, 3].span, until: .after(.seconds(5)))
    var buffer: [UInt8] = [0, 0, 0]
    try server.readExactly(into: buffer.mutableSpan, until: .after(.seconds(5)))
    #expect(buffer == [1, 2, 3])
  }

  @Test func packetsWithAnEnd() throws {
    let address = AnySocketAddress(try UnixAddress(abstract: "generic-\(getpid())"))
    let listener = try GenericPacketSocket<AnySocketAddress, SocketLevelOptions>.listen(on: address)
    let client = try GenericPacketSocket<AnySocketAddress, SocketLevelOptions>.connect(
      to: address, until: .after(.seconds(5)))
    let server = try listener.accept(until: .after(.seconds(5)))
    try client.send([1, 2].span, until: .after(.seconds(5)))
    try client.send([3].span, until: .after(.seconds(5)))
    var buffer: [UInt8] = [0, 0, 0, 0]
    var info = MessageInfo()
    let first = try server.receive(into: buffer.mutableSpan, &info, until: .after(.seconds(5)))
    let second = try server.receive(into: buffer.mutableSpan, &info, until: .after(.seconds(5)))
    #expect(first == .bytes(2) && second == .bytes(1))
  }

  @Test func datagramsToAnAddressOfAnyType() throws {
    let receiver = try UDPSocket.bind(to: .loopback(port: 0))
    try receiver.setOption(.receiveHopLimit, to: true)
    let address = try receiver.localAddress()
    let sender = try GenericMessageSocket<AnySocketAddress, UDPSocketOptions>.open(for: AnySocketAddress(address))
    try sender.setOption(.timeToLive, to: 9)
    let sent = try sender.send([5].span, to: AnySocketAddress(address))
    var buffer: [UInt8] = [0]
    var info = MessageInfo()
    var ancillary = AncillaryBuffer<320>()
    let count = try receiver.receive(
      into: buffer.mutableSpan, ancillary: &ancillary, &info, until: .after(.seconds(5)))
    #expect(sent == 1 && count == 1 && buffer == [5] && ancillary.metadata.hopLimit == 9)
  }

  @Test func kindsThatDoNotFitAreRefused() {
    let datagram = SocketKind(.ipv4, .datagram)
    let stream = failure(SocketError.self) { () throws(SocketError) in
      _ = try GenericStreamSocket<AnySocketAddress, SocketLevelOptions>.open(datagram)
    }
    #expect(stream == SocketError(code: .wrongSocketKind, .open))
    let message = failure(SocketError.self) { () throws(SocketError) in
      _ = try GenericMessageSocket<AnySocketAddress, SocketLevelOptions>.open(SocketKind(.ipv4, .stream))
    }
    #expect(message == SocketError(code: .wrongSocketKind, .open))
    let family = failure(SocketError.self) { () throws(SocketError) in
      _ = try GenericMessageSocket<AnySocketAddress, SocketLevelOptions>.open(
        SocketKind(AddressFamily(rawValue: 4000), .datagram))
    }
    #expect(family?.code == .protocolNotSupported)
  }

  @Test func anySocketOfTheTypeIsAdopted() throws {
    let number = Glibc.socket(AF_UNIX, Int32(SOCK_DGRAM.rawValue), 0)
    let socket = try GenericMessageSocket<AnySocketAddress, SocketLevelOptions>(adopting: owning(number))
    let kind = try socket.descriptor.socketKind()
    #expect(kind == SocketKind(.unix, .datagram) && fcntl(number, F_GETFD) & FD_CLOEXEC != 0)
  }

  /// The counterpart of mdlayher/socket's TestLinuxOpenPIDFD: what is no socket can be owned and watched all the same.
  @Test func aProcessDescriptorIsADescriptorAndNoSocket() throws {
    let number = Int32(systemCall(434, Int(getpid()), 0))  // pidfd_open(2)
    guard number >= 0 else { return unavailable("no pidfd_open: Linux 5.3") }
    let refused = failure(SocketError.self) { () throws(SocketError) in
      _ = try GenericStreamSocket<AnySocketAddress, SocketLevelOptions>(adopting: owning(dup(number)))
    }
    #expect(refused?.code == .notASocket)
    let owned = owning(number)
    #expect(fcntl(number, F_GETFD) & FD_CLOEXEC != 0)
    var poller = try EpollPoller()
    try poller.register(owned.raw, for: .readable, token: Token(index: 1))
    let events = try poller.wait(until: .past)
    #expect(events == 0)
    try poller.deregister(source: owned.raw)
  }

  /// The counterpart of mdlayher/socket's TestLinuxBindToDevice: by name and by number.
  @Test func aSocketIsBoundToAnInterface() throws {
    let index = try #require(InterfaceNames.index(of: "lo"))
    let named = try UDPSocket.bind(to: .loopback(port: 0)) { (socket) throws(SocketError) in
      try socket.setOption(.boundDevice, to: "lo")
    }
    let numbered = try UDPSocket.bind(to: .loopback(port: 0)) { (socket) throws(SocketError) in
      try socket.setOption(.boundInterface, to: Int(index))
    }
    let first = try named.option(.boundInterface)
    let second = try numbered.option(.boundDevice)
    #expect(first == Int(index) && second == "lo")
    let outcome = try named.send([1].span, to: numbered.localAddress())
    var buffer: [UInt8] = [0]
    var info = MessageInfo()
    let count = try numbered.receive(into: buffer.mutableSpan, &info, until: .after(.seconds(5)))
    #expect(outcome == 1 && count == 1)
    let nothing = failure(SocketError.self) { () throws(SocketError) in
      try UDPSocket.open(for: .loopback(port: 0)).setOption(.boundDevice, to: "no-such-one")
    }
    #expect(nothing?.code == .addressNotAvailable && nothing?.errno == ENODEV)
    #expect(nothing?.remedy?.contains("interface does not exist") == true)
  }
}

@_silgen_name("syscall") private func systemCall(_ number: Int, _ a: Int, _ b: Int) -> Int
