import Glibc
import SocketKit
import Synchronization
import TestSupport

enum NoMessageFault: MessageFault {}

enum SwallowsMessageShutdown: MessageFault {
  static var swallowsShutdown: Bool { true }
}

/// Looks for messages, and for room, again and again instead of letting the caller sleep.
enum SpinsOverMessages: MessageFault {
  static func receive(
    _ buffer: inout MutableSpan<UInt8>, _ ancillary: inout MutableRawSpan, _ flags: ReceiveFlags,
    _ info: inout MessageInfo,
    _ base: ReceiveCall
  ) -> IOResult { spin { base(&buffer, &ancillary, flags, &info) } }
  static func send(
    _ bytes: Span<UInt8>, _ ancillary: RawSpan, _ address: RawSpan, _ flags: SendFlags, _ base: SendCall
  ) -> IOResult { spin { base(bytes, ancillary, address, flags) } }
}

/// Reports the cut length as the full one, and clears the flag.
enum LosesTruncation: ReceivedFault {
  static func received(
    _ result: IOResult, _ buffer: inout MutableSpan<UInt8>, _ ancillary: inout MutableRawSpan, _ info: inout MessageInfo
  ) -> IOResult {
    guard result.raw > buffer.count else { return result }
    info.length = buffer.count
    info.flags.remove(.truncated)
    return IOResult(raw: buffer.count)
  }
}

/// Clears the byte behind a buffer that it has filled.
enum WritesBeyondTheMessage: ReceivedFault {
  static func received(
    _ result: IOResult, _ buffer: inout MutableSpan<UInt8>, _ ancillary: inout MutableRawSpan, _ info: inout MessageInfo
  ) -> IOResult {
    // Beyond the bounds on purpose: the rule's buffer is followed by more bytes of the same array.
    unsafe buffer.withUnsafeMutableBytes { memory in
      if result.raw >= memory.count {
        unsafe memory.baseAddress?.storeBytes(of: 0, toByteOffset: memory.count, as: UInt8.self)
      }
    }
    return result
  }
}

enum ForgetsTheFlag: ReceivedFault {
  static func received(
    _ result: IOResult, _ buffer: inout MutableSpan<UInt8>, _ ancillary: inout MutableRawSpan, _ info: inout MessageInfo
  ) -> IOResult {
    info.flags.remove(.truncated)
    return result
  }
}

/// Receives descriptors that nobody asked for into memory of its own, and forgets them.
enum LeaksSurplus: MessageFault {
  static func receive(
    _ buffer: inout MutableSpan<UInt8>, _ ancillary: inout MutableRawSpan, _ flags: ReceiveFlags,
    _ info: inout MessageInfo,
    _ base: ReceiveCall
  ) -> IOResult {
    if !ancillary.isEmpty { return base(&buffer, &ancillary, flags, &info) }
    var memory = [UInt8](repeating: 0, count: 256)
    var span = memory.mutableSpan
    var own = span.mutableIntegerBytes
    let result = base(&buffer, &own, flags, &info)
    if info.ancillaryLength > 0 { info.flags.insert(.ancillaryTruncated) }
    let received = own.bytes.extracting(first: info.ancillaryLength)
    AncillaryData.forEach(in: received) { _, _, data in
      for offset in stride(from: 0, to: data.byteCount, by: 4) {
        Leaks.add(data.integer(at: offset, as: Int32.self))
      }
    }
    info.ancillaryLength = 0
    return result
  }
}

/// Says that no descriptors can come, so that the library does not look for them.
enum DeniesDescriptors: ReceivedFault {
  static var mayReceiveDescriptors: Bool { false }
  static func received(
    _ result: IOResult, _ buffer: inout MutableSpan<UInt8>, _ ancillary: inout MutableRawSpan, _ info: inout MessageInfo
  ) -> IOResult {
    let received = ancillary.bytes.extracting(first: min(info.ancillaryLength, ancillary.byteCount))
    AncillaryData.forEach(in: received) { _, _, data in
      for offset in stride(from: 0, to: data.byteCount, by: 4) {
        Leaks.add(data.integer(at: offset, as: Int32.self))
      }
    }
    return result
  }
}

/// Reports a lost connection once. After a send has reported it, a receive would block.
enum WaitsAfterAFailedSend: ReceivedFault, SentFault {
  private static let hasFailed = Atomic<Bool>(false)

  static func sent(_ result: IOResult, _ bytes: Span<UInt8>) -> IOResult {
    if !result.isWouldBlock { hasFailed.store(result.isFailure, ordering: .relaxed) }
    return result
  }

  static func received(
    _ result: IOResult, _ buffer: inout MutableSpan<UInt8>, _ ancillary: inout MutableRawSpan, _ info: inout MessageInfo
  ) -> IOResult {
    return hasFailed.load(ordering: .relaxed) && result.raw <= 0 ? .wouldBlock : result
  }
}

enum TakesEmptyForTheEnd: MessageFault {
  static func isEnd(_ info: MessageInfo) -> Bool { info.length == 0 }
}

enum TakesTheEndForEmpty: MessageFault {
  static func isEnd(_ info: MessageInfo) -> Bool { false }
}

/// An empty datagram is nothing to it.
enum SwallowsEmpty: ReceivedFault {
  static func received(
    _ result: IOResult, _ buffer: inout MutableSpan<UInt8>, _ ancillary: inout MutableRawSpan, _ info: inout MessageInfo
  ) -> IOResult {
    return result.raw == 0 ? .wouldBlock : result
  }
}

