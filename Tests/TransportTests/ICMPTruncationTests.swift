import Glibc
import SocketKit
import TestSupport
import Testing

/// The kernel ignores MSG_TRUNC on ICMP sockets (net/ipv4/ping.c), so that they say that a message was longer than the
/// buffer, and not how long it was.
@Suite(.exclusive) struct ICMPTruncationTests {
  @Test func aTruncatedReplySaysThatItIsAndHasTheBuffersLength() throws {
    let range = "/proc/sys/net/ipv4/ping_group_range"
    try inNamespaceWithLoopback {
      guard writeFile(range, "0 2147483647") else { return unavailable("\(range) cannot be written") }
      for address in [IPSocketAddress.loopback(port: 0), .loopbackIPv6(port: 0)] {
        let socket = try ICMPSocket.connect(to: address)
        var message = [UInt8](repeating: 0, count: 64)
        var span = message.mutableSpan
        let payload = [UInt8](repeating: 7, count: 40)
        let length = try #require(ICMPEcho(sequence: 1).encode(for: address.family, payload: payload.span, into: &span))
        #expect(length == 48)
        for (room, isTruncated) in [(20, true), (48, false), (64, false)] {
          try socket.send(message.span.extracting(first: length), to: nil, until: .after(.seconds(5)))
          var buffer = [UInt8](repeating: 0, count: room)
          var info = MessageInfo()
          let count = try socket.receive(into: buffer.mutableSpan, &info, until: .after(.seconds(5)))
          #expect(count == min(room, 48) && info.isTruncated == isTruncated)
          #expect(info.length == count)
        }
      }
    }
  }
}
