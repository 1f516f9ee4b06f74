import SocketKit
import TestSupport
import Testing

@Suite(.exclusive) struct MessageFlagTests {
  // The kernel gave MSG_CMSG_CLOEXEC back as a flag of every message, so that no end of packets was ever recognized.
  @Test func howTheKernelWasAskedIsNoFlagOfTheMessage() throws {
    let receiver = try UDPSocket.bind(to: .loopback(port: 0))
    let sender = try UDPSocket.connect(to: receiver.localAddress())
    for _ in 0..<2 { try sender.send([1].span, to: nil, until: .after(.seconds(5))) }
    var buffer: [UInt8] = [0, 0]
    var info = MessageInfo()
    _ = try receiver.receive(into: buffer.mutableSpan, &info, until: .after(.seconds(5)))
    #expect(info.flags.isEmpty)
    var batch = MessageBatch(capacity: 1, messageCapacity: 8)
    var outcome = try batch.receive(from: receiver)
    while outcome == nil { outcome = try batch.receive(from: receiver) }
    #expect(outcome == 1 && batch[0].flags.isEmpty)
  }

  @Test func howTheKernelWasAskedIsNoFlagOfAUnixMessage() throws {
    let pair = try UnixDatagramSocket.pair()
    for _ in 0..<2 { _ = try pair.first.send([1].span) }
    var buffer: [UInt8] = [0, 0]
    var info = MessageInfo()
    _ = try pair.second.receive(into: buffer.mutableSpan, &info, until: .after(.seconds(5)))
    #expect(info.flags.isEmpty)
    var batch = MessageBatch(capacity: 1, messageCapacity: 8)
    let outcome = try batch.receive(from: pair.second)
    #expect(outcome == 1 && batch[0].flags.isEmpty)
  }
}
