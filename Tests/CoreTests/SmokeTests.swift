import SocketKit
import Testing
import TestSupport

@Suite(.exclusive) struct SmokeTests {
  @Test func echo() throws {
    let listener = try TCPSocket.listen(on: .loopback(port: 0)) { (s) throws(SocketError) in
      try s.setOption(.receiveBuffer, to: 8192)
    }
    let c = try TCPSocket.connect(to: listener.localAddress(), until: .after(.seconds(1)))
    let s = try listener.accept(until: .after(.seconds(1)))
    try c.writeAll([1, 2, 3].span, until: .never)
    var b = [UInt8](repeating: 0, count: 3)
    try s.readExactly(into: b.mutableSpan, until: .after(.seconds(1)))
    #expect(b == [1, 2, 3])
    try s.setOption(.noDelay, to: true)
    #expect(try s.option(.noDelay))
    #expect(try s.tcpInfo().state == 1)
    var p = try EpollPoller()
    try p.register(s, .readable, token: Token(index: 1))
    #expect(try p.wait(until: .past) == 0)
    do { _ = try TCPSocket.connect(to: .loopback(port: 1), until: .after(.seconds(1))) } catch { print(error) }
  }
}
