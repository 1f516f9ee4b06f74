/// What a listener hands to each ``FramedSocket``: its longest frame, and what the socket under it wants.
@frozen
public struct FramePlan<Context: Sendable>: Sendable {
  /// The longest frame in bytes, without its prefix.
  public var maximumLength: Int
  /// For the wrapped socket.
  public var base: Context

  /// - Parameter maximumLength: from 0 to 2³¹ − 1; traps otherwise.
  @inlinable
  public init(maximumLength: Int = 65536, base: Context) {
    precondition(maximumLength >= 0 && maximumLength <= Int(Int32.max), "a frame has at most 2^31 - 1 bytes")
    self.maximumLength = maximumLength
    self.base = base
  }
}

extension FramePlan where Context == Void {
  /// Over a socket that wants nothing from its listener, as kernel sockets do.
  @inlinable
  public init(maximumLength: Int = 65536) { self.init(maximumLength: maximumLength, base: ()) }
}

/// What trying once to take a frame came to.
@frozen
public enum FrameOutcome<Value> {
  /// A frame came; this is what was made of it.
  case frame(Value)
  /// The peer has ended its side, after a whole frame.
  case endOfStream
}

extension FrameOutcome: BitwiseCopyable where Value: BitwiseCopyable {}
extension FrameOutcome: Equatable where Value: Equatable {}
extension FrameOutcome: Sendable where Value: Sendable {}
