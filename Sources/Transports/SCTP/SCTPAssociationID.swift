/// Which association an option or a message of a one-to-many socket means (RFC 6458, 1.1): the kernel's number for it.
///
/// On a one-to-one or peeled-off socket the kernel ignores it: there is only one.
@frozen
public struct SCTPAssociationID: RawRepresentable, BitwiseCopyable, Hashable, Sendable {
  public let rawValue: Int32
  @inlinable
  public init(rawValue: Int32) { self.rawValue = rawValue }

  /// The socket's defaults, which associations made later begin with (SCTP_FUTURE_ASSOC).
  @inlinable public static var future: Self { Self(rawValue: 0) }
  /// All associations that exist now, for setting only (SCTP_CURRENT_ASSOC, Linux 5.1).
  @inlinable public static var current: Self { Self(rawValue: 1) }
  /// The defaults and all that exist now, for setting only (SCTP_ALL_ASSOC, Linux 5.1).
  @inlinable public static var all: Self { Self(rawValue: 2) }
}

extension SCTPAssociationID: CustomStringConvertible {
  public var description: String {
    switch self {
    case .future: "future associations"
    case .current: "current associations"
    case .all: "all associations"
    default: "association \(rawValue)"
    }
  }
}
