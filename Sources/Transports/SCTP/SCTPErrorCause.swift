internal import SocketKitCore

/// Why an association ended, or why a peer reported an error: the cause code of RFC 9260, 3.3.10, in host byte order.
///
/// The kernel delivers the code in network byte order.
public struct SCTPErrorCause: RawRepresentable, BitwiseCopyable, Hashable, Sendable {
  public let rawValue: UInt16
  public init(rawValue: UInt16) { self.rawValue = rawValue }

  /// No cause was given.
  public static var none: Self { Self(rawValue: 0) }
  /// A data chunk was sent on a stream that does not exist.
  public static var invalidStream: Self { Self(rawValue: 1) }
  /// INIT or INIT ACK lacks a mandatory parameter.
  public static var missingParameter: Self { Self(rawValue: 2) }
  /// The cookie arrived after it had expired.
  public static var staleCookie: Self { Self(rawValue: 3) }
  /// The sender of the cause lacks the memory or another resource for the association.
  public static var outOfResource: Self { Self(rawValue: 4) }
  /// The sender of the cause cannot use an address parameter, for example because it does not support the type.
  public static var unresolvableAddress: Self { Self(rawValue: 5) }
  /// The sender of the cause does not recognize the type of a chunk.
  public static var unrecognizedChunk: Self { Self(rawValue: 6) }
  /// A mandatory parameter of INIT or INIT ACK has an invalid value.
  public static var invalidParameter: Self { Self(rawValue: 7) }
  /// The sender of the cause does not recognize some parameters of INIT ACK.
  public static var unrecognizedParameters: Self { Self(rawValue: 8) }
  /// A data chunk contains no data.
  public static var noUserData: Self { Self(rawValue: 9) }
  /// A cookie arrived while the association was being shut down.
  public static var cookieWhileShuttingDown: Self { Self(rawValue: 10) }
  /// An INIT would have restarted the association with addresses that did not belong to the association.
  public static var restartWithNewAddresses: Self { Self(rawValue: 11) }
  /// The peer's program aborted the association, possibly with a reason: ``reason(in:)``.
  public static var userAbort: Self { Self(rawValue: 12) }
  /// The other end violated the protocol in a way that no other cause describes.
  public static var protocolViolation: Self { Self(rawValue: 13) }

  /// Calls the body for each cause of an ABORT or ERROR chunk, with the data of the cause.
  ///
  /// The causes are a sequence of type-length-value (TLV) entries, in wire format. An invalid length ends the
  /// iteration.
  public static func forEach(in causes: Span<UInt8>, _ body: (SCTPErrorCause, Span<UInt8>) -> Void) {
    var offset = 0
    while causes.count - offset >= 4 {
      let type = UInt16(bigEndian: causes.integerBytes.integer(at: offset, as: UInt16.self))
      let length = Int(UInt16(bigEndian: causes.integerBytes.integer(at: offset + 2, as: UInt16.self)))
      guard length >= 4, length <= causes.count - offset else { return }
      body(SCTPErrorCause(rawValue: type), causes.extracting(offset + 4..<offset + length))
      offset += (length + 3) & ~3
    }
  }

  /// Returns the reason that the peer's program gave for an abort. Returns nil if the program gave no reason, and an
  /// empty array if it gave an empty reason.
  public static func reason(in causes: Span<UInt8>) -> [UInt8]? {
    var reason: [UInt8]?
    forEach(in: causes) { cause, data in
      if cause == .userAbort, reason == nil { reason = data.indices.map { data[$0] } }
    }
    return reason
  }
}

extension SCTPErrorCause: CustomStringConvertible {
  /// The cause in words.
  public var description: String {
    let words = [
      "no cause", "invalid stream", "missing parameter", "stale cookie", "out of resource", "unresolvable address",
      "unrecognized chunk", "invalid parameter", "unrecognized parameters", "no user data",
      "cookie while shutting down", "restart with new addresses", "user abort", "protocol violation",
    ]
    return Int(rawValue) < words.count ? words[Int(rawValue)] : "cause \(rawValue)"
  }
}
