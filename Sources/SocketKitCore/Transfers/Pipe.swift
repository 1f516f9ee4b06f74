internal import CSocketKit

/// A pipe of this process's own (pipe(2)): the buffer inside the kernel through which bytes go from one descriptor to
/// another without passing through this program's memory (splice(2)).
///
/// ```swift
/// var pipe = try Pipe()
/// switch try pipe.relay(from: client, to: server, count: 1 << 16) { … }
/// ```
/// Both ends are CLOEXEC and non-blocking, and close with its life; bytes still inside are lost then.
public struct Pipe: ~Copyable, Sendable {
  // The reading end first.
  private var ends: SocketPair<Descriptor>
  /// Bytes inside that ``fill(from:count:)`` put in and ``drain(to:count:)`` has not taken out.
  public private(set) var byteCount = 0

  /// Makes a pipe.
  /// - Parameter capacity: bytes; nil for the kernel's 64 KiB. Rounded up to a power of two of pages.
  /// - Throws: `.tooManyDescriptors`; `.permissionDenied` above /proc/sys/fs/pipe-max-size without CAP_SYS_RESOURCE, or
  ///   when this user's pipes have too many pages; `.invalidArgument`.
  public init(capacity: Int? = nil) throws(SocketError) {
    ends = try Self.open(capacity)
  }

  private static func open(_ capacity: Int?) throws(SocketError) -> SocketPair<Descriptor> {
    var numbers: InlineArray<2, Int32> = [-1, -1]
    let result = withUnsafeMutableBytes(of: &numbers) {
      csk_pipe($0.baseAddress?.assumingMemoryBound(to: Int32.self))
    }
    if result < 0 { throw SocketError(IOResult(raw: result), .open) }
    let pair = SocketPair(
      unsafe Descriptor(unsafeOwning: RawDescriptor(numbers[0])),
      unsafe Descriptor(unsafeOwning: RawDescriptor(numbers[1])))
    if let capacity { try setCapacity(capacity, of: pair.second.raw) }
    return pair
  }

  private static func setCapacity(_ capacity: Int, of end: RawDescriptor) throws(SocketError) {
    guard capacity > 0 else { throw SocketError(code: .invalidArgument, .setOption) }
    let result = IOResult(raw: csk_fcntl(end.value, CSK_F_SETPIPE_SZ, capacity))
    if result.isFailure { throw SocketError(result, .setOption) }
  }

  /// Where bytes come out: readable for pollers when there are some.
  public var readEnd: RawDescriptor { ends.first.raw }
  /// Where bytes go in: writable for pollers when there is room.
  public var writeEnd: RawDescriptor { ends.second.raw }

  /// Room in bytes (F_GETPIPE_SZ). Many small packets fill a pipe earlier, because each takes a page.
  public var capacity: Int { max(0, csk_fcntl(ends.second.raw.value, CSK_F_GETPIPE_SZ, 0)) }

  /// Changes the room (F_SETPIPE_SZ, Linux 2.6.35).
  /// - Throws: as ``init(capacity:)``; `.other` with EBUSY when more bytes are inside than were to fit.
  public func setCapacity(_ capacity: Int) throws(SocketError) { try Self.setCapacity(capacity, of: writeEnd) }

  /// Moves bytes from a stream into the pipe, without waiting.
  /// - Returns: `.bytes`, or `.endOfStream` of the source; nil when the source has none, or, when ``byteCount`` is not
  ///   0, perhaps the pipe has no room: drain it, then fill again.
  /// - Throws: `.connectionReset`, `.notConnected`, `.invalidArgument`.
  public mutating func fill<S: StreamSocket & KernelSocket & ~Copyable>(
    from source: borrowing S, count: Int
  ) throws(SocketError) -> ReadOutcome? {
    let (stream, pipe) = (source.descriptor, writeEnd)
    // This pipe's reading end is open as long as this value lives, so no signal can come of it.
    let outcome = try source.naming { () throws(SocketError) in
      try stream.splice(to: pipe, count: count, mayRaiseSignal: false)
    }
    if case .bytes(let moved) = outcome { byteCount += moved }
    return outcome
  }

  /// Moves bytes from the pipe to a stream, without waiting.
  /// - Returns: the number of bytes moved, 0 when the pipe is empty; nil when the target has no room now.
  /// - Throws: `.brokenPipe`, `.connectionReset`, `.notConnected`: the bytes stay in the pipe.
  public mutating func drain<S: StreamSocket & KernelSocket & ~Copyable>(
    to target: borrowing S, count: Int = .max
  ) throws(SocketError) -> Int? {
    let (stream, pipe, limit) = (target.descriptor, readEnd, min(count, byteCount))
    let outcome = try target.naming { () throws(SocketError) in try pipe.splice(to: stream, count: limit) }
    // The pipe's writing end is open, so there is no end of it.
    guard case .bytes(let moved)? = outcome else { return nil }
    byteCount -= moved
    return moved
  }

  /// One step of a relay: what is inside goes out first, then the pipe is filled once and drained once.
  ///
  /// - Parameter count: at most so many bytes are taken from the source.
  /// - Returns: what to do next: see ``RelayOutcome``.
  /// - Throws: what either side failed with.
  public mutating func relay<Source: StreamSocket & ~Copyable, Target: StreamSocket & ~Copyable>(
    from source: borrowing Source, to target: borrowing Target, count: Int
  ) throws(SocketError) -> RelayOutcome where Source: KernelSocket, Target: KernelSocket {
    var moved = 0
    while byteCount > 0 {
      guard let drained = try drain(to: target) else { return .targetFull(moved) }
      moved += drained
    }
    switch try fill(from: source, count: count) {
    case nil: return moved > 0 ? .moved(moved) : .sourceEmpty
    case .endOfStream: return .endOfStream(moved)
    case .bytes: break
    }
    while byteCount > 0 {
      guard let drained = try drain(to: target) else { return .targetFull(moved) }
      moved += drained
    }
    return .moved(moved)
  }

  /// The two ends, each an owner of its own. Bytes inside stay.
  public consuming func split<R: ~Copyable, E: Error>(
    _ body: (_ readEnd: consuming Descriptor, _ writeEnd: consuming Descriptor) throws(E) -> R
  ) throws(E) -> R { try ends.split(body) }
}

/// What one step of a relay came to. The counts are bytes that the target took in this step.
@frozen
public enum RelayOutcome: BitwiseCopyable, Hashable, Sendable {
  /// Bytes went through, and the pipe is empty: there may be more.
  case moved(Int)
  /// The source has none now: wait until it is readable.
  case sourceEmpty
  /// The target has no room, and the pipe holds bytes: wait until the target is writable.
  case targetFull(Int)
  /// The source has ended and everything of it has gone out: end the target's side.
  case endOfStream(Int)
}
