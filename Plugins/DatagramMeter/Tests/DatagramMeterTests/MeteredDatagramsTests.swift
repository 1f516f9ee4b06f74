import DatagramMeter
import Glibc
import SocketKitCore
import SocketKitEpoll
import SocketKitIP
import SocketKitUDP
import Testing

@Suite("Metered datagrams", .serialized)
struct MeteredDatagramsTests {
  let patience = Duration.seconds(10)

  @Test("Messages, bytes and truncation are counted, both ways")
  func oneByOne() throws {
    let server = MeteredDatagrams(try UDPSocket.bind(to: .loopback(port: 0)))
    let client = MeteredDatagrams(try UDPSocket.connect(to: try server.localAddress()))
    var buffer = [UInt8](repeating: 0, count: 16)
    for length in [10, 0, 16, 40] {
      let bytes = [UInt8](repeating: 7, count: length)
      try client.send(bytes.span, to: nil, until: .after(patience))
      var info = MessageInfo()
      let count = try server.receive(into: buffer.mutableSpan, &info, until: .after(patience))
      #expect(count == min(16, length) && info.length == length)
    }
    #expect(client.sent.messages == 4 && client.sent.bytes == 66 && client.sent.truncated == 0)
    #expect(server.received.messages == 4 && server.received.bytes == 66 && server.received.truncated == 1)
    #expect(server.sent == DatagramTraffic() && client.received == DatagramTraffic())
  }

  @Test("Batches are passed on and counted as what they hold")
  func batches() throws {
    let server = MeteredDatagrams(try UDPSocket.bind(to: .loopback(port: 0)))
    let client = MeteredDatagrams(try UDPSocket.connect(to: try server.localAddress()))
    var batch = MessageBatch(capacity: 8, messageCapacity: 32)
    for length in 1...8 { try batch.append([UInt8](repeating: 1, count: 4 * length).span) }
    #expect(try batch.send(on: client) == 8)
    var small = MessageBatch(capacity: 8, messageCapacity: 28)
    var poller = try EpollPoller(EpollPoller.configuration(capacity: 1))
    try poller.register(server, for: .readable, token: Token(index: 1))
    #expect(try poller.wait(until: .after(patience)) == 1)
    #expect(try small.receive(from: server) == 8)
    #expect(server.received.messages == 8 && server.received.bytes == 144 && server.received.truncated == 1)
    #expect(client.sent.messages == 8 && client.sent.bytes == 144)
    #expect(try small.receive(from: server) == nil)
    #expect(server.received.messages == 8)
    try poller.deregister(server)
  }

  @Test("Messages in several buffers are passed on and counted as one")
  func severalBuffers() throws {
    let server = MeteredDatagrams(try UDPSocket.bind(to: .loopback(port: 0)))
    let client = MeteredDatagrams(try UDPSocket.connect(to: try server.localAddress()))
    let (head, body): ([UInt8], [UInt8]) = ([1, 2], [3, 4, 5])
    #expect(try client.send(gathering: GatherList(head.span, body.span)) == 5)
    #expect(try client.send(gathering: GatherList(body.span, head.span), until: .after(patience)) == 5)
    #expect(client.sent.messages == 2 && client.sent.bytes == 10 && client.sent.truncated == 0)
    var (first, second): ([UInt8], [UInt8]) = ([0], [0, 0, 0, 0])
    var info = MessageInfo()
    let whole = try server.receive(
      scattering: ScatterList(first.mutableSpan, second.mutableSpan), &info, until: .after(patience))
    #expect(whole == 5 && first == [1] && second == [2, 3, 4, 5] && !info.isTruncated)
    #expect(server.received.messages == 1 && server.received.bytes == 5 && server.received.truncated == 0)
    let part = try server.receive(scattering: ScatterList(first.mutableSpan), &info, until: .after(patience))
    #expect(part == 1 && first == [3] && info.isTruncated)
    #expect(server.received.messages == 2 && server.received.bytes == 10 && server.received.truncated == 1)
    #expect(try server.receive(scattering: ScatterList(first.mutableSpan), &info) == nil)
    let tooLong = [UInt8](repeating: 0, count: 40_000)
    #expect(throws: SocketError(.failure(errno: EMSGSIZE), .send)) {
      try client.send(gathering: GatherList(tooLong.span, tooLong.span))
    }
    #expect(server.received.messages == 2 && client.sent.messages == 2)
  }

  @Test("What fails is not counted, and wrappers wrap each other")
  func failures() throws {
    let socket = MeteredDatagrams(MeteredDatagrams(try UDPSocket.bind(to: .loopback(port: 0))))
    var buffer: [UInt8] = [0]
    var sender: IPSocketAddress?
    #expect(try socket.receive(into: buffer.mutableSpan, from: &sender) == nil)
    let tooLong = [UInt8](repeating: 0, count: 65536)
    #expect(throws: SocketError(.failure(errno: EMSGSIZE), .send)) {
      try socket.send(tooLong.span, to: try socket.localAddress())
    }
    #expect(socket.received == DatagramTraffic() && socket.sent == DatagramTraffic())
    #expect(try socket.send([1].span, to: try socket.localAddress()) == 1)
    #expect(socket.sent.messages == 1)
    let inner = socket.unwrapped()
    #expect(inner.sent.bytes == 1)
  }
}
