/// Why an association ended or a peer reported an error: the cause code of RFC 9260, 3.3.10, in host byte order.
///
/// The kernel delivers the code in network byte order.
public struct SCTPErrorCause: RawRepresentable, BitwiseCopyable, Hashable, Sendable {
  public let rawValue: UInt16
  public init(rawValue: UInt16) { self.rawValue = rawValue }

  /// No cause was given.
  public static var none: Self { Self(rawValue: 0) }
  public static var invalidStream: Self { Self(rawValue: 1) }
  public static var missingParameter: Self { Self(rawValue: 2) }
  public static var staleCookie: Self { Self(rawValue: 3) }
  public static var outOfResource: Self { Self(rawValue: 4) }
  public static var unresolvableAddress: Self { Self(rawValue: 5) }
  public static var unrecognizedChunk: Self { Self(rawValue: 6) }
  public static var invalidParameter: Self { Self(rawValue: 7) }
  public static var unrecognizedParameters: Self { Self(rawValue: 8) }
  public static var noUserData: Self { Self(rawValue: 9) }
  public static var cookieWhileShuttingDown: Self { Self(rawValue: 10) }
  public static var restartWithNewAddresses: Self { Self(rawValue: 11) }
  /// The peer's program aborted the association, possibly with a reason: ``reason(in:)``.
  public static var userAbort: Self { Self(rawValue: 12) }
  public static var protocolViolation: Self { Self(rawValue: 13) }

  /// Calls the body for each cause of an ABORT or ERROR chunk, with the data of the cause.
  ///
  /// The causes are a list of type, length and value, as on the wire. An invalid length ends the iteration.
  public static func forEach(in causes: RawSpan, _ body: (SCTPErrorCause, RawSpan) -> Void) {
    var offset = 0
    while causes.byteCount - offset >= 4 {
      let type = UInt16(bigEndian: causes.unsafeLoadUnaligned(fromByteOffset: offset, as: UInt16.self))
      let length = Int(UInt16(bigEndian: causes.unsafeLoadUnaligned(fromByteOffset: offset + 2, as: UInt16.self)))
      guard length >= 4, length <= causes.byteCount - offset else { return }
      body(SCTPErrorCause(rawValue: type), causes.extracting(offset + 4..<offset + length))
      offset += (length + 3) & ~3
    }
  }

  /// Returns the reason that the peer's program gave for an abort; nil if it gave none, empty if it gave an empty one.
  public static func reason(in causes: RawSpan) -> [UInt8]? {
    var reason: [UInt8]?
    forEach(in: causes) { cause, data in
      if cause == .userAbort, reason == nil { reason = data.withUnsafeBytes { Array($0) } }
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
