import Glibc
import SocketKit
import SocketKitConformance
import TestSupport

/// What a broken transport with continued messages does otherwise.
protocol ContinuationFault: Sendable {
  /// What is left of a message after a receive with a short buffer took its front.
  static func rest(of message: [UInt8], after offset: Int) -> Int
  /// Whether the piece is said to end its record.
  static func endsRecord(_ isLast: Bool) -> Bool
}

extension ContinuationFault {
  static func rest(of message: [UInt8], after offset: Int) -> Int { message.count - offset }
  static func endsRecord(_ isLast: Bool) -> Bool { isLast }
}

enum NoContinuationFault: ContinuationFault {}
/// Cuts, as datagrams are cut, and does not say so.
enum LosesTheRest: ContinuationFault {
  static func rest(of message: [UInt8], after offset: Int) -> Int { 0 }
}
enum EndsEveryPiece: ContinuationFault {
  static func endsRecord(_ isLast: Bool) -> Bool { true }
}
enum EndsNoRecord: ContinuationFault {
  static func endsRecord(_ isLast: Bool) -> Bool { false }
}

/// Unix packets that are continued where the buffer is too short, as SCTP's messages are: the front of the queue is
/// peeked at, and taken when its last byte has been given.
struct ContinuingPacketSocket<Fault: ContinuationFault>: ~Copyable, SequencedPacketSocket {
  private let base: UnixSequencedPacketSocket
  private let offset = Guarded(0)

  init(_ base: consuming UnixSequencedPacketSocket) { self.base = base }

  static var capabilities: SocketCapabilities { .continuedMessages }
  var readSource: RawDescriptor { base.readSource }
  var writeSource: RawDescriptor { base.writeSource }

  borrowing func attemptReceive(
    into buffer: inout MutableSpan<UInt8>, ancillary: inout MutableRawSpan, flags: ReceiveFlags,
    _ info: inout MessageInfo
  ) -> IOResult {
    var memory = [UInt8](repeating: 0, count: 1 << 18)
    var none = MutableRawSpan()
    let room = buffer.count
    let socket = base.descriptor
    let (result, offset) = self.offset.withLock { offset -> (IOResult, Int) in
      var bytes = memory.mutableSpan
      let result = socket.attemptReceiveMessage(into: &bytes, ancillary: &none, flags: .peek, &info)
      if result.raw <= 0 { return (result, 0) }
      let start = offset
      let message = Array(memory.prefix(result.raw))
      let isTaken = room > 0 && (start + room >= result.raw || Fault.rest(of: message, after: start + room) == 0)
      if !flags.contains(.peek) {
        offset = isTaken ? 0 : start + min(room, result.raw - start)
        var rest = MutableSpan<UInt8>()
        var dropped = MessageInfo()
        if isTaken {
          _ = socket.attemptReceiveMessage(into: &rest, ancillary: &none, flags: [], &dropped)
        }
      }
      return (result, start)
    }
    if result.raw <= 0 { return result }
    let count = min(room, result.raw - offset)
    for index in 0..<count { buffer[index] = memory[offset + index] }
    info.length = count == 0 ? 1 : count
    info.flags = Fault.endsRecord(offset + count == result.raw && count > 0) ? .endOfRecord : []
    return IOResult(raw: count)
  }

  borrowing func attemptSend(_ bytes: Span<UInt8>, ancillary: RawSpan, to address: RawSpan, flags: SendFlags)
    -> IOResult
  {
    bytes.isEmpty ? .failure(errno: EINVAL) : base.attemptSend(bytes, ancillary: ancillary, to: address, flags: flags)
  }
  borrowing func attemptShutdown(_ direction: ShutdownDirection) -> IOResult { base.attemptShutdown(direction) }
  consuming func attemptClose() -> IOResult { base.attemptClose() }
  borrowing func localAddress() throws(SocketError) -> UnixAddress { try base.localAddress() }
  borrowing func remoteAddress() throws(SocketError) -> UnixAddress { try base.remoteAddress() }

  static func pair() throws -> SocketPair<ContinuingPacketSocket> {
    try UnixSequencedPacketSocket.pair().split {
      SocketPair(ContinuingPacketSocket($0), ContinuingPacketSocket($1))
    }
  }
}