enum MergesTwo: MessageFault {
  static func receive(
    _ buffer: inout MutableSpan<UInt8>, _ ancillary: inout MutableRawSpan, _ flags: ReceiveFlags,
    _ info: inout MessageInfo,
    _ base: ReceiveCall
  ) -> IOResult {
    let first = base(&buffer, &ancillary, flags, &info)
    guard first.raw > 0, first.raw < buffer.count else { return first }
    var rest = buffer._mutatingExtracting(droppingFirst: first.raw)
    let second = base(&rest, &ancillary, flags, &info)
    info.length = first.raw + max(0, second.raw)
    return IOResult(raw: info.length)
  }
}

enum Splits: MessageFault {
  static func send(
    _ bytes: Span<UInt8>, _ ancillary: RawSpan, _ address: RawSpan, _ flags: SendFlags, _ base: SendCall
  ) -> IOResult {
    if bytes.count < 1000 { return base(bytes, ancillary, address, flags) }
    let first = base(bytes.extracting(first: 900), ancillary, address, flags)
    let second = base(bytes.extracting(droppingFirst: 900), ancillary, address, flags)
    return IOResult(raw: first.raw + second.raw)
  }
}

enum DropsTheSender: ReceivedFault {
  static func received(
    _ result: IOResult, _ buffer: inout MutableSpan<UInt8>, _ ancillary: inout MutableRawSpan, _ info: inout MessageInfo
  ) -> IOResult {
    info.address = AnySocketAddress()
    return result
  }
}

/// Receives with the sender only, and cuts the length with the message.
enum ForgetsTheLength: MessageFault {
  static func receive(
    _ buffer: inout MutableSpan<UInt8>, from address: inout AnySocketAddress, _ base: ReceiveFromCall
  ) -> IOResult {
    let result = base(&buffer, &address)
    return result.raw > buffer.count ? IOResult(raw: buffer.count) : result
  }
}

enum IgnoresPeek: MessageFault {
  static func receive(
    _ buffer: inout MutableSpan<UInt8>, _ ancillary: inout MutableRawSpan, _ flags: ReceiveFlags,
    _ info: inout MessageInfo,
    _ base: ReceiveCall
  ) -> IOResult { base(&buffer, &ancillary, flags.subtracting(.peek), &info) }
}

/// Would rather lose a message than say that there is no room.
enum DropsWhenFull: SentFault {
  static func sent(_ result: IOResult, _ bytes: Span<UInt8>) -> IOResult {
    return result.isWouldBlock ? IOResult(raw: bytes.count) : result
  }
}

enum CutsWhatIsTooLarge: MessageFault {
  static func send(
    _ bytes: Span<UInt8>, _ ancillary: RawSpan, _ address: RawSpan, _ flags: SendFlags, _ base: SendCall
  ) -> IOResult {
    if bytes.count < 65536 { return base(bytes, ancillary, address, flags) }
    let result = base(bytes.extracting(first: 65536), ancillary, address, flags)
    return result.isFailure ? result : IOResult(raw: bytes.count)
  }
}

/// The signal that the kernel would raise for a stream: other families raise it for packets.
enum RaisesBrokenPipeOnPackets: SentFault {
  static func sent(_ result: IOResult, _ bytes: Span<UInt8>) -> IOResult {
    if result.isFailure && !result.isWouldBlock { raise(SIGPIPE) }
    return result
  }
}

/// Says that it sent the last message of a batch, and does not.
enum LosesTheLastOfABatch: MessageFault {
  static func send(batch: inout MessageBatch, _ base: (inout MessageBatch) -> IOResult) -> IOResult {
    let rest = batch.count - batch.sent
    if rest < 2 { return base(&batch) }
    var short = MessageBatch(capacity: rest, messageCapacity: batch.messageCapacity)
    for slot in batch.sent..<batch.count - 1 {
      let address = batch[slot].address
      let bytes = [UInt8](copying: batch[slot].bytes)
      try? short.append(bytes.span, to: address)
    }
    let result = base(&short)
    guard result.raw == rest - 1 else { return result }
    batch.sent += rest
    return IOResult(raw: rest)
  }
}

enum ReportsMoreThanReceived: MessageFault {
  static func receive(batch: inout MessageBatch, _ base: (inout MessageBatch) -> IOResult) -> IOResult {
    let result = base(&batch)
    return result.raw > 0 ? IOResult(raw: result.raw + 1) : result
  }
}

/// Takes a batch that was sent in part for one that was sent in whole.
enum ForgetsTheRestOfABatch: MessageFault {
  static func send(batch: inout MessageBatch, _ base: (inout MessageBatch) -> IOResult) -> IOResult {
    let before = batch.sent
    let result = base(&batch)
    if result.isFailure { return result }
    batch.sent += batch.count - batch.sent
    return IOResult(raw: batch.count - before)
  }
}

/// Stops to count what it sent: a caller that goes on sends it twice.
enum SendsABatchTwice: MessageFault {
  static func send(batch: inout MessageBatch, _ base: (inout MessageBatch) -> IOResult) -> IOResult {
    let before = batch.sent
    let result = base(&batch)
    if result.raw > 1 {
      batch.sent = 0
      batch.sent += before + 1
      return IOResult(raw: 1)
    }
    return result
  }
}
