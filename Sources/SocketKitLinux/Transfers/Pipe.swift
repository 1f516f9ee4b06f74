internal import CSocketKit
public import SocketKitCore

/// A pipe (pipe(2)): a buffer in the kernel. A program can move bytes from one descriptor to another through a pipe
/// without copying them to its own memory (splice(2)). The value owns the pipe.
///
/// ```swift
/// var pipe = try Pipe()
/// switch try pipe.relay(from: client, to: server, count: 1 << 16) { … }
/// ```
/// Both ends are CLOEXEC and non-blocking. When the value is destroyed, it closes both ends, and bytes in the pipe are
/// lost.
public struct Pipe: ~Copyable, Sendable {
  // The first descriptor is the read end.
  private var ends: SocketPair<Descriptor>
  /// The number of bytes that ``fill(from:count:)`` has moved into the pipe and ``drain(to:count:)`` has not moved out
  /// of the pipe.
  public private(set) var byteCount = 0

  /// Creates a pipe.
  /// - Parameter capacity: the capacity in bytes, or nil for the kernel's default of 64 KiB. The number of pages is
  ///   rounded up to a power of two.
  /// - Throws: `.tooManyDescriptors`; `.permissionDenied` for a process without CAP_SYS_RESOURCE, if the capacity
  ///   exceeds /proc/sys/fs/pipe-max-size or if the pipes of this user have too many pages; `.invalidArgument`.
  public init(capacity: Int? = nil) throws(SocketError) {
    ends = try Self.open(capacity)
  }

  private static func open(_ capacity: Int?) throws(SocketError) -> SocketPair<Descriptor> {
    var numbers: InlineArray<2, Int32> = [-1, -1]
    // The kernel writes two numbers.
    var span = numbers.mutableSpan
    let result = unsafe span.withUnsafeMutableBufferPointer { unsafe csk_pipe($0.baseAddress) }
    if result < 0 { throw SocketError(IOResult(raw: result), .open) }
    // The kernel has returned two new descriptors, which have no other owner.
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

  /// The read end of the pipe. Pollers report it as readable if the pipe contains bytes.
  public var readEnd: RawDescriptor { ends.first.raw }
  /// The write end of the pipe. Pollers report it as writable if the pipe has free space.
  public var writeEnd: RawDescriptor { ends.second.raw }

  /// The capacity in bytes (F_GETPIPE_SZ). Many small packets fill a pipe before it contains this number of bytes,
  /// because each packet uses a page.
  public var capacity: Int { max(0, csk_fcntl(ends.second.raw.value, CSK_F_GETPIPE_SZ, 0)) }

  /// Changes the capacity (F_SETPIPE_SZ, Linux 2.6.35).
  /// - Throws: the errors of ``init(capacity:)``; `.other` with EBUSY if the pipe contains more bytes than the new
  ///   capacity.
  public func setCapacity(_ capacity: Int) throws(SocketError) { try Self.setCapacity(capacity, of: writeEnd) }

  /// Moves bytes from a stream into the pipe, without waiting.
  /// - Returns: `.bytes` with the number of bytes moved; `.endOfStream` at the end of the source; or nil if the source
  ///   has no bytes now. If ``byteCount`` is not 0, another possible reason for nil is that the pipe has no free space.
  ///   In this case, drain the pipe, then fill it again.
  /// - Throws: `.connectionReset`, `.notConnected`, `.invalidArgument`.
  public mutating func fill<S: StreamSocket & KernelSocket & ~Copyable>(
    from source: borrowing S, count: Int
  ) throws(SocketError) -> ReadOutcome? {
    let (stream, pipe) = (source.descriptor, writeEnd)
    // The read end of this pipe is open while this value exists, so splice(2) cannot raise SIGPIPE.
    let outcome = try source.naming { () throws(SocketError) in
      try stream.splice(to: pipe, count: count, mayRaiseSignal: false)
    }
    if case .bytes(let moved) = outcome { byteCount += moved }
    return outcome
  }

  /// Moves bytes from the pipe to a stream, without waiting.
  /// - Returns: the number of bytes moved (0 if the pipe is empty), or nil if the target has no buffer space now.
  /// - Throws: `.brokenPipe`, `.connectionReset`, `.notConnected`. If the method throws, the bytes stay in the pipe.
  public mutating func drain<S: StreamSocket & KernelSocket & ~Copyable>(
    to target: borrowing S, count: Int = .max
  ) throws(SocketError) -> Int? {
    let (stream, pipe, limit) = (target.descriptor, readEnd, min(count, byteCount))
    let outcome = try target.naming { () throws(SocketError) in try pipe.splice(to: stream, count: limit) }
    // The write end of the pipe is open, so splice(2) does not report the end of the stream.
    guard case .bytes(let moved)? = outcome else { return nil }
    byteCount -= moved
    return moved
  }

  /// Performs one step of a relay: drains the pipe, then fills it once and drains it again.
  ///
  /// - Parameter count: the maximum number of bytes to move from the source.
  /// - Returns: the result of the step, which determines the next step (see ``RelayOutcome``).
  /// - Throws: an error of the source or of the target.
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

  /// Splits the pipe into its two ends, each with its own owner. Bytes that are already in the pipe remain there.
  public consuming func split<R: ~Copyable, E: Error>(
    _ body: (_ readEnd: consuming Descriptor, _ writeEnd: consuming Descriptor) throws(E) -> R
  ) throws(E) -> R { try ends.split(body) }
}

/// The result of one step of a relay. The counts are the numbers of bytes that the target accepted in this step.
@frozen
public enum RelayOutcome: BitwiseCopyable, Hashable, Sendable {
  /// Bytes were moved, and the pipe is empty. The source may have more bytes.
  case moved(Int)
  /// The source has no bytes now. Wait until it is readable.
  case sourceEmpty
  /// The target has no buffer space, and the pipe contains bytes. Wait until the target is writable.
  case targetFull(Int)
  /// The source has ended, and the target has accepted all bytes of the source. Shut down the sending direction of the
  /// target.
  case endOfStream(Int)
}
