public import SocketKitCore

/// Messages over a stream: each goes as its length, four bytes with the highest first, and then its bytes.
///
/// ```swift
/// var framed = FramedSocket(try TCPSocket.connect(to: address, until: .after(.seconds(5))))
/// try framed.send([1, 2, 3].span, until: .after(.seconds(5)))
/// ```
/// It works over any stream, wrappers too, and makes two allocations in its life and none per frame. It is no stream
/// itself, so it conforms to `ConnectedSocket` only: enough to be accepted, registered and kept in a `Slab`. One task uses it at
/// a time: its methods change it.
///
/// **With a poller**: one read may bring several frames, which the descriptor does not show any more. After an event,
/// receive until nil comes, or as long as ``hasFrame`` is true. Watch for writing while ``hasUnsent`` is true, and
/// call ``flush()`` then.
@frozen
public struct FramedSocket<Base: StreamSocket & ~Copyable>: ~Copyable, ConnectedSocket {
  public typealias Address = Base.Address

  @usableFromInline let base: Base
  @usableFromInline var incoming: FrameBuffer
  @usableFromInline var unsent: FrameBuffer
  /// The longest frame in bytes, without its prefix.
  public let maximumLength: Int

  /// Frames a connected stream.
  /// - Parameter maximumLength: the longest frame, sent or received; traps above 2³¹ − 1.
  @inlinable
  public init(_ base: consuming Base, maximumLength: Int = 65536) {
    self.init(base, FramePlan(maximumLength: maximumLength).maximumLength)
  }

  @inlinable
  init(_ base: consuming Base, _ maximumLength: Int) {
    self.base = base
    self.maximumLength = maximumLength
    let whole = 4 &+ maximumLength
    // Room for many short frames in one read.
    incoming = FrameBuffer(capacity: whole < 4096 ? 4096 : whole)
    unsent = FrameBuffer(capacity: whole)
  }

  @inlinable public static var capabilities: SocketCapabilities { Base.capabilities.union(.emptyMessages) }
  @inlinable public var readSource: RawDescriptor { base.readSource }
  @inlinable public var writeSource: RawDescriptor { base.writeSource }

  /// Ends one or both directions. Bytes that are still ``hasUnsent`` do not go any more: ``flush()`` first.
  public borrowing func attemptShutdown(_ direction: ShutdownDirection) -> IOResult { base.attemptShutdown(direction) }
  public consuming func attemptClose() -> IOResult { base.attemptClose() }
  public borrowing func localAddress() throws(SocketError) -> Base.Address { try base.localAddress() }
  public borrowing func remoteAddress() throws(SocketError) -> Base.Address { try base.remoteAddress() }

  /// Lends the stream: to read a counter of a wrapper, say. Reading or writing through it breaks the framing.
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
