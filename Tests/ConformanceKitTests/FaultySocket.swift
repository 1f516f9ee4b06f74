import Glibc
import SocketKit
import Synchronization
import TestSupport

/// What a broken transport does otherwise than TCP; everything not written is right.
///
/// The caller's segments are valid during each call that passes them on.
protocol StreamFault: Sendable {
  static var capabilities: SocketCapabilities { get }
  static func made(_ descriptor: RawDescriptor)
  static func receive(
    _ socket: borrowing TCPSocket, _ buffer: inout MutableSpan<UInt8>, _ calls: borrowing Atomic<Int>
  ) -> IOResult
  static func send(_ socket: borrowing TCPSocket, _ bytes: Span<UInt8>, _ calls: borrowing Atomic<Int>) -> IOResult
  static func gather(_ socket: borrowing TCPSocket, _ segments: UnsafeBufferPointer<IOSegment>) -> IOResult
  static func scatter(_ socket: borrowing TCPSocket, _ segments: UnsafeBufferPointer<IOSegment>) -> IOResult
  static func shutdown(_ socket: borrowing TCPSocket, _ direction: ShutdownDirection) -> IOResult
  static func closing(_ result: IOResult) -> IOResult
  static func remoteAddress(_ socket: borrowing TCPSocket) throws(SocketError) -> IPSocketAddress
  static func readSource(_ socket: borrowing TCPSocket) -> RawDescriptor
}

extension StreamFault {
  static var capabilities: SocketCapabilities { .halfClose }
  static func made(_ descriptor: RawDescriptor) {}
  static func receive(
    _ socket: borrowing TCPSocket, _ buffer: inout MutableSpan<UInt8>, _ calls: borrowing Atomic<Int>
  ) -> IOResult { socket.attemptReceive(into: &buffer) }
  static func send(_ socket: borrowing TCPSocket, _ bytes: Span<UInt8>, _ calls: borrowing Atomic<Int>) -> IOResult {
    socket.attemptSend(bytes)
  }
  static func gather(_ socket: borrowing TCPSocket, _ segments: UnsafeBufferPointer<IOSegment>) -> IOResult {
    unsafe socket.attemptSend(gathering: segments)
  }
  static func scatter(_ socket: borrowing TCPSocket, _ segments: UnsafeBufferPointer<IOSegment>) -> IOResult {
    unsafe socket.attemptReceive(scattering: segments)
  }
  static func shutdown(_ socket: borrowing TCPSocket, _ direction: ShutdownDirection) -> IOResult {
    socket.attemptShutdown(direction)
  }
  static func remoteAddress(_ socket: borrowing TCPSocket) throws(SocketError) -> IPSocketAddress {
    try socket.remoteAddress()
  }
  static func closing(_ result: IOResult) -> IOResult { result }
  static func readSource(_ socket: borrowing TCPSocket) -> RawDescriptor { socket.readSource }
}

/// TCP with a fault: a wrapper transport, as a third party would write one.
struct FaultySocket<Fault: StreamFault>: ~Copyable, StreamSocket, Acceptable {
  let base: TCPSocket
  let receives = Atomic<Int>(0)
  let sends = Atomic<Int>(0)

  init(accepted descriptor: consuming Descriptor, context: borrowing Void) {
    self.init(TCPSocket(owning: descriptor))
  }
  init(_ base: consuming TCPSocket) {
    self.base = base
    Fault.made(self.base.descriptor)
  }

  static var capabilities: SocketCapabilities { Fault.capabilities }
  var readSource: RawDescriptor { Fault.readSource(base) }
  var writeSource: RawDescriptor { base.writeSource }
  borrowing func attemptReceive(into buffer: inout MutableSpan<UInt8>) -> IOResult {
    Fault.receive(base, &buffer, receives)
  }
  borrowing func attemptSend(_ bytes: Span<UInt8>) -> IOResult { Fault.send(base, bytes, sends) }
  borrowing func attemptSend(gathering segments: UnsafeBufferPointer<IOSegment>) -> IOResult {
    unsafe Fault.gather(base, segments)
  }
  borrowing func attemptReceive(scattering segments: UnsafeBufferPointer<IOSegment>) -> IOResult {
    unsafe Fault.scatter(base, segments)
  }
  borrowing func attemptShutdown(_ direction: ShutdownDirection) -> IOResult { Fault.shutdown(base, direction) }
  consuming func attemptClose() -> IOResult { Fault.closing(base.attemptClose()) }
  borrowing func localAddress() throws(SocketError) -> IPSocketAddress { try base.localAddress() }
  borrowing func remoteAddress() throws(SocketError) -> IPSocketAddress { try Fault.remoteAddress(base) }

