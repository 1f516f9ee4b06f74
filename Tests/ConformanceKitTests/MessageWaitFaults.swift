import Glibc
import SocketKit
import Synchronization

// Faults of message transports that show when nothing is there, or no room.

/// A try that waits knows neither deadlines nor controls.
enum BlocksInMessageTry: MessageFault {
  static func receive(
    _ buffer: inout MutableSpan<UInt8>, _ ancillary: inout MutableRawSpan, _ flags: ReceiveFlags,
    _ info: inout MessageInfo,
    _ base: ReceiveCall
  ) -> IOResult {
    let result = base(&buffer, &ancillary, flags, &info)
    if !result.isWouldBlock { return result }
    usleep(UInt32(tooLong / .microseconds(1)))
    return base(&buffer, &ancillary, flags, &info)
  }
  static func send(
    _ bytes: Span<UInt8>, _ ancillary: RawSpan, _ address: RawSpan, _ flags: SendFlags, _ base: SendCall
  ) -> IOResult {
    let result = base(bytes, ancillary, address, flags)
    if !result.isWouldBlock { return result }
    usleep(UInt32(tooLong / .microseconds(1)))
    return base(bytes, ancillary, address, flags)
  }
}

enum MessageWouldBlockIsError: ReceivedFault, SentFault {
  static func received(
    _ result: IOResult, _ buffer: inout MutableSpan<UInt8>, _ ancillary: inout MutableRawSpan, _ info: inout MessageInfo
  ) -> IOResult {
    return result.isWouldBlock ? .failure(errno: EIO) : result
  }
  static func sent(_ result: IOResult, _ bytes: Span<UInt8>) -> IOResult {
    return result.isWouldBlock ? .failure(errno: EIO) : result
  }
}

/// A signal shows as an error of the call that it came in.
enum MessageSignalIsError: MessageFault {
  static func receive(
    _ buffer: inout MutableSpan<UInt8>, _ ancillary: inout MutableRawSpan, _ flags: ReceiveFlags,
    _ info: inout MessageInfo,
    _ base: ReceiveCall
  ) -> IOResult {
    let result = base(&buffer, &ancillary, flags, &info)
    if !result.isWouldBlock { return result }
    if usleep(100_000) != 0 { return .failure(errno: errno) }
    return base(&buffer, &ancillary, flags, &info)
  }
  static func send(
    _ bytes: Span<UInt8>, _ ancillary: RawSpan, _ address: RawSpan, _ flags: SendFlags, _ base: SendCall
  ) -> IOResult {
    let result = base(bytes, ancillary, address, flags)
    if !result.isWouldBlock { return result }
    if usleep(100_000) != 0 { return .failure(errno: errno) }
    return base(bytes, ancillary, address, flags)
  }
}

/// Where no message is, it gives an empty one: an end, to some.
enum EmptyWhenNothingIsThere: ReceivedFault {
  static func received(
    _ result: IOResult, _ buffer: inout MutableSpan<UInt8>, _ ancillary: inout MutableRawSpan, _ info: inout MessageInfo
  ) -> IOResult {
    return result.isWouldBlock ? .zero : result
  }
}

/// Waits for a peer that is gone to make room.
enum WaitsForTheGone: SentFault {
  static func sent(_ result: IOResult, _ bytes: Span<UInt8>) -> IOResult {
    return [ECONNREFUSED, ECONNRESET, EPIPE, ENOTCONN].contains(result.errno) && result.isFailure ? .wouldBlock : result
  }
}

/// Tells of a refusal again and again, once one has come.
enum RemembersRefusals: MessageFault {
  private static let refused = Atomic<Bool>(false)
  static func made(_ descriptor: RawDescriptor) { refused.store(false, ordering: .relaxed) }
  static func receive(
    _ buffer: inout MutableSpan<UInt8>, _ ancillary: inout MutableRawSpan, _ flags: ReceiveFlags,
    _ info: inout MessageInfo,
    _ base: ReceiveCall
  ) -> IOResult {
    if refused.load(ordering: .relaxed) { return .failure(errno: ECONNREFUSED) }
    return noting(base(&buffer, &ancillary, flags, &info))
  }
  static func send(
    _ bytes: Span<UInt8>, _ ancillary: RawSpan, _ address: RawSpan, _ flags: SendFlags, _ base: SendCall
  ) -> IOResult {
    if refused.load(ordering: .relaxed) { return .failure(errno: ECONNREFUSED) }
    return noting(base(bytes, ancillary, address, flags))
  }
  private static func noting(_ result: IOResult) -> IOResult {
    if result.isFailure && result.errno == ECONNREFUSED { refused.store(true, ordering: .relaxed) }
    return result
  }
}
