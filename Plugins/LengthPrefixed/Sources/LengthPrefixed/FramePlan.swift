/// The parameters that a listener passes to each ``FramedSocket``: the maximum frame length, and the parameters of the
/// wrapped socket.
@frozen
public struct FramePlan<Context: Sendable>: Sendable {
  /// The maximum frame length in bytes, without the prefix.
  public var maximumLength: Int
  /// The parameters of the wrapped socket.
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
  /// Creates a plan for a wrapped socket that needs no parameters from its listener, such as a kernel socket.
  @inlinable
  public init(maximumLength: Int = 65536) { self.init(maximumLength: maximumLength, base: ()) }
}

/// The result of one attempt to receive a frame.
@frozen
public enum FrameOutcome<Value> {
  /// A frame was received; the value is the result of the closure.
  case frame(Value)
  /// The peer has closed its side, after a whole frame.
  case endOfStream
}

extension FrameOutcome: BitwiseCopyable where Value: BitwiseCopyable {}
extension FrameOutcome: Equatable where Value: Equatable {}
extension FrameOutcome: Sendable where Value: Sendable {}
