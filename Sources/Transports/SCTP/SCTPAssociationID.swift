/// The kernel's number for an association. Options and messages of a one-to-many socket refer to an association by this
/// number (RFC 6458, 1.1).
///
/// A one-to-one or peeled-off socket has only one association, and the kernel ignores the number.
@frozen
public struct SCTPAssociationID: RawRepresentable, BitwiseCopyable, Hashable, Sendable {
  public let rawValue: Int32
  @inlinable
  public init(rawValue: Int32) { self.rawValue = rawValue }

  /// The socket's defaults, which later associations inherit (SCTP_FUTURE_ASSOC).
  @inlinable public static var future: Self { Self(rawValue: 0) }
  /// All associations that exist now (SCTP_CURRENT_ASSOC, Linux 5.1). Valid only for setting.
  @inlinable public static var current: Self { Self(rawValue: 1) }
  /// The defaults and all associations that exist now (SCTP_ALL_ASSOC, Linux 5.1). Valid only for setting.
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