  static func pair() throws -> SocketPair<FaultySocket> {
    let listener = try TCPSocket.listen(on: .loopback(port: 0))
    let client = try TCPSocket.connect(to: listener.localAddress(), until: .after(.seconds(5)))
    return SocketPair(FaultySocket(client), FaultySocket(try listener.accept(until: .after(.seconds(5)))))
  }
}

enum Faultless: StreamFault {}

enum DropsLastByte: StreamFault {
  static func receive(
    _ socket: borrowing TCPSocket, _ buffer: inout MutableSpan<UInt8>, _ calls: borrowing Atomic<Int>
  ) -> IOResult {
    let result = socket.attemptReceive(into: &buffer)
    return result.raw > 1 ? IOResult(raw: result.raw - 1) : result
  }
}

enum EndsEarly: StreamFault {
  static func receive(
    _ socket: borrowing TCPSocket, _ buffer: inout MutableSpan<UInt8>, _ calls: borrowing Atomic<Int>
  ) -> IOResult {
    calls.add(1, ordering: .relaxed).newValue > 1 ? .zero : socket.attemptReceive(into: &buffer)
  }
}

/// The classical mistake of translating would-block.
enum EndsWhenNothingIsThere: StreamFault {
  static func receive(
    _ socket: borrowing TCPSocket, _ buffer: inout MutableSpan<UInt8>, _ calls: borrowing Atomic<Int>
  ) -> IOResult {
    let result = socket.attemptReceive(into: &buffer)
    return result.isWouldBlock ? .zero : result
  }
}

enum WouldBlockIsError: StreamFault {
  static func receive(
    _ socket: borrowing TCPSocket, _ buffer: inout MutableSpan<UInt8>, _ calls: borrowing Atomic<Int>
  ) -> IOResult {
    let result = socket.attemptReceive(into: &buffer)
    return result.isWouldBlock ? .failure(errno: EIO) : result
  }
}

/// A try that waits knows neither deadlines nor controls.
enum BlocksInTry: StreamFault {
  static func receive(
    _ socket: borrowing TCPSocket, _ buffer: inout MutableSpan<UInt8>, _ calls: borrowing Atomic<Int>
  ) -> IOResult {
    polledEvents(socket.descriptor.value, for: POLLIN, milliseconds: Int32(tooLong / .milliseconds(1)))
    return socket.attemptReceive(into: &buffer)
  }
}

/// Fails a call while another thread is in one.
enum ServesOneThread: StreamFault {
  static func receive(
    _ socket: borrowing TCPSocket, _ buffer: inout MutableSpan<UInt8>, _ calls: borrowing Atomic<Int>
  ) -> IOResult {
    defer { calls.subtract(1, ordering: .relaxed) }
    if calls.add(1, ordering: .relaxed).oldValue > 0 { return .failure(errno: EBUSY) }
    usleep(200)
    return socket.attemptReceive(into: &buffer)
  }
  static func send(_ socket: borrowing TCPSocket, _ bytes: Span<UInt8>, _ calls: borrowing Atomic<Int>) -> IOResult {
    defer { calls.subtract(1, ordering: .relaxed) }
    if calls.add(1, ordering: .relaxed).oldValue > 0 { return .failure(errno: EBUSY) }
    usleep(200)
    return socket.attemptSend(bytes)
  }
}

/// A signal shows as an error of the call that it came in.
enum SignalIsError: StreamFault {
  static func receive(
    _ socket: borrowing TCPSocket, _ buffer: inout MutableSpan<UInt8>, _ calls: borrowing Atomic<Int>
  ) -> IOResult {
    if polledEvents(socket.descriptor.value, for: POLLIN, milliseconds: 100) == nil { return .failure(errno: errno) }
    return socket.attemptReceive(into: &buffer)
  }
}

enum ScribblesBehindTheEnd: StreamFault {
  static func receive(
    _ socket: borrowing TCPSocket, _ buffer: inout MutableSpan<UInt8>, _ calls: borrowing Atomic<Int>
  ) -> IOResult {
    let result = socket.attemptReceive(into: &buffer)
    if result.raw > 0 && result.raw < buffer.count { buffer[result.raw] = 0 }
    return result
  }
}

