import SocketKit
import SocketKitConformance
import Synchronization

/// A wrapper that reads up to 64 KiB ahead, and hands the bytes out one at a time. A stream that has transferred a lot
/// hands out as many as the caller wants, because megabytes in single bytes take long in a debug build.
struct ReadAheadSocket<Base: StreamSocket & ~Copyable, Fault: ReadAheadFault>: ~Copyable, StreamSocket {
  typealias Address = Base.Address

  let base: Base
  let held = Mutex(HeldBytes())

  init(_ base: consuming Base) { self.base = base }
  static var capabilities: SocketCapabilities { Base.capabilities }
  var readSource: RawDescriptor { base.readSource }
  var writeSource: RawDescriptor { base.writeSource }
  borrowing func attemptShutdown(_ direction: ShutdownDirection) -> IOResult { base.attemptShutdown(direction) }
  consuming func attemptClose() -> IOResult { base.attemptClose() }
  borrowing func localAddress() throws(SocketError) -> Base.Address { try base.localAddress() }
  borrowing func remoteAddress() throws(SocketError) -> Base.Address { try base.remoteAddress() }

  var pending: Readiness {
    let isHolding = held.withLock { !$0.isEmpty }
    return Fault.pending(isHolding ? base.pending.union(.readable) : base.pending)
  }

  borrowing func sources(for interest: Interest) -> Interest {
    let needed = base.sources(for: interest)
    return Fault.isShared ? needed.union(.changes) : needed
  }

  borrowing func attemptReceive(into buffer: inout MutableSpan<UInt8>) -> IOResult {
    var wasFilled = false
    let result = held.withLock { held in
      if buffer.count == 0 { return IOResult.zero }
      if held.isEmpty {
        let result = held.fill { base.attemptReceive(into: &$0) }
        if result.raw <= 0 { return result }
        wasFilled = true
        if Fault.holdsBack { return .wouldBlock }
      }
      let count = held.total < 1 << 14 ? 1 : buffer.count
      return IOResult(raw: held.take(count, into: &buffer))
    }
    if wasFilled { readSource.announceChanges() }
    return result
  }

  borrowing func attemptSend(_ bytes: Span<UInt8>) -> IOResult { base.attemptSend(bytes) }
  borrowing func attemptSend(gathering segments: UnsafeBufferPointer<IOSegment>) -> IOResult {
    // The caller's segments are valid during the call.
    unsafe base.attemptSend(gathering: segments)
  }
}

/// What a broken wrapper that reads ahead does otherwise.
protocol ReadAheadFault: Sendable {
  static func pending(_ readiness: Readiness) -> Readiness
  /// Whether it says that calls of other threads change it.
  static var isShared: Bool { get }
  /// Whether a read returns would-block although it has just taken bytes from its base.
  static var holdsBack: Bool { get }
}

extension ReadAheadFault {
  static func pending(_ readiness: Readiness) -> Readiness { readiness }
  static var isShared: Bool { true }
  static var holdsBack: Bool { false }
}

enum SoundReadAhead: ReadAheadFault {}
enum HidesWhatItHolds: ReadAheadFault {
  static func pending(_ readiness: Readiness) -> Readiness { [] }
}
/// As a wrapper of records does that returns after each record, also after one without data.
enum HoldsBackInSilence: ReadAheadFault {
  static func pending(_ readiness: Readiness) -> Readiness { [] }
  static var isShared: Bool { false }
  static var holdsBack: Bool { true }
}
enum IsAlwaysPending: ReadAheadFault {
  static func pending(_ readiness: Readiness) -> Readiness { [.readable, .writable] }
}
enum ForgetsOtherReaders: ReadAheadFault {
  static var isShared: Bool { false }
}

/// Bytes that a wrapper has taken from its base.
struct HeldBytes {
  private var memory: [UInt8] = []
  private var start = 0
  /// The number of bytes that were taken out.
  private(set) var total = 0

  var count: Int { memory.count - start }
  var isEmpty: Bool { count == 0 }

  /// Reads once, at most 64 KiB.
  mutating func fill(_ read: (inout MutableSpan<UInt8>) -> IOResult) -> IOResult {
    memory = [UInt8](repeating: 0, count: 1 << 16)
    var bytes = memory.mutableSpan
    let result = read(&bytes)
    memory.removeSubrange(max(0, result.raw)...)
    start = 0
    return result
  }

  mutating func append(_ bytes: some Sequence<UInt8>) {
    if isEmpty {
      memory.removeAll(keepingCapacity: true)
      start = 0
    }
    memory.append(contentsOf: bytes)
  }

  /// Moves up to `most` bytes to the front of a buffer; returns their number.
  mutating func take(_ most: Int, into buffer: inout MutableSpan<UInt8>) -> Int {
    let count = min(most, count, buffer.count)
    // Both have at least `count` bytes, and do not overlap.
    unsafe buffer.withUnsafeMutableBytes { target in
      unsafe memory.withUnsafeBytes {
        unsafe target.copyMemory(from: UnsafeRawBufferPointer(rebasing: $0[start..<start + count]))
      }
    }
    start += count
    total += count
    return count
  }
}

/// TCP that reads ahead and claims to be a kernel socket.
struct ReadAheadKernelSocket: ~Copyable, StreamSocket, KernelSocket {
  typealias Address = IPSocketAddress
  typealias Options = TCPSocketOptions
  let base: TCPSocket
  let held = Mutex(HeldBytes())

  static var capabilities: SocketCapabilities { TCPSocket.capabilities }
  var descriptor: RawDescriptor { base.descriptor }
  consuming func releaseDescriptor() -> Descriptor { base.releaseDescriptor() }

  borrowing func attemptReceive(into buffer: inout MutableSpan<UInt8>) -> IOResult {
    held.withLock { held in
      if held.isEmpty {
        let result = held.fill { base.attemptReceive(into: &$0) }
        if result.raw <= 0 { return result }
      }
      return IOResult(raw: held.take(buffer.count, into: &buffer))
    }
  }

  static func pair() throws -> SocketPair<ReadAheadKernelSocket> {
    try TCPSocket.pair(until: .after(.seconds(5))).split { SocketPair(Self(base: $0), Self(base: $1)) }
  }
}
