public import SocketKitCore
public import Synchronization

/// A datagram socket that counts messages, bytes, and messages that did not fit in their buffer.
///
/// ```swift
/// let server = MeteredDatagrams(try UDPSocket.bind(to: .any(port: 7777)))
/// ```
/// It wraps any datagram socket, including another wrapper. It forwards batches: one system call still transfers many
/// messages. It is not a `KernelSocket`, because data that bypasses its methods would not be counted. Any thread may
/// use it and read the counts.
@frozen
public struct MeteredDatagrams<Base: DatagramSocket & ~Copyable>: ~Copyable, DatagramSocket {
  public typealias Address = Base.Address

  @usableFromInline let base: Base
  @usableFromInline let receivedCount = TrafficCount()
  @usableFromInline let sentCount = TrafficCount()

  /// Wraps a socket. Data that the socket transferred before is not counted.
  @inlinable
  public init(_ base: consuming Base) { self.base = base }

  /// Returns the wrapped socket, whose traffic is no longer counted.
  @inlinable
  public consuming func unwrapped() -> Base { base }

  /// Received messages. Peeked messages are also counted.
  @inlinable public var received: DatagramTraffic { receivedCount.traffic }
  /// Messages that the wrapped socket has accepted for sending.
  @inlinable public var sent: DatagramTraffic { sentCount.traffic }

  @inlinable public static var capabilities: SocketCapabilities { Base.capabilities }
  @inlinable public var mayReceiveDescriptors: Bool { base.mayReceiveDescriptors }
  @inlinable public var readSource: RawDescriptor { base.readSource }
  @inlinable public var writeSource: RawDescriptor { base.writeSource }

  public borrowing func attemptShutdown(_ direction: ShutdownDirection) -> IOResult { base.attemptShutdown(direction) }
  public consuming func attemptClose() -> IOResult { base.attemptClose() }
  public borrowing func localAddress() throws(SocketError) -> Base.Address { try base.localAddress() }
  public borrowing func connectedAddress() throws(SocketError) -> Base.Address? { try base.connectedAddress() }
}

extension MeteredDatagrams where Base: ~Copyable {
  @inlinable @inline(__always)
  public borrowing func attemptReceive(
    into buffer: inout MutableSpan<UInt8>, ancillary: inout MutableRawSpan, flags: ReceiveFlags,
    _ info: inout MessageInfo
  ) -> IOResult {
    let result = base.attemptReceive(into: &buffer, ancillary: &ancillary, flags: flags, &info)
    receivedCount.add(result, isTruncated: info.isTruncated)
    return result
  }

  // Forwarded, because the default implementation would request unused metadata.
  @inlinable @inline(__always)
  public borrowing func attemptReceive(
    into buffer: inout MutableSpan<UInt8>, from address: inout AnySocketAddress, flags: ReceiveFlags
  ) -> IOResult {
    let room = buffer.count
    let result = base.attemptReceive(into: &buffer, from: &address, flags: flags)
    receivedCount.add(result, isTruncated: result.raw > room)
    return result
  }

  @inlinable @inline(__always)
  public borrowing func attemptSend(
    _ bytes: Span<UInt8>, ancillary: RawSpan, to address: RawSpan, flags: SendFlags
  ) -> IOResult {
    let result = base.attemptSend(bytes, ancillary: ancillary, to: address, flags: flags)
    sentCount.add(result)
    return result
  }

  // Forwarded, because the default implementations would copy the bytes.
  @unsafe @inlinable
  public borrowing func attemptReceive(
    scattering segments: UnsafeBufferPointer<IOSegment>, ancillary: inout MutableRawSpan, flags: ReceiveFlags,
    _ info: inout MessageInfo
  ) -> IOResult {
    let result = base.attemptReceive(scattering: segments, ancillary: &ancillary, flags: flags, &info)
    receivedCount.add(result, isTruncated: info.isTruncated)
    return result
  }

  @unsafe @inlinable
  public borrowing func attemptSend(
    gathering segments: UnsafeBufferPointer<IOSegment>, ancillary: RawSpan, to address: RawSpan, flags: SendFlags
  ) -> IOResult {
    let result = base.attemptSend(gathering: segments, ancillary: ancillary, to: address, flags: flags)
    sentCount.add(result)
    return result
  }

  // Forwarded, because the default implementation would make one system call for each message.
  @inlinable @inline(__always)
  public borrowing func attemptReceive(batch: inout MessageBatch) -> IOResult {
    let result = base.attemptReceive(batch: &batch)
    var traffic = DatagramTraffic()
    var slot = 0
    while slot < result.raw {
      traffic.add(batch[slot].fullLength, isTruncated: batch[slot].flags.contains(.truncated))
      slot &+= 1
    }
    receivedCount.add(traffic)
    return result
  }

  @inlinable @inline(__always)
  public borrowing func attemptSend(batch: inout MessageBatch) -> IOResult {
    var slot = batch.sent
    let result = base.attemptSend(batch: &batch)
    var traffic = DatagramTraffic()
    while slot < batch.sent {
      traffic.add(batch[slot].byteCount, isTruncated: false)
      slot &+= 1
    }
    sentCount.add(traffic)
    return result
  }
}

/// The wrapper has no state except the counts, so it supports the options of its base, and its descriptor can be
/// released.
extension MeteredDatagrams: OptionTarget, DescriptorSocket where Base: DescriptorSocket & ~Copyable {
  public typealias Options = Base.Options

  @inlinable public var descriptor: RawDescriptor { base.descriptor }
  @inlinable
  public consuming func releaseDescriptor() -> Descriptor { base.releaseDescriptor() }
}

/// Counts that several threads can add to. Each count is exact, but the counts are not updated together.
@frozen
@usableFromInline
struct TrafficCount: ~Copyable, Sendable {
  @usableFromInline let messages = Atomic<Int>(0)
  @usableFromInline let bytes = Atomic<Int>(0)
  @usableFromInline let truncated = Atomic<Int>(0)

  @inlinable
  init() {}

  @inlinable var traffic: DatagramTraffic {
    var traffic = DatagramTraffic()
    traffic.messages = messages.load(ordering: .relaxed)
    traffic.bytes = bytes.load(ordering: .relaxed)
    traffic.truncated = truncated.load(ordering: .relaxed)
    return traffic
  }

  /// Counts one message, unless the result of its transfer is a failure.
  @inlinable @inline(__always)
  func add(_ result: IOResult, isTruncated: Bool = false) {
    if result.isFailure { return }
    var traffic = DatagramTraffic()
    traffic.add(result.raw, isTruncated: isTruncated)
    add(traffic)
  }

  /// Counts the messages of a batch.
  @inlinable @inline(__always)
  func add(_ traffic: DatagramTraffic) {
    if traffic.messages == 0 { return }
    messages.wrappingAdd(traffic.messages, ordering: .relaxed)
    bytes.wrappingAdd(traffic.bytes, ordering: .relaxed)
    if traffic.truncated != 0 { truncated.wrappingAdd(traffic.truncated, ordering: .relaxed) }
  }
}