enum ShortWriteIsFull: StreamFault {
  static func send(_ socket: borrowing TCPSocket, _ bytes: Span<UInt8>, _ calls: borrowing Atomic<Int>) -> IOResult {
    let result = socket.attemptSend(bytes)
    return result.raw > 0 ? IOResult(raw: bytes.count) : result
  }
}

enum Duplicates: StreamFault {
  static func send(_ socket: borrowing TCPSocket, _ bytes: Span<UInt8>, _ calls: borrowing Atomic<Int>) -> IOResult {
    let result = socket.attemptSend(bytes)
    if result.raw > 0 && calls.add(1, ordering: .relaxed).newValue % 5 == 0 {
      _ = socket.attemptSend(bytes.extracting(first: 1))
    }
    return result
  }
}

enum RaisesBrokenPipe: StreamFault {
  static func send(_ socket: borrowing TCPSocket, _ bytes: Span<UInt8>, _ calls: borrowing Atomic<Int>) -> IOResult {
    // The bytes outlive the call.
    let count = unsafe bytes.withUnsafeBytes { unsafe Glibc.send(socket.descriptor.value, $0.baseAddress, $0.count, 0) }
    return count < 0 ? .failure(errno: errno) : IOResult(raw: count)
  }
}

/// Reports a lost connection once, as SCTP does. After a write has reported it, a read would block.
enum WaitsAfterAFailedWrite: StreamFault {
  private static let failed = Atomic<Int32>(-1)

  static func made(_ descriptor: RawDescriptor) {
    _ = failed.compareExchange(expected: descriptor.value, desired: -1, ordering: .relaxed)
  }

  static func send(_ socket: borrowing TCPSocket, _ bytes: Span<UInt8>, _ calls: borrowing Atomic<Int>) -> IOResult {
    let result = socket.attemptSend(bytes)
    if result.isFailure && !result.isWouldBlock { failed.store(socket.descriptor.value, ordering: .relaxed) }
    return result
  }

  static func receive(
    _ socket: borrowing TCPSocket, _ buffer: inout MutableSpan<UInt8>, _ calls: borrowing Atomic<Int>
  ) -> IOResult {
    let result = socket.attemptReceive(into: &buffer)
    let hasFailed = failed.load(ordering: .relaxed) == socket.descriptor.value
    return hasFailed && result.raw <= 0 ? .failure(errno: EAGAIN) : result
  }
}

enum GathersBackwards: StreamFault {
  static func gather(_ socket: borrowing TCPSocket, _ segments: UnsafeBufferPointer<IOSegment>) -> IOResult {
    // The array outlives the call.
    unsafe Array(segments.reversed()).withUnsafeBufferPointer { unsafe socket.attemptSend(gathering: $0) }
  }
}

/// As sendmsg(2) does without MSG_NOSIGNAL.
enum RaisesBrokenPipeInGather: StreamFault {
  static func gather(_ socket: borrowing TCPSocket, _ segments: UnsafeBufferPointer<IOSegment>) -> IOResult {
    let count = unsafe Glibc.send(socket.descriptor.value, segments[0].baseAddress, segments[0].count, 0)
    return count < 0 ? .failure(errno: errno) : IOResult(raw: count)
  }
}

enum ShortGatherIsFull: StreamFault {
  static func gather(_ socket: borrowing TCPSocket, _ segments: UnsafeBufferPointer<IOSegment>) -> IOResult {
    let result = unsafe socket.attemptSend(gathering: segments)
    return result.raw > 0 ? unsafe IOResult(raw: segments.reduce(0) { $0 + $1.count }) : result
  }
}

enum ScatterEndsWhenNothingIsThere: StreamFault {
  static func scatter(_ socket: borrowing TCPSocket, _ segments: UnsafeBufferPointer<IOSegment>) -> IOResult {
    let result = unsafe socket.attemptReceive(scattering: segments)
    return result.isWouldBlock ? .zero : result
  }
}

enum ScatterMissesTheEnd: StreamFault {
  static func scatter(_ socket: borrowing TCPSocket, _ segments: UnsafeBufferPointer<IOSegment>) -> IOResult {
    let result = unsafe socket.attemptReceive(scattering: segments)
    return result == .zero ? .failure(errno: EAGAIN) : result
  }
}

