/// The maximum number of bytes that a connection may transfer in each direction.
@frozen
public struct ByteQuota: BitwiseCopyable, Hashable, Sendable {
  public var received: Int
  public var sent: Int

  @inlinable
  public init(received: Int = .max, sent: Int = .max) {
    self.received = received
    self.sent = sent
  }

  /// No limit; bytes are only counted.
  @inlinable public static var unlimited: Self { Self() }

  /// The error number for an exhausted quota: EDQUOT. It must not be would-block, because a poller would report the
  /// descriptor as ready repeatedly.
  @inlinable public static var errorNumber: Int32 { 122 }
}

/// The parameters that a listener passes to each ``MeteredSocket``: the quota, and the parameters of the wrapped
/// socket.
@frozen
public struct MeterPlan<Context: Sendable>: Sendable {
  public var quota: ByteQuota
  /// The parameters of the wrapped socket.
  public var base: Context

  @inlinable
  public init(_ quota: ByteQuota, base: Context) {
    self.quota = quota
    self.base = base
  }
}

extension MeterPlan where Context == Void {
  /// Creates a plan for a wrapped socket that needs no parameters from its listener, such as a kernel socket.
  @inlinable
  public init(_ quota: ByteQuota = .unlimited) { self.init(quota, base: ()) }
}
