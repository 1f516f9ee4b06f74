import Glibc
import SocketKit
import TestSupport
import Testing

/// Raw sockets over loopback: they need CAP_NET_RAW.
@Suite(.exclusive) struct RawIPTests {
  private func mayBeRaw() -> Bool {
    do throws(SocketError) {
      _ = try RawIPSocket.open(.icmp, over: .ipv4)
      return true
    } catch {
      unavailable("\(error)")
      return false
    }
  }

  @Test func anEchoOverIPv4BeginsWithTheHeader() throws {
    guard mayBeRaw() else { return }
    let socket = try RawIPSocket.connect(.icmp, to: .loopback(port: 0))
    let number = try socket.option(.protocolNumber)
    #expect(number == .icmp)
    let payload = Array("round trip".utf8)
    let echo = ICMPEcho(identifier: 0x1234, sequence: 7)
    var message = [UInt8](repeating: 0, count: 64)
    var span = message.mutableSpan
    let length = try #require(echo.encode(for: .ipv4, payload: payload.span, into: &span))
    try socket.send(message.span.extracting(first: length), to: nil, until: .after(.seconds(5)))
    var received = [UInt8](repeating: 0, count: 256)
    var info = MessageInfo()
    while true {
      let count = try socket.receive(into: received.mutableSpan, &info, until: .after(.seconds(5)))
      let packet = received.span.extracting(first: count)
      let parsed = IPv4Header(packet)
      let header = try #require(parsed)
      #expect(header.protocolNumber == .icmp && header.source == .loopback && header.destination == .loopback)
      let inner = packet.extracting(droppingFirst: header.length)
      let sum = InternetChecksum.of(inner)
      #expect(sum == 0)
      guard let answer = ICMPEcho(inner, family: .ipv4), answer.isReply, answer.identifier == 0x1234 else { continue }
      #expect(answer.sequence == 7 && header.timeToLive > 0)
      #expect(Array(received[(header.length + 8)..<count]) == payload)
      break
    }
  }

  /// Without the filter our own request, which arrives on loopback too, would come first.
  @Test func anICMPv6FilterKeepsOtherTypesOut() throws {
    guard mayBeRaw() else { return }
    let socket = try RawIPSocket.connect(.icmpv6, to: .loopbackIPv6(port: 0))
    let all = try socket.option(.receivedICMPv6Types)
    #expect(all == .all && all[128])
    try socket.setOption(.receivedICMPv6Types, to: ICMPTypes(129))
    let some = try socket.option(.receivedICMPv6Types)
    #expect(some == ICMPTypes(129) && some[129] && !some[128])
    var message = [UInt8](repeating: 0, count: 8)
    var span = message.mutableSpan
    _ = ICMPEcho(identifier: 9, sequence: 1).encode(for: .ipv6, payload: Span(), into: &span)
    try socket.send(message.span, to: nil, until: .after(.seconds(5)))
    var info = MessageInfo()
    let count = try socket.receive(into: message.mutableSpan, &info, until: .after(.seconds(5)))
    let answer = ICMPEcho(message.span, family: .ipv6)
    #expect(count == 8 && answer == ICMPEcho(isReply: true, identifier: 9, sequence: 1))
  }

  @Test func anICMPFilterOfIPv4() throws {
    guard mayBeRaw() else { return }
    let socket = try RawIPSocket.open(.icmp, over: .ipv4)
    try socket.setOption(.receivedICMPTypes, to: ICMPTypes(0, 3))
    let types = try socket.option(.receivedICMPTypes)
    #expect(types[0] && types[3] && !types[8] && types[40])
    var changed = types
    changed[8] = true
    changed[3] = false
    #expect(changed[0] && !changed[3] && changed[8] && changed != types)
    changed[8] = false
    changed[3] = true
    #expect(changed == types && changed.hashValue == types.hashValue)
    let other = try RawIPSocket.open(.experiment, over: .ipv4)
    let error = failure(SocketError.self) { () throws(SocketError) in
      try other.setOption(.receivedICMPTypes, to: .all)
    }
    #expect(error?.code == .notSupported)
  }

