public import SocketKitCore
internal import Synchronization

/// A stream with partial reads and writes: most calls transfer fewer bytes than requested, often only one byte.
///
/// A kernel usually accepts a small write completely. A wrapper that confuses the number of requested bytes with the
/// number of transferred bytes may therefore pass every rule over a plain socket. Over this socket, it fails. To test a
/// wrapper, use ``StreamSocketSuite/init(_:over:wrapping:)``. To test a protocol implementation, pass a `DripSocket` to
/// it.
///
/// A call would block only if the base's call would block. The sequence of sizes is the same for every socket and does
/// not depend on time.
public struct DripSocket<Base: StreamSocket & ~Copyable>: ~Copyable, StreamSocket {
  public typealias Address = Base.Address

  private let base: Base
  private let most: Int
  private let calls = Atomic<UInt64>(0)

  /// Takes ownership of a connected stream.
  /// - Parameter most: the maximum number of bytes per call, at least 1.
  public init(_ base: consuming Base, most: Int = .max) {
    precondition(most >= 1, "the maximum must be at least 1 byte per call")
    self.base = base
    self.most = most
  }

  public static var capabilities: SocketCapabilities { Base.capabilities }
  public var readSource: RawDescriptor { base.readSource }
  public var writeSource: RawDescriptor { base.writeSource }
  public var pending: Readiness { base.pending }
  public borrowing func sources(for interest: Interest) -> Interest { base.sources(for: interest) }
  public borrowing func attemptShutdown(_ direction: ShutdownDirection) -> IOResult { base.attemptShutdown(direction) }
  public consuming func attemptClose() -> IOResult { base.attemptClose() }
  public borrowing func localAddress() throws(SocketError) -> Base.Address { try base.localAddress() }
  public borrowing func remoteAddress() throws(SocketError) -> Base.Address { try base.remoteAddress() }

  public borrowing func attemptReceive(into buffer: inout MutableSpan<UInt8>) -> IOResult {
    var front = buffer._mutatingExtracting(first: cut(buffer.count))
    return base.attemptReceive(into: &front)
  }

  public borrowing func attemptSend(_ bytes: Span<UInt8>) -> IOResult {
    base.attemptSend(bytes.extracting(first: cut(bytes.count)))
  }

  // The new segments refer to the first bytes of the caller's segments, which are valid during these calls. The array
  // of the new segments outlives the call to the base.

  @unsafe
  public borrowing func attemptReceive(scattering segments: UnsafeBufferPointer<IOSegment>) -> IOResult {
    unsafe cut(segments).withUnsafeBufferPointer { unsafe base.attemptReceive(scattering: $0) }
  }

  @unsafe
  public borrowing func attemptSend(gathering segments: UnsafeBufferPointer<IOSegment>) -> IOResult {
    unsafe cut(segments).withUnsafeBufferPointer { unsafe base.attemptSend(gathering: $0) }
  }

  /// Returns the number of bytes to transfer in the next call, up to `count`: one, a few, a part, or all of them.
  private borrowing func cut(_ count: Int) -> Int {
    let count = min(count, most)
    if count <= 1 { return count }
    var random = SeededRandom(seed: calls.add(1, ordering: .relaxed).newValue)
    switch random.next() % 8 {
    case 0: return 1
    case 1: return Int.random(in: 1...min(count, 16), using: &random)
    case 2...4: return Int.random(in: 1...count, using: &random)
    default: return count
    }
  }

  /// Returns the first segments, up to the number of bytes to transfer. They are valid for as long as the caller's
  /// segments are valid.
  private borrowing func cut(_ segments: UnsafeBufferPointer<IOSegment>) -> [IOSegment] {
    var left = cut(unsafe segments.reduce(0) { $0 + $1.count })
    var front: [IOSegment] = []
    for index in segments.indices where left > 0 {
      let segment = unsafe segments[index]
      let count = min(segment.count, left)
      front.append(unsafe IOSegment(UnsafeMutableRawBufferPointer(start: segment.baseAddress, count: count)))
      left -= count
    }
    return front
  }
}

extension DripSocket: Acceptable where Base: Acceptable & ~Copyable {
  public typealias AcceptContext = Base.AcceptContext

  public init(accepted descriptor: consuming Descriptor, context: borrowing Base.AcceptContext) {
    self.init(Base(accepted: descriptor, context: context))
  }
}

extension DripSocket: OptionTarget, DescriptorSocket where Base: DescriptorSocket & ~Copyable {
  public typealias Options = Base.Options

  public var descriptor: RawDescriptor { base.descriptor }
  public consuming func releaseDescriptor() -> Descriptor { base.releaseDescriptor() }
}
