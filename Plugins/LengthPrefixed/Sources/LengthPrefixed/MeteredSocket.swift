public import SocketKitCore
public import Synchronization

/// A stream that counts its bytes, and ends in an error when a connection has moved more than it may.
///
/// ```swift
/// let plan = MeterPlan(ByteQuota(received: 1 << 20))
/// let listener = try TCPSocket.listen(on: .any(port: 8080)).accepting(MeteredSocket<TCPSocket>.self, context: plan)
/// ```
/// It wraps any stream, another wrapper too. It is no `KernelSocket`: what went round its methods would not be counted.
///
/// A connection may move exactly its quota. The peer's next byte after it, or the next byte to send, fails with
/// ``ByteQuota/errorNumber``; the end of the stream is still an end. Several threads that read one socket at a time may
/// together exceed the quota by a buffer each; the counts are exact.
@frozen
public struct MeteredSocket<Base: StreamSocket & ~Copyable>: ~Copyable, StreamSocket {
  public typealias Address = Base.Address

  @usableFromInline let base: Base
  @usableFromInline let receivedCount = Atomic<Int>(0)
  @usableFromInline let sentCount = Atomic<Int>(0)
  /// How many bytes it may move.
  public let quota: ByteQuota

  /// Wraps a connected socket; bytes moved before do not count.
  @inlinable
  public init(_ base: consuming Base, quota: ByteQuota = .unlimited) {
    self.base = base
    self.quota = quota
  }

  /// The wrapped socket, uncounted from now on.
  @inlinable
  public consuming func unwrapped() -> Base { base }

  /// Bytes read so far.
  @inlinable public var received: Int { receivedCount.load(ordering: .relaxed) }
  /// Bytes that the wrapped socket has taken so far.
  @inlinable public var sent: Int { sentCount.load(ordering: .relaxed) }

  @inlinable public static var capabilities: SocketCapabilities { Base.capabilities }
  @inlinable public var readSource: RawDescriptor { base.readSource }
  @inlinable public var writeSource: RawDescriptor { base.writeSource }

  public borrowing func attemptShutdown(_ direction: ShutdownDirection) -> IOResult { base.attemptShutdown(direction) }
  public consuming func attemptClose() -> IOResult { base.attemptClose() }
  public borrowing func localAddress() throws(SocketError) -> Base.Address { try base.localAddress() }
  public borrowing func remoteAddress() throws(SocketError) -> Base.Address { try base.remoteAddress() }
}

extension MeteredSocket where Base: ~Copyable {
  @inlinable
  public borrowing func attemptReceive(into buffer: inout MutableRawSpan) -> IOResult {
    let room = quota.received &- received
    if buffer.byteCount <= room { return counted(base.attemptReceive(into: &buffer)) }
    if room > 0 {
      var front = buffer._mutatingExtracting(first: room)
      return counted(base.attemptReceive(into: &front))
    }
    // Used up. Whether the peer has more to say only a read tells: its end is an end, not a failure.
    var one = buffer._mutatingExtracting(first: 1)
    return refused(base.attemptReceive(into: &one))
  }

  @inlinable
  public borrowing func attemptSend(_ bytes: RawSpan) -> IOResult {
    let room = quota.sent &- sent
    if bytes.byteCount <= room { return countedSent(base.attemptSend(bytes)) }
    if room > 0 { return countedSent(base.attemptSend(bytes.extracting(first: room))) }
    return .failure(errno: ByteQuota.errorNumber)
  }

  // Passed on, because a default would move only the first segment: one system call each, instead of one for all.
  @unsafe @inlinable
  public borrowing func attemptReceive(scattering segments: UnsafeBufferPointer<IOSegment>) -> IOResult {
    if total(segments) <= quota.received &- received {
      return unsafe counted(base.attemptReceive(scattering: segments))
    }
    for segment in segments where segment.count > 0 {
      var bytes = unsafe UnsafeMutableRawBufferPointer(start: segment.baseAddress, count: segment.count).mutableBytes
      return attemptReceive(into: &bytes)
    }
    return .zero
  }

  @unsafe @inlinable
  public borrowing func attemptSend(gathering segments: UnsafeBufferPointer<IOSegment>) -> IOResult {
    if total(segments) <= quota.sent &- sent { return unsafe countedSent(base.attemptSend(gathering: segments)) }
    for segment in segments where segment.count > 0 {
      return unsafe attemptSend(UnsafeRawBufferPointer(start: segment.baseAddress, count: segment.count).bytes)
    }
    return .zero
  }

  @inlinable
  func counted(_ result: IOResult) -> IOResult {
    if result.raw > 0 { receivedCount.wrappingAdd(result.raw, ordering: .relaxed) }
    return result
  }

  @inlinable
  func countedSent(_ result: IOResult) -> IOResult {
    if result.raw > 0 { sentCount.wrappingAdd(result.raw, ordering: .relaxed) }
    return result
  }

  @inlinable
  func refused(_ result: IOResult) -> IOResult {
    result.raw > 0 ? .failure(errno: ByteQuota.errorNumber) : result
  }

  @inlinable
  func total(_ segments: UnsafeBufferPointer<IOSegment>) -> Int {
    var sum = 0
    for segment in segments { sum &+= segment.count }
    return sum
  }
}

extension MeteredSocket: Acceptable where Base: Acceptable & ~Copyable {
  public typealias AcceptContext = MeterPlan<Base.AcceptContext>

  @inlinable
  public init(accepted descriptor: consuming Descriptor, context: borrowing AcceptContext) {
    self.init(Base(accepted: descriptor, context: context.base), quota: context.quota)
  }
}

/// It holds nothing but its base, so it takes the options of its base, and the descriptor can be released.
extension MeteredSocket: OptionTarget, DescriptorSocket where Base: DescriptorSocket & ~Copyable {
  public typealias Options = Base.Options

  @inlinable public var descriptor: RawDescriptor { base.descriptor }
  @inlinable
  public consuming func releaseDescriptor() -> Descriptor { base.releaseDescriptor() }
}
