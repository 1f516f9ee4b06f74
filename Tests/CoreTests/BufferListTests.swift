import Glibc
import SocketKit
import TestSupport
import Testing

/// Lists of any number of buffers: `GatherList` and `ScatterList`.
@Suite(.exclusive) struct BufferListTests {
  /// Arrays of lengths 0, 1, 2, 0, 1, 2 … with bytes that count up.
  private func chunks(_ count: Int) -> [[UInt8]] {
    var next: UInt8 = 0
    return (0..<count).map { index in
      (0..<index % 3).map { _ in
        next &+= 1
        return next
      }
    }
  }

  @Test(arguments: [0, 1, 8, 9, 100, 1024, 5000]) func anyNumberOfBuffersIsWrittenAndReadInOrder(_ count: Int) throws {
    let pair = try UnixStreamSocket.pair()
    let chunks = chunks(count)
    var list = GatherList()
    list.append(contentsOf: chunks)
    let sent = chunks.flatMap { $0 }
    #expect(list.byteCount == sent.count)
    try pair.first.writeAll(gathering: list, until: .after(.seconds(5)))

    var seen = chunks.map { [UInt8](repeating: 0, count: $0.count) }
    var buffers = ScatterList()
    buffers.append(contentsOf: &seen)
    #expect(buffers.byteCount == sent.count)
    try pair.second.readExactly(scattering: buffers, until: .after(.seconds(5)))
    #expect(seen == chunks)
    var byte: [UInt8] = [0]
    #expect(try pair.second.read(into: byte.mutableSpan) == nil)
  }

  /// The kernel takes 1024 buffers with one call (IOV_MAX).
  @Test func oneCallTakesAtMost1024Buffers() throws {
    let pair = try UnixStreamSocket.pair()
    let chunks = [[UInt8]](repeating: [1], count: 1030)
    var list = GatherList([0, 0].span)
    list.append(contentsOf: chunks)
    #expect(try pair.first.write(gathering: list) == 1025)
    var seen = [[UInt8]](repeating: [9], count: 1030)
    var buffers = ScatterList()
    buffers.append(contentsOf: &seen)
    #expect(try pair.second.read(scattering: buffers, until: .after(.seconds(5))) == .bytes(1024))
    #expect(seen[0] == [0] && seen[1023] == [1] && seen[1024] == [9])
  }

  @Test func fewBuffersAreOneCall() throws {
    let pair = try UnixStreamSocket.pair()
    let (head, body): ([UInt8], [UInt8]) = ([1, 2], [3, 4, 5])
    #expect(try pair.first.write(gathering: GatherList(head.span, Span(), body.span)) == 5)
    var list = GatherList(head.span)
    list.append(body.span)
    #expect(try pair.first.write(gathering: list, until: .after(.seconds(5))) == 5)
    #expect(try pair.first.write(gathering: GatherList(), until: .after(.seconds(5))) == 0)
    #expect(try pair.first.write(gathering: GatherList()) == 0)

    var (first, second, third) = ([UInt8](repeating: 0, count: 1), [UInt8](), [UInt8](repeating: 0, count: 8))
    #expect(try pair.second.read(scattering: ScatterList()) == .bytes(0))
    #expect(
      try pair.second.read(scattering: ScatterList(first.mutableSpan, second.mutableSpan, third.mutableSpan))
        == .bytes(9))
    #expect(first == [1] && third == [2, 3, 4, 5, 1, 2, 3, 4])
    let outcome = try pair.second.read(
      scattering: ScatterList(first.mutableSpan, second.mutableSpan), until: .after(.seconds(5)))
    #expect(outcome == .bytes(1) && first == [5])
    #expect(try pair.second.read(scattering: ScatterList(first.mutableSpan)) == nil)
    #expect(
      failure { _ = try pair.second.read(scattering: ScatterList(first.mutableSpan), until: .past) }?.code == .timedOut)
    try pair.first.shutdown(.write)
    #expect(try pair.second.read(scattering: ScatterList(first.mutableSpan)) == .endOfStream)
  }

  @Test func anErrorReportsWhatWasTransferred() throws {
    let pair = try UnixStreamSocket.pair()
    let large = [[UInt8]](repeating: [UInt8](repeating: 7, count: 100_000), count: 20)
    let refused = failure {
      var list = GatherList()
      list.append(contentsOf: large)
      try pair.first.writeAll(gathering: list, until: .after(.milliseconds(20)))
    }
    #expect(refused?.code == .timedOut)
    let taken = refused?.transferred ?? 0
    #expect(taken > 0 && taken < 2_000_000)
    var bytes = [UInt8](repeating: 0, count: taken)
    try pair.second.readExactly(into: bytes.mutableSpan, until: .after(.seconds(5)))

    try pair.first.writeAll([1, 2, 3].span, until: .after(.seconds(5)))
    try pair.first.shutdown(.write)
    var (head, rest) = ([UInt8](repeating: 0, count: 2), [UInt8](repeating: 0, count: 4))
    let ended = failure {
      try pair.second.readExactly(
        scattering: ScatterList(head.mutableSpan, rest.mutableSpan), until: .after(.seconds(5)))
    }
    #expect(ended?.code == .unexpectedEnd && ended?.transferred == 3)
    #expect(head == [1, 2] && rest == [3, 0, 0, 0])
  }

  private func failure(_ body: () throws -> Void) -> SocketError? {
    do {
      try body()
      return nil
    } catch {
      return error as? SocketError
    }
  }
}
