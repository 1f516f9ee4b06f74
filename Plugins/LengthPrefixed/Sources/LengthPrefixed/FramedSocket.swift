public import SocketKitCore

/// A socket that sends messages over a stream. Each message is sent as its length, four bytes in big-endian order,
/// followed by its bytes.
///
/// ```swift
/// var framed = FramedSocket(try TCPSocket.connect(to: address, until: .after(.seconds(5))))
/// try framed.send([1, 2, 3].span, until: .after(.seconds(5)))
/// ```
/// It wraps any stream, including other wrappers. It makes two allocations when it is created and none per frame. It is
/// not a stream, so it conforms only to `ConnectedSocket`. That conformance is sufficient for a listener to accept it,
/// a poller to register it, and a `Slab` to store it. Only one task may use it at a time, because its methods are
/// mutating.
///
/// **With a poller**: one read may return several frames. The poller does not report buffered frames, because the
/// descriptor is no longer readable. After an event, receive until the result is nil, or while ``pending`` is not
/// empty. While ``hasUnsent`` is true, ``sources(for:)`` contains `.writable`: modify the registration, and then call
/// ``flush()``.
@frozen
public struct FramedSocket<Base: StreamSocket & ~Copyable>: ~Copyable, ConnectedSocket {
  public typealias Address = Base.Address

  @usableFromInline let base: Base
  @usableFromInline var incoming: FrameBuffer
  @usableFromInline var unsent: FrameBuffer
  /// The maximum frame length in bytes, without the prefix.
  public let maximumLength: Int

  /// Wraps a connected stream.
  /// - Parameter maximumLength: the maximum length of a frame, sent or received: from 0 to 2³¹ − 1; traps otherwise.
  @inlinable
  public init(_ base: consuming Base, maximumLength: Int = 65536) {
    self.init(base, FramePlan(maximumLength: maximumLength).maximumLength)
  }

  @inlinable
  init(_ base: consuming Base, _ maximumLength: Int) {
    self.base = base
    self.maximumLength = maximumLength
    let whole = 4 &+ maximumLength
    // Capacity for many short frames in one read.
    incoming = FrameBuffer(capacity: whole < 4096 ? 4096 : whole)
    unsent = FrameBuffer(capacity: whole)
  }

  @inlinable public static var capabilities: SocketCapabilities { Base.capabilities.union(.emptyMessages) }
  @inlinable public var readSource: RawDescriptor { base.readSource }
  @inlinable public var writeSource: RawDescriptor { base.writeSource }
  /// The pending directions of the stream, and `.readable` if a whole frame is buffered.
  @inlinable public var pending: Readiness { hasFrame ? base.pending.union(.readable) : base.pending }
  /// Adds `.writable` while part of a frame is not sent.
  @inlinable
  public borrowing func sources(for interest: Interest) -> Interest {
    base.sources(for: hasUnsent ? interest.union(.writable) : interest)
  }

  /// Shuts down one or both directions. Unsent bytes (``hasUnsent``) are not sent any more: call ``flush()`` first.
  public borrowing func attemptShutdown(_ direction: ShutdownDirection) -> IOResult { base.attemptShutdown(direction) }
  public consuming func attemptClose() -> IOResult { base.attemptClose() }
  public borrowing func localAddress() throws(SocketError) -> Base.Address { try base.localAddress() }
  public borrowing func remoteAddress() throws(SocketError) -> Base.Address { try base.remoteAddress() }

  /// Provides access to the stream, for example to read a counter of a wrapper. Do not read or write through it,
  /// because that breaks the framing.
  @inlinable
  public borrowing func withBase<R: ~Copyable, E: Error>(_ body: (borrowing Base) throws(E) -> R) throws(E) -> R {
    try body(base)
  }
}

extension FramedSocket: Acceptable where Base: Acceptable & ~Copyable {
  public typealias AcceptContext = FramePlan<Base.AcceptContext>

  @inlinable
  public init(accepted descriptor: consuming Descriptor, context: borrowing AcceptContext) {
    self.init(Base(accepted: descriptor, context: context.base), context.maximumLength)
  }
}
