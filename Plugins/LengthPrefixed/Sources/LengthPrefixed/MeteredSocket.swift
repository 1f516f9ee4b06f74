public import SocketKitCore
public import Synchronization

/// A stream that counts its bytes, and fails when a connection has transferred more than its quota.
///
/// ```swift
/// let plan = MeterPlan(ByteQuota(received: 1 << 20))
/// let listener = try TCPSocket.listen(on: .any(port: 8080)).accepting(MeteredSocket<TCPSocket>.self, context: plan)
/// ```
/// It wraps any stream, including another wrapper. It is not a `KernelSocket`, because data that bypasses its methods
/// would not be counted.
///
/// A connection may transfer exactly its quota. After that, receiving the peer's next byte or sending the next byte
/// fails with ``ByteQuota/errorNumber``; the end of the stream is still reported as the end. If several threads read
/// one socket at the same time, each of them may exceed the quota by one buffer. The counts are exact.
@frozen
public struct MeteredSocket<Base: StreamSocket & ~Copyable>: ~Copyable, StreamSocket {
  public typealias Address = Base.Address

  @usableFromInline let base: Base
  @usableFromInline let receivedCount = Atomic<Int>(0)
  @usableFromInline let sentCount = Atomic<Int>(0)
  /// The number of bytes that the connection may transfer.
  public let quota: ByteQuota

  /// Wraps a connected socket. Bytes transferred before are not counted.
  @inlinable
  public init(_ base: consuming Base, quota: ByteQuota = .unlimited) {
    self.base = base
    self.quota = quota
  }

  /// Returns the wrapped socket, whose traffic is no longer counted.
  @inlinable
  public consuming func unwrapped() -> Base { base }

  /// The number of bytes read.
  @inlinable public var received: Int { receivedCount.load(ordering: .relaxed) }
  /// The number of bytes that the wrapped socket has accepted for sending.
  @inlinable public var sent: Int { sentCount.load(ordering: .relaxed) }

  @inlinable public static var capabilities: SocketCapabilities { Base.capabilities }
  @inlinable public var readSource: RawDescriptor { base.readSource }
  @inlinable public var writeSource: RawDescriptor { base.writeSource }
  @inlinable public var pending: Readiness { base.pending }
  @inlinable
  public borrowing func sources(for interest: Interest) -> Interest { base.sources(for: interest) }

  public borrowing func attemptShutdown(_ direction: ShutdownDirection) -> IOResult { base.attemptShutdown(direction) }
  public consuming func attemptClose() -> IOResult { base.attemptClose() }
  public borrowing func localAddress() throws(SocketError) -> Base.Address { try base.localAddress() }
  public borrowing func remoteAddress() throws(SocketError) -> Base.Address { try base.remoteAddress() }
}

extension MeteredSocket where Base: ~Copyable {
  @inlinable
  public borrowing func attemptReceive(into buffer: inout MutableSpan<UInt8>) -> IOResult {
    let room = quota.received &- received
    if buffer.count <= room { return counted(base.attemptReceive(into: &buffer)) }
    if room > 0 {
      var front = buffer._mutatingExtracting(first: room)
      return counted(base.attemptReceive(into: &front))
    }
    // The quota is exhausted. Only a read shows whether the peer sent more bytes: the end of the stream is not a
    // failure.
    var one = buffer._mutatingExtracting(first: 1)
    return refused(base.attemptReceive(into: &one))
  }

  @inlinable
  public borrowing func attemptSend(_ bytes: Span<UInt8>) -> IOResult {
    let room = quota.sent &- sent
    if bytes.count <= room { return countedSent(base.attemptSend(bytes)) }
    if room > 0 { return countedSent(base.attemptSend(bytes.extracting(first: room))) }
    return .failure(errno: ByteQuota.errorNumber)
  }

  // Forwarded, because the default implementation transfers only the first segment, and the caller would need one
  // system call for each segment.
  @unsafe @inlinable
  public borrowing func attemptReceive(scattering segments: UnsafeBufferPointer<IOSegment>) -> IOResult {
    if total(segments) <= quota.received &- received {
      return unsafe counted(base.attemptReceive(scattering: segments))
    }
    for segment in segments where segment.count > 0 {
      var bytes = unsafe MutableSpan<UInt8>(
        _unsafeBytes: UnsafeMutableRawBufferPointer(start: segment.baseAddress, count: segment.count))
      return attemptReceive(into: &bytes)
    }
    return .zero
  }

  @unsafe @inlinable
  public borrowing func attemptSend(gathering segments: UnsafeBufferPointer<IOSegment>) -> IOResult {
    if total(segments) <= quota.sent &- sent { return unsafe countedSent(base.attemptSend(gathering: segments)) }
    for segment in segments where segment.count > 0 {
      return unsafe attemptSend(
        Span(_unsafeBytes: UnsafeRawBufferPointer(start: segment.baseAddress, count: segment.count)))
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

/// The wrapper has no state except the counts, so it supports the options of its base, and its descriptor can be
/// released.
extension MeteredSocket: OptionTarget, DescriptorSocket where Base: DescriptorSocket & ~Copyable {
  public typealias Options = Base.Options

  @inlinable public var descriptor: RawDescriptor { base.descriptor }
  @inlinable
  public consuming func releaseDescriptor() -> Descriptor { base.releaseDescriptor() }
}
