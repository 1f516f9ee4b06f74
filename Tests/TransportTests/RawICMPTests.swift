import Glibc
import SocketKit
import TestSupport
import Testing

/// Echo sockets without privilege, in namespaces where net.ipv4.ping_group_range is ours to set.
@Suite(.exclusive) struct RawICMPTests {
  private static let range = "/proc/sys/net/ipv4/ping_group_range"

  @Test func pingsBothVersionsWhereTheRangeAllows() throws {
    try inNamespaceWithLoopback {
      guard writeFile(Self.range, "0 2147483647") else { return unavailable("\(Self.range) cannot be written") }
      for address in [IPSocketAddress.loopback(port: 0), .loopbackIPv6(port: 0)] {
        let socket = try ICMPSocket.connect(to: address)
        let identifier = try socket.localAddress().port
        let payload = Array("unprivileged".utf8)
        var message = [UInt8](repeating: 0, count: 64)
        var span = message.mutableSpan
        let echo = ICMPEcho(sequence: 3)
        let length = try #require(echo.encode(for: address.family, payload: payload.span, into: &span))
        try socket.send(message.span.extracting(first: length), to: nil, until: .after(.seconds(5)))
        var info = MessageInfo()
        let count = try socket.receive(into: message.mutableSpan, &info, until: .after(.seconds(5)))
        let answer = ICMPEcho(message.span.extracting(first: count), family: address.family)
        #expect(answer == ICMPEcho(isReply: true, identifier: identifier, sequence: 3) && identifier != 0)
        #expect(Array(message[8..<count]) == payload)
        let raw = socket.releaseDescriptor().release()
        let adopted = try ICMPSocket(adopting: owning(raw))
        try adopted.connect(to: address.with(port: 1))
        let remote = try adopted.connectedAddress()
        #expect(remote == address.with(port: 1))
      }
    }
  }

  @Test func whereItIsForbiddenTheRemedyNamesTheSetting() throws {
    try inNamespaceWithLoopback {
      guard writeFile(Self.range, "1 0") else { return unavailable("\(Self.range) cannot be written") }
      for address in [IPSocketAddress.loopback(port: 0), .loopbackIPv6(port: 0)] {
        let error = failure { () throws(SocketError) in _ = try ICMPSocket.connect(to: address) }
        #expect(error?.code == .permissionDenied && error?.operation == .open)
        #expect(error?.remedy?.contains("net.ipv4.ping_group_range") == true)
      }
    }
  }

  @Test func aUDPSocketIsNone() throws {
    let udp = try UDPSocket.bind(to: .loopback(port: 0))
    let number = udp.descriptor
    let error = failure(SocketError.self) { () throws(SocketError) in _ = try ICMPSocket(adopting: number.duplicate()) }
    #expect(error?.code == .wrongSocketKind)
  }
}
