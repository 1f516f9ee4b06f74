/// The type of a chunk. SCTP packets consist of chunks (RFC 9260, 3.2, and the documents of the extensions).
public struct SCTPChunkType: RawRepresentable, BitwiseCopyable, Hashable, Sendable {
  public let rawValue: UInt8
  public init(rawValue: UInt8) { self.rawValue = rawValue }

  /// DATA: messages and their fragments.
  public static var data: Self { Self(rawValue: 0) }
  /// INIT.
  public static var initiation: Self { Self(rawValue: 1) }
  /// INIT ACK.
  public static var initiationAcknowledgement: Self { Self(rawValue: 2) }
  /// SACK.
  public static var acknowledgement: Self { Self(rawValue: 3) }
  /// HEARTBEAT.
  public static var heartbeat: Self { Self(rawValue: 4) }
  /// HEARTBEAT ACK.
  public static var heartbeatAcknowledgement: Self { Self(rawValue: 5) }
  /// ABORT.
  public static var abort: Self { Self(rawValue: 6) }
  /// SHUTDOWN.
  public static var shutdown: Self { Self(rawValue: 7) }
  /// SHUTDOWN ACK.
  public static var shutdownAcknowledgement: Self { Self(rawValue: 8) }
  /// ERROR.
  public static var error: Self { Self(rawValue: 9) }
  /// COOKIE ECHO.
  public static var cookieEcho: Self { Self(rawValue: 10) }
  /// COOKIE ACK.
  public static var cookieAcknowledgement: Self { Self(rawValue: 11) }
  /// SHUTDOWN COMPLETE.
  public static var shutdownComplete: Self { Self(rawValue: 14) }
  /// AUTH: signs the chunks that follow it (RFC 4895).
  public static var authentication: Self { Self(rawValue: 15) }
  /// I-DATA: fragments of messages that are interleaved (RFC 8260).
  public static var interleavedData: Self { Self(rawValue: 64) }
  /// ASCONF-ACK (RFC 5061).
  public static var addressChangeAcknowledgement: Self { Self(rawValue: 128) }
  /// RE-CONFIG: resets and adds streams (RFC 6525).
  public static var reconfiguration: Self { Self(rawValue: 130) }
  /// FORWARD TSN: the sender abandons messages (RFC 3758).
  public static var forwardTSN: Self { Self(rawValue: 192) }
  /// ASCONF: adds and removes addresses (RFC 5061).
  public static var addressChange: Self { Self(rawValue: 193) }
}

extension SCTPChunkType: CustomStringConvertible {
  public var description: String { "chunk type \(rawValue)" }
}
