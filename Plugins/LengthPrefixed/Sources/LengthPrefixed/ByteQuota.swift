/// How many bytes a connection may move in its life, each way.
@frozen
public struct ByteQuota: BitwiseCopyable, Hashable, Sendable {
  public var received: Int
  public var sent: Int

  @inlinable
  public init(received: Int = .max, sent: Int = .max) {
    self.received = received
    self.sent = sent
  }

  /// No limit: bytes are only counted.
  @inlinable public static var unlimited: Self { Self() }

  /// The error number that a used-up quota fails with: EDQUOT. Would-block it must not be: a poller would report the
  /// descriptor as ready again and again.
  @inlinable public static var errorNumber: Int32 { 122 }
}

/// What a listener hands to each ``MeteredSocket``: its quota, and what the socket under it wants.
@frozen
public struct MeterPlan<Context: Sendable>: Sendable {
  public var quota: ByteQuota
  /// For the wrapped socket.
  public var base: Context

  @inlinable
  public init(_ quota: ByteQuota, base: Context) {
    self.quota = quota
    self.base = base
  }
}

extension MeterPlan where Context == Void {
  /// Over a socket that wants nothing from its listener, as kernel sockets do.
  @inlinable
  public init(_ quota: ByteQuota = .unlimited) { self.init(quota, base: ()) }
}
