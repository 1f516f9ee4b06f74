/// What the message sockets of a fixture are like, beyond what their type can do. Each spares rules, or adds some.
public struct MessageTraits: OptionSet, Hashable, Sendable {
  public let rawValue: UInt32
  public init(rawValue: UInt32) { self.rawValue = rawValue }

  /// Each of the two is connected to the other: messages are sent without an address. Sequenced packets always are.
  public static let connected = Self(rawValue: 1)
  /// Nothing is dropped for want of room: sending to a peer that does not receive would block in the end.
  public static let lossless = Self(rawValue: 2)
  /// Sending to a closed peer fails, at once or soon.
  public static let refusals = Self(rawValue: 4)
  /// That failure comes back later, and a poller reports it: ICMP errors.
  public static let delayedErrors = Self(rawValue: 8)
  /// Messages can carry descriptors (SCM_RIGHTS).
  public static let descriptors = Self(rawValue: 16)
  /// The kernel stamps messages with their time when asked to (SO_TIMESTAMP): by this the rules on control data are tried.
  public static let timestamps = Self(rawValue: 32)
  /// The kernel cannot peek at messages: vsock's packets before Linux 6.6 or so say ENOMEM.
  public static let unpeekable = Self(rawValue: 64)
  /// The receiver's kernel resets the connection when several hundred messages wait, however small: vsock's packets, on
  /// kernels that count the memory beside the bytes (Linux 6.12.117 does: 456 packets in 256 KiB).
  public static let fewWaiting = Self(rawValue: 128)
  /// Each message comes with control data of the transport's own: stream, protocol and association of SCTP
  /// (SCTP_RCVINFO). Where there is no room for them the flags say so.
  public static let described = Self(rawValue: 256)
}