/// Clears the byte behind a buffer that it has filled.
enum WritesBeyondTheBuffer: StreamFault {
  static func receive(
    _ socket: borrowing TCPSocket, _ buffer: inout MutableSpan<UInt8>, _ calls: borrowing Atomic<Int>
  ) -> IOResult {
    let result = socket.attemptReceive(into: &buffer)
    // Beyond the bounds on purpose: the rule's buffer is followed by more bytes of the same array.
    unsafe buffer.withUnsafeMutableBytes { memory in
      if result.raw == memory.count {
        unsafe memory.baseAddress?.storeBytes(of: 0, toByteOffset: memory.count, as: UInt8.self)
      }
    }
    return result
  }
}

enum ResetIsTheEnd: StreamFault {
  static func receive(
    _ socket: borrowing TCPSocket, _ buffer: inout MutableSpan<UInt8>, _ calls: borrowing Atomic<Int>
  ) -> IOResult {
    let result = socket.attemptReceive(into: &buffer)
    return result.isFailure && result.errno == ECONNRESET ? .zero : result
  }
}

enum ReadShutdownIsBoth: StreamFault {
  static func shutdown(_ socket: borrowing TCPSocket, _ direction: ShutdownDirection) -> IOResult {
    socket.attemptShutdown(direction == .read ? .both : direction)
  }
}

enum SwallowsHalfClose: StreamFault {
  static func shutdown(_ socket: borrowing TCPSocket, _ direction: ShutdownDirection) -> IOResult {
    direction != .write ? socket.attemptShutdown(direction) : .zero
  }
}

enum HalfCloseIsClose: StreamFault {
  static func shutdown(_ socket: borrowing TCPSocket, _ direction: ShutdownDirection) -> IOResult {
    socket.attemptShutdown(.both)
  }
}

/// Looks for bytes again and again instead of letting the caller sleep.
enum SpinsInTry: StreamFault {
  static func receive(
    _ socket: borrowing TCPSocket, _ buffer: inout MutableSpan<UInt8>, _ calls: borrowing Atomic<Int>
  ) -> IOResult {
    spin { socket.attemptReceive(into: &buffer) }
  }
  static func send(_ socket: borrowing TCPSocket, _ bytes: Span<UInt8>, _ calls: borrowing Atomic<Int>) -> IOResult {
    spin { socket.attemptSend(bytes) }
  }
}

/// Tries for up to 50 ms while the result is would-block.
func spin(_ attempt: () -> IOResult) -> IOResult {
  let limit = Deadline.after(.milliseconds(50))
  var result = attempt()
  while result.isWouldBlock, !limit.hasPassed { result = attempt() }
  return result
}

enum FailsToClose: StreamFault {
  static func closing(_ result: IOResult) -> IOResult { .failure(errno: EIO) }
}

enum SwallowsEveryShutdown: StreamFault {
  static func shutdown(_ socket: borrowing TCPSocket, _ direction: ShutdownDirection) -> IOResult { .zero }
}

/// Holds a write of few bytes back until more come.
enum HoldsSmallWritesBack: StreamFault {
  static func send(_ socket: borrowing TCPSocket, _ bytes: Span<UInt8>, _ calls: borrowing Atomic<Int>) -> IOResult {
    bytes.count < 8 ? IOResult(raw: bytes.count) : socket.attemptSend(bytes)
  }
}

enum WouldBlockIsErrorInWrites: StreamFault {
  static func send(_ socket: borrowing TCPSocket, _ bytes: Span<UInt8>, _ calls: borrowing Atomic<Int>) -> IOResult {
    let result = socket.attemptSend(bytes)
    return result.isWouldBlock ? .failure(errno: EIO) : result
  }
}

enum SwallowsShutdown: StreamFault {
  static func shutdown(_ socket: borrowing TCPSocket, _ direction: ShutdownDirection) -> IOResult {
    direction == .both ? socket.attemptShutdown(direction) : .zero
  }
}

enum MistakesThePeer: StreamFault {
  static func remoteAddress(_ socket: borrowing TCPSocket) throws(SocketError) -> IPSocketAddress {
    try socket.localAddress()
  }
}

enum ForgetsCloseOnExec: StreamFault {
  static func made(_ descriptor: RawDescriptor) { _ = fcntl(descriptor.value, F_SETFD, 0) }
}

enum ForgetsNonBlocking: StreamFault {
  static func made(_ descriptor: RawDescriptor) { _ = fcntl(descriptor.value, F_SETFL, 0) }
}

enum LeaksDescriptor: StreamFault {
  static func made(_ descriptor: RawDescriptor) { Leaks.add(dup(descriptor.value)) }
}
