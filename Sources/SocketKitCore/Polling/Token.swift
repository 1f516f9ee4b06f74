/// What an event carries to tell whose it is: a number that the program chose when it registered.
///
/// A ``Slab`` makes tokens of a slot and its generation, so that an event for a connection that is gone, whose descriptor
/// or slot somebody else has by now, finds nobody.
@frozen
public struct Token: BitwiseCopyable, Hashable, Sendable {
  /// 63 bits; the highest bit is never set, so that pollers can tell their own wake-up by it.
  public let rawValue: UInt64

  /// A slot and its generation, of which the highest bit is dropped.
  @inlinable
  public init(index: UInt32, generation: UInt32 = 0) {
    rawValue = UInt64(generation & 0x7fff_ffff) << 32 | UInt64(index)
  }

  /// Any 63-bit value, such as a pointer's. Traps when the highest bit is set.
  @inlinable
  public init(rawValue: UInt64) {
    precondition(rawValue >> 63 == 0, "a token has 63 bits")
    self.rawValue = rawValue
  }

  /// For pollers: the token in an event that the kernel handed back.
  @inlinable
  public init(fromEvent rawValue: UInt64) { self.rawValue = rawValue }

  @inlinable public var index: UInt32 { UInt32(truncatingIfNeeded: rawValue) }
  @inlinable public var generation: UInt32 { UInt32(truncatingIfNeeded: rawValue >> 32) }
}

extension Token: CustomStringConvertible {
  public var description: String { "token \(index), generation \(generation)" }
}

/// One thing that a poller found.
@frozen
public struct Event: BitwiseCopyable, Hashable, Sendable {
  /// Whose it is: the token given when registering.
  public let token: Token
  /// What was found.
  public let readiness: Readiness

  @inlinable
  public init(token: Token, readiness: Readiness) {
    self.token = token
    self.readiness = readiness
  }
  /// Reading will not would-block: there is something, or an end, a hang-up or an error to learn of.
  @inlinable public var isReadable: Bool { !readiness.isDisjoint(with: [.readable, .readClosed, .hangUp, .error]) }
  /// Writing will not would-block: there is room, or a hang-up or an error to learn of.
  @inlinable public var isWritable: Bool { !readiness.isDisjoint(with: [.writable, .hangUp, .error]) }
}