  @Test func theCallerMayWriteTheHeader() throws {
    guard mayBeRaw() else { return }
    let receiver = try RawIPSocket.bind(.experiment, to: .loopback(port: 0))
    let sender = try RawIPSocket.open(.experiment, over: .ipv4)
    let before = try sender.option(.headerIncluded)
    try sender.setOption(.headerIncluded, to: true)
    let after = try sender.option(.headerIncluded)
    #expect(!before && after)
    // Version and length, …, time to live 42, protocol 253, from 127.0.0.9 to 127.0.0.1, and 3 bytes.
    let packet: [UInt8] = [0x45, 0, 0, 23, 0, 0, 0, 0, 42, 253, 0, 0, 127, 0, 0, 9, 127, 0, 0, 1, 1, 2, 3]
    try sender.send(packet.span, to: .loopback(port: 0), until: .after(.seconds(5)))
    var received = [UInt8](repeating: 0, count: 64)
    var info = MessageInfo()
    let count = try receiver.receive(into: received.mutableSpan, &info, until: .after(.seconds(5)))
    let header = IPv4Header(received.span.extracting(first: count))
    #expect(count == 23 && header?.timeToLive == 42 && header?.source == IPv4Address(127, 0, 0, 9))
    #expect(IPSocketAddress(info.address) == IPSocketAddress(IPv4Address(127, 0, 0, 9), port: 0))
    #expect(received[20..<23] == [1, 2, 3])
    // IPv6 has an option of its own.
    let six = try RawIPSocket.open(.experiment, over: .ipv6)
    try six.setOption(.headerIncluded, to: true)
    let sixIncluded = try six.option(.headerIncluded)
    #expect(sixIncluded)
    let always = try RawIPSocket.open(.any, over: .ipv4)
    let included = try always.option(.headerIncluded)
    #expect(included)
  }

  @Test func theKernelWritesAChecksumWhereItIsTold() throws {
    guard mayBeRaw() else { return }
    let receiver = try RawIPSocket.bind(.experiment, to: .loopbackIPv6(port: 0))
    let sender = try RawIPSocket.connect(.experiment, to: .loopbackIPv6(port: 0))
    let none = try sender.option(.checksumOffset)
    try sender.setOption(.checksumOffset, to: 2)
    let two = try sender.option(.checksumOffset)
    #expect(none == nil && two == 2)
    let bytes: [UInt8] = [9, 9, 0, 0, 9, 9]
    try sender.send(bytes.span, to: nil, until: .after(.seconds(5)))
    var received = [UInt8](repeating: 0, count: 64)
    var info = MessageInfo()
    let count = try receiver.receive(into: received.mutableSpan, &info, until: .after(.seconds(5)))
    #expect(count == 6)
    // RFC 8200, 8.1: both addresses, the length, three zeros, the protocol, and the message; the sum of it all is none.
    let loopback = [UInt8](repeating: 0, count: 15) + [1]
    let summed = loopback + loopback + [0, 0, 0, 6, 0, 0, 0, 253] + received.prefix(6)
    #expect(InternetChecksum.of(summed.span) == 0 && received[2..<4] != [0, 0])
    let odd = failure(SocketError.self) { () throws(SocketError) in try sender.setOption(.checksumOffset, to: 3) }
    let negative = failure(SocketError.self) { () throws(SocketError) in try sender.setOption(.checksumOffset, to: -2) }
    #expect(odd?.code == .invalidArgument && negative?.code == .invalidArgument)
    try sender.setOption(.checksumOffset, to: nil)
    let off = try sender.option(.checksumOffset)
    #expect(off == nil)
  }

