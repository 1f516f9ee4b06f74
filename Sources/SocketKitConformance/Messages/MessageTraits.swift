/// The properties of a fixture's message sockets that their type does not determine. Each trait adds or skips
/// conformance rules.
public struct MessageTraits: OptionSet, Hashable, Sendable {
  public let rawValue: UInt32
  public init(rawValue: UInt32) { self.rawValue = rawValue }

  /// The two sockets are connected to each other, so messages are sent without an address. This always applies to
  /// sequenced packets.
  public static let connected = Self(rawValue: 1)
  /// The transport does not drop a message if a buffer is full. If the peer does not receive, a send eventually blocks.
  public static let lossless = Self(rawValue: 2)
  /// Sending to a closed peer fails, either immediately or soon.
  public static let refusals = Self(rawValue: 4)
  /// Sending to a closed peer causes an ICMP error. The kernel reports this error later, and pollers report it too.
  public static let delayedErrors = Self(rawValue: 8)
  /// Messages can carry descriptors (SCM_RIGHTS).
  public static let descriptors = Self(rawValue: 16)
  /// If the program requests timestamps (SO_TIMESTAMP), the kernel reports the time at which it received a message. The
  /// rules for ancillary data require this trait.
  public static let timestamps = Self(rawValue: 32)
  /// The kernel cannot peek at messages. For example, peeking at vsock packets fails with ENOMEM before about Linux
  /// 6.6.
  public static let unpeekable = Self(rawValue: 64)
  /// The receiver's kernel resets the connection when several hundred messages of any size are queued. This applies to
  /// vsock packets on kernels that also count the memory overhead, for example Linux 6.12.117 (456 packets in 256 KiB).
  public static let fewWaiting = Self(rawValue: 128)
  /// Each message has ancillary data of the transport: SCTP's stream, protocol and association (SCTP_RCVINFO). If the
  /// buffer has no space for it, the flags report the truncation.
  public static let described = Self(rawValue: 256)
}
