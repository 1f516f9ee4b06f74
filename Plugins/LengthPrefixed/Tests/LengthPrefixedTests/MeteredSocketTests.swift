import LengthPrefixed
import SocketKitCore
import SocketKitIP
import SocketKitTCP
import SocketKitUnix
import Testing

extension OneAtATime.MeteredSocketTests {
  @Test func countsWhatTheStreamTook() throws {
    let pair = try UnixStreamSocket.pair()
    try pair.split { (a, b) throws(SocketError) in
      let sender = MeteredSocket(a)
      let receiver = MeteredSocket(b)
      var buffer = [UInt8](repeating: 0, count: 1 << 20)
      var moved = 0
      // A stream whose buffer fills up accepts part of the bytes, then nothing. Only the accepted bytes count.
      while let count = try sender.write(buffer.span) { moved += count }
      #expect(sender.sent == moved)
      #expect(sender.received == 0)
      while receiver.received < moved { _ = try receiver.read(into: buffer.mutableSpan) }
      #expect(try receiver.read(into: buffer.mutableSpan) == nil)
      #expect(receiver.received == moved)
      let plain = receiver.unwrapped()
      #expect(try plain.read(into: buffer.mutableSpan) == nil)
    }
  }

  @Test func gatheringAndScatteringPassThrough() throws {
    let pair = try UnixStreamSocket.pair()
    try pair.split { (a, b) throws(SocketError) in
      let sender = MeteredSocket(a, quota: ByteQuota(sent: 7))
      let receiver = MeteredSocket(b, quota: ByteQuota(received: 7))
      var first = [UInt8](repeating: 0, count: 2)
      var second = [UInt8](repeating: 0, count: 3)
      #expect(try sender.write(gathering: GatherList([1, 2].span, [3, 4, 5].span)) == 5)
      #expect(try receiver.read(scattering: ScatterList(first.mutableSpan, second.mutableSpan)) == .bytes(5))
      #expect(first == [1, 2] && second == [3, 4, 5])
      // Two bytes of each quota remain.
      #expect(try sender.write(gathering: GatherList([6].span, [7, 8].span)) == 1)
      #expect(try sender.write(gathering: GatherList([7, 8].span, [9].span)) == 1)
      #expect(sender.sent == 7)
      #expect(try receiver.read(scattering: ScatterList(second.mutableSpan, first.mutableSpan)) == .bytes(2))
      #expect(second[0..<2] == [6, 7])
    }
  }

  @Test func aQuotaIsExact() throws {
    let pair = try UnixStreamSocket.pair()
    try pair.split { (a, b) throws(SocketError) in
      let receiver = MeteredSocket(b, quota: ByteQuota(received: 3))
      var buffer = [UInt8](repeating: 0, count: 8)
      #expect(try a.write([1, 2, 3].span) == 3)
      #expect(try receiver.read(into: buffer.mutableSpan) == .bytes(3))
      // The quota is exhausted and no more bytes have arrived. The read returns nil: it does not fail, and it does not
      // cause a busy loop with a poller.
      #expect(try receiver.read(into: buffer.mutableSpan) == nil)
      #expect(try a.write([4].span) == 1)
      #expect(number { () throws(SocketError) in _ = try receiver.read(into: buffer.mutableSpan) } == 122)
      try a.shutdown(.write)
      #expect(try receiver.read(into: buffer.mutableSpan) == .endOfStream)
    }
  }

  @Test func moreThanTheQuotaIsCutThere() throws {
    let pair = try UnixStreamSocket.pair()
    try pair.split { (a, b) throws(SocketError) in
      let sender = MeteredSocket(a, quota: ByteQuota(sent: 5))
      let receiver = MeteredSocket(b, quota: ByteQuota(received: 4))
      #expect(try sender.write([1, 2, 3, 4, 5, 6].span) == 5)
      #expect(number { () throws(SocketError) in _ = try sender.write([6].span) } == ByteQuota.errorNumber)
      var buffer = [UInt8](repeating: 0, count: 8)
      #expect(try receiver.read(into: buffer.mutableSpan) == .bytes(4))
      #expect(buffer[0..<4] == [1, 2, 3, 4])
      #expect(number { () throws(SocketError) in _ = try receiver.read(into: buffer.mutableSpan) } == 122)
      #expect(receiver.received == 4 && sender.sent == 5)
      // A read into an empty buffer requests no bytes, so it does not fail.
      var empty: [UInt8] = []
      #expect(try receiver.read(into: empty.mutableSpan) == .bytes(0))
    }
  }

  @Test func wrappersWrapWrappers() throws {
    typealias Twice = MeteredSocket<MeteredSocket<TCPSocket>>
    let plan = MeterPlan(ByteQuota(received: 2), base: MeterPlan(.unlimited))
    let listener = try TCPSocket.listen(on: .loopback(port: 0)).accepting(Twice.self, context: plan)
    let limit = Deadline.after(.seconds(5))
    let client = try TCPSocket.connect(to: listener.localAddress(), until: limit)
    let server = try listener.accept(until: limit)
    try client.writeAll([1, 2, 3].span, until: limit)
    var buffer = [UInt8](repeating: 0, count: 3)
    #expect(try server.read(into: buffer.mutableSpan, until: limit) == .bytes(2))
    #expect(try server.remoteAddress() == client.localAddress())
    #expect(server.unwrapped().received == 2)
  }
}

/// Returns the error number of the error that `body` throws, or nil.
func number(_ body: () throws(SocketError) -> Void) -> Int32? {
  do throws(SocketError) {
    try body()
    return nil
  } catch {
    return error.errno
  }
}
