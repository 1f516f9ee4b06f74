import Glibc
import SocketKit
import TestSupport
import Testing

/// Buffers beyond net.core.rmem_max and wmem_max. The tests measure what a buffer holds.
@Suite(.exclusive) struct ForcedBufferTests {
  private func limit(_ name: String) throws -> Int {
    let content = try text(of: "/proc/sys/net/core/\(name)")
    return try #require(Int(content.prefix { $0.isNumber }))
  }

  /// Whether this thread has CAP_NET_ADMIN, asked without the library and without the option under test.
  private func isPrivileged() -> Bool {
    let socket = Glibc.socket(AF_INET, Int32(SOCK_DGRAM.rawValue | SOCK_CLOEXEC.rawValue), 0)
    defer { close(socket) }
    var mark: Int32 = 1
    // The kernel reads the four bytes during the call.
    return unsafe setsockopt(socket, SOL_SOCKET, SO_MARK, &mark, 4) == 0
  }

  /// Sends `count` datagrams, and returns how many of them the socket's receive buffer holds.
  private func held(by receiver: borrowing UDPSocket, of count: Int) throws -> Int {
    let sender = try UDPSocket.connect(to: receiver.localAddress())
    let bytes = [UInt8](repeating: 7, count: 60_000)
    for _ in 0..<count { try sender.send(bytes.span, to: nil, until: .after(soon)) }
    var buffer: [UInt8] = [0]
    var info = MessageInfo()
    var held = 0
    while try receiver.receive(into: buffer.mutableSpan, &info) != nil { held += 1 }
    return held
  }

  /// Returns how many bytes a socket with this send buffer takes, and the size that it reports. The peer has a small
  /// receive buffer and does not read.
  private func taken(by buffer: Int) throws -> (bytes: Int, value: Int) {
    let listener = try TCPSocket.listen(on: .loopback(port: 0)) { (socket) throws(SocketError) in
      try socket.setOption(.receiveBuffer, to: 8192)
    }
    let client = try TCPSocket.connect(to: listener.localAddress(), until: .after(soon))
    try client.setOption(.sendBuffer, to: buffer)
    let block = [UInt8](repeating: 7, count: 1 << 16)
    var bytes = 0
    while let count = try client.write(block.span) { bytes += count }
    return (bytes, try client.option(.sendBuffer))
  }

  @Test func aReceiveBufferBeyondTheLimitHoldsMore() throws {
    let limit = try limit("rmem_max")
    guard isPrivileged() else { return unavailable("CAP_NET_ADMIN is missing") }
    let plenty = 4 * limit / 60_000 + 8
    let forced = try UDPSocket.bind(to: .loopback(port: 0))
    try forced.setOption(.receiveBuffer, to: 2 * limit)
    #expect(try forced.option(.receiveBuffer) == 4 * limit)
    // A buffer within the limit holds at most twice the limit, because the kernel doubles the size.
    #expect(try held(by: forced, of: plenty) > 2 * limit / 60_000, "no more than the limit allows")
  }

  @Test func aSendBufferBeyondTheLimitTakesMore() throws {
    let limit = try limit("wmem_max")
    guard isPrivileged() else { return unavailable("CAP_NET_ADMIN is missing") }
    let forced = try taken(by: 2 * limit)
    #expect(forced.value == 4 * limit && forced.bytes > 2 * limit, "\(forced)")
  }

  /// Without the capability the plain option is set, up to the limit, and nothing is thrown.
  @Test func withoutTheCapabilityTheLimitHolds() throws {
    let limits = (receive: try limit("rmem_max"), send: try limit("wmem_max"))
    let plenty = 4 * limits.receive / 60_000 + 8
    let found = onThread { () -> Result<[Int], any Error> in
      dropCapabilities()
      return Result {
        if isPrivileged() { Issue.record("the capabilities are still there") }
        let plain = try UDPSocket.bind(to: .loopback(port: 0))
        try plain.setOption(.receiveBuffer, to: 2 * limits.receive)
        let (receiveBuffer, held) = (try plain.option(.receiveBuffer), try held(by: plain, of: plenty))
        // Below the limit it is what was asked for.
        try plain.setOption(.receiveBuffer, to: 50_000)
        let small = try plain.option(.receiveBuffer)
        let sent = try taken(by: 2 * limits.send)
        return [receiveBuffer, held, small, sent.value, sent.bytes]
      }
    }
    let values = try found.get()
    #expect(values[0] == 2 * limits.receive && values[2] == 100_000 && values[3] == 2 * limits.send)
    // One datagram more than fits is taken; the peer's own buffer holds some of the bytes.
    #expect(values[1] <= 2 * limits.receive / 60_000 + 1 && values[1] > 0)
    #expect(values[4] <= 2 * limits.send + (1 << 18) && values[4] > 0)
  }
}