  @Test func whatIsRefusedSaysWhy() throws {
    let denied = onThread { () -> SocketError? in
      dropCapabilities()
      return failure { () throws(SocketError) in _ = try RawIPSocket.bind(.icmp, to: .loopback(port: 0)) }
    }
    #expect(denied?.code == .permissionDenied && denied?.operation == .open && denied?.address == "127.0.0.1:0")
    #expect(denied?.remedy?.contains("CAP_NET_RAW") == true)
    let family = failure(SocketError.self) { () throws(SocketError) in _ = try RawIPSocket.open(.icmp, over: .unix) }
    #expect(family?.code == .wrongSocketKind && family?.operation == .open)
    guard mayBeRaw() else { return }
    let foreign = failure { () throws(SocketError) in
      _ = try RawIPSocket.bind(.icmp, to: IPSocketAddress(IPv4Address(192, 0, 2, 1), port: 0))
    }
    #expect(foreign?.code == .addressNotAvailable)
    let socket = try RawIPSocket.connect(.experiment, to: .loopback(port: 0))
    let large = [UInt8](repeating: 0, count: 70_000)
    let tooLarge = failure(SocketError.self) { () throws(SocketError) in _ = try socket.send(large.span) }
    #expect(tooLarge?.code == .messageTooLarge && tooLarge?.errno == EMSGSIZE)
  }

  @Test func adoptingChecksTheKind() throws {
    let wrong = Glibc.socket(AF_INET, Int32(SOCK_DGRAM.rawValue), 0)
    defer { close(wrong) }
    let refused = failure(SocketError.self) { () throws(SocketError) in
      _ = try RawIPSocket(adopting: RawDescriptor(wrong).duplicate())
    }
    #expect(refused?.code == .wrongSocketKind)
    let gone = failure(SocketError.self) { () throws(SocketError) in
      _ = try RawIPSocket(adopting: owning(9999))
    }
    #expect(gone?.code == .closed)
    guard mayBeRaw() else { return }
    let raw = Glibc.socket(AF_INET6, Int32(SOCK_RAW.rawValue), 58)
    let socket = try RawIPSocket(adopting: owning(raw))
    let number = try socket.option(.protocolNumber)
    let closed = failure(SocketError.self) { () throws(SocketError) in
      _ = try ReadOnlySocketOption<RawIPSocketOptions, IPProtocol>.protocolNumber.read(RawDescriptor(9999))
    }
    #expect(closed == SocketError(.failure(errno: EBADF), .getOption))
    #expect(number == .icmpv6 && fcntl(raw, F_GETFL) & O_NONBLOCK != 0)
  }

  @Test func textThatIsNoPacket() {
    let short: [UInt8] = [0x45, 0, 0]
    let lying: [UInt8] = [0x4f] + [UInt8](repeating: 0, count: 30)
    let six: [UInt8] = [0x60] + [UInt8](repeating: 0, count: 60)
    #expect(IPv4Header(short.span) == nil && IPv4Header(lying.span) == nil)
    #expect(IPv4Header(six.span) == nil && ICMPEcho(short.span, family: .ipv4) == nil)
    let other: [UInt8] = [3, 0, 0, 0, 0, 0, 0, 0]
    #expect(ICMPEcho(other.span, family: .ipv4) == nil)
    var small = [UInt8](repeating: 0, count: 7)
    var span = small.mutableSpan
    let written = ICMPEcho(sequence: 1).encode(for: .ipv4, payload: Span(), into: &span)
    #expect(written == nil)
    // RFC 1071, section 3: 0001 f203 f4f5 f6f7 sum to ddf2, and an odd byte counts as high.
    let example: [UInt8] = [0, 1, 0xf2, 3, 0xf4, 0xf5, 0xf6, 0xf7]
    let odd: [UInt8] = [1]
    #expect(InternetChecksum.of(example.span) == ~0xddf2 && InternetChecksum.of(odd.span) == ~0x100)
  }
}
