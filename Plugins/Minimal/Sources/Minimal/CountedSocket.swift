public import SocketKitCore
public import Synchronization

/// A wrapper over any stream. It counts the bytes that were read.
@frozen
public struct CountedSocket<Base: StreamSocket & ~Copyable>: ~Copyable, StreamSocket {
  public typealias Address = Base.Address

  @usableFromInline let base: Base
  @usableFromInline let count = Atomic<Int>(0)

  /// Wraps a stream and takes ownership of it.
  @inlinable
  public init(_ base: consuming Base) { self.base = base }

  /// The number of bytes that were read.
  @inlinable public var bytesRead: Int { count.load(ordering: .relaxed) }

  @inlinable public static var capabilities: SocketCapabilities { Base.capabilities }
  @inlinable public var readSource: RawDescriptor { base.readSource }
  @inlinable public var writeSource: RawDescriptor { base.writeSource }
  @inlinable public var pending: Readiness { base.pending }
  @inlinable
  public borrowing func sources(for interest: Interest) -> Interest { base.sources(for: interest) }
  public borrowing func localAddress() throws(SocketError) -> Base.Address { try base.localAddress() }
  public borrowing func remoteAddress() throws(SocketError) -> Base.Address { try base.remoteAddress() }
  public borrowing func attemptShutdown(_ direction: ShutdownDirection) -> IOResult { base.attemptShutdown(direction) }
  public consuming func attemptClose() -> IOResult { base.attemptClose() }

  @inlinable
  public borrowing func attemptReceive(into buffer: inout MutableSpan<UInt8>) -> IOResult {
    let result = base.attemptReceive(into: &buffer)
    if result.raw > 0 { count.wrappingAdd(result.raw, ordering: .relaxed) }
    return result
  }

  @inlinable
  public borrowing func attemptSend(_ bytes: Span<UInt8>) -> IOResult { base.attemptSend(bytes) }
}

/// A listener can make these sockets: `listener.accepting(CountedSocket<PlainSocket>.self, context: ())`.
extension CountedSocket: Acceptable where Base: Acceptable & ~Copyable {
  public typealias AcceptContext = Base.AcceptContext

  @inlinable
  public init(accepted descriptor: consuming Descriptor, context: borrowing Base.AcceptContext) {
    self.init(Base(accepted: descriptor, context: context))
  }
}
