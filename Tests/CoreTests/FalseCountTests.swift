import Glibc
import SocketKit
import TestSupport
import Testing

/// A socket of another package may report false counts. SocketKit then traps or limits the count, and accesses no
/// memory outside its buffers.
@Suite(.exclusive) struct FalseCountTests {
  @Test(arguments: [1, 1000, Int.max]) func bytesBeyondTheBuffersTrap(_ excess: Int) async {
    await #expect(processExitsWith: .failure) { [excess] in
      let pair = try UnixStreamSocket.pair()
      let socket = ExaggeratingStream(pair.first, excess)
      let chunks = [[UInt8]](repeating: [1, 2], count: 20)
      var list = GatherList()
      list.append(contentsOf: chunks)
      // An error would end the process with a failure too, but only a trap is expected.
      do throws(SocketError) { try socket.writeAll(gathering: list, until: .after(.seconds(5))) } catch { exit(0) }
    }
  }

  @Test func exactCountsDoNotTrap() throws {
    let pair = try UnixStreamSocket.pair()
    let socket = ExaggeratingStream(pair.first, 0)
    let chunks = [[UInt8]](repeating: [1, 2], count: 20)
    var list = GatherList()
    list.append(contentsOf: chunks)
    try socket.writeAll(gathering: list, until: .after(.seconds(5)))
    var seen = [UInt8](repeating: 0, count: 40)
    try pair.second.readExactly(into: seen.mutableSpan, until: .after(.seconds(5)))
    #expect(seen == chunks.flatMap { $0 })
  }

  @Test(arguments: [Int.min, -32, -1, 65, Int.max]) func theLengthOfAncillaryDataIsLimited(_ length: Int) throws {
    let pair = try UnixDatagramSocket.pair()
    let socket = InventingDatagrams(pair.second, length)
    _ = try pair.first.send([7].span)
    var buffer: [UInt8] = [0]
    var ancillary = AncillaryBuffer<64>()
    var info = MessageInfo()
    let count = try socket.receive(into: buffer.mutableSpan, ancillary: &ancillary, &info)
    #expect(count == 1 && buffer == [7])
    #expect(ancillary.byteCount == (length < 0 ? 0 : 64))
    if length < 0 {
      try ancillary.append(level: SOL_SOCKET, type: SO_TIMESTAMP, value: 3 as Int32)
      #expect(ancillary.byteCount == 24)
    } else {
      #expect(throws: SocketError(code: .capacityExceeded, .send)) {
        try ancillary.append(level: SOL_SOCKET, type: SO_TIMESTAMP, value: 3 as Int32)
      }
    }
  }

  @Test func wouldBlockAfterTheLastMessageEndsTheSend() throws {
    let pair = try UnixDatagramSocket.pair()
    let socket = InventingDatagrams(pair.first, 0)
    var batch = MessageBatch(capacity: 2, messageCapacity: 4)
    try batch.append([1].span)
    try batch.append([2].span)
    #expect(try batch.send(on: socket, until: .after(.seconds(5))) == 2)
    #expect(batch.sent == 2)
  }
}

/// Reports more bytes than the socket has sent.
private struct ExaggeratingStream: ~Copyable, StreamSocket {
  typealias Address = UnixAddress
  let base: UnixStreamSocket
  let excess: Int

  init(_ base: consuming UnixStreamSocket, _ excess: Int) {
    self.base = base
    self.excess = excess
  }

  static var capabilities: SocketCapabilities { [] }
  var readSource: RawDescriptor { base.readSource }
  var writeSource: RawDescriptor { base.writeSource }
  borrowing func attemptShutdown(_ direction: ShutdownDirection) -> IOResult { base.attemptShutdown(direction) }
  consuming func attemptClose() -> IOResult { base.attemptClose() }
  borrowing func localAddress() throws(SocketError) -> UnixAddress { try base.localAddress() }
  borrowing func remoteAddress() throws(SocketError) -> UnixAddress { try base.remoteAddress() }
  borrowing func attemptReceive(into buffer: inout MutableSpan<UInt8>) -> IOResult {
    base.attemptReceive(into: &buffer)
  }
  borrowing func attemptSend(_ bytes: Span<UInt8>) -> IOResult { base.attemptSend(bytes) }

  @unsafe
  borrowing func attemptSend(gathering segments: UnsafeBufferPointer<IOSegment>) -> IOResult {
    let result = unsafe base.attemptSend(gathering: segments)
    return excess == 0 || result.isFailure ? result : IOResult(raw: excess == .max ? .max : result.raw + excess)
  }
}

/// Reports a false length of ancillary data, and would-block after it has sent all messages of a batch.
private struct InventingDatagrams: ~Copyable, DatagramSocket {
  typealias Address = UnixAddress
  let base: UnixDatagramSocket
  let length: Int

  init(_ base: consuming UnixDatagramSocket, _ length: Int) {
    self.base = base
    self.length = length
  }

  static var capabilities: SocketCapabilities { [] }
  var mayReceiveDescriptors: Bool { false }
  var readSource: RawDescriptor { base.readSource }
  var writeSource: RawDescriptor { base.writeSource }
  borrowing func attemptShutdown(_ direction: ShutdownDirection) -> IOResult { base.attemptShutdown(direction) }
  consuming func attemptClose() -> IOResult { base.attemptClose() }
  borrowing func localAddress() throws(SocketError) -> UnixAddress { try base.localAddress() }
  borrowing func connectedAddress() throws(SocketError) -> UnixAddress? { try base.connectedAddress() }

  borrowing func attemptReceive(
    into buffer: inout MutableSpan<UInt8>, ancillary: inout MutableRawSpan, flags: ReceiveFlags,
    _ info: inout MessageInfo
  ) -> IOResult {
    let result = base.attemptReceive(into: &buffer, ancillary: &ancillary, flags: flags, &info)
    info.ancillaryLength = length
    return result
  }

  borrowing func attemptSend(
    _ bytes: Span<UInt8>, ancillary: RawSpan, to address: RawSpan, flags: SendFlags
  ) -> IOResult { base.attemptSend(bytes, ancillary: ancillary, to: address, flags: flags) }

  borrowing func attemptSend(batch: inout MessageBatch) -> IOResult {
    while base.attemptSend(batch: &batch).raw > 0 {}
    return .failure(errno: EAGAIN)
  }
}
