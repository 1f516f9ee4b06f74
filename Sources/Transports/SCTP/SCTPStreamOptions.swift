internal import CSocketKit
internal import SocketKitCore

/// The directions of the streams to reset.
@frozen
public struct SCTPStreamDirections: OptionSet, BitwiseCopyable, Hashable, Sendable {
  public let rawValue: UInt16
  @inlinable
  public init(rawValue: UInt16) { self.rawValue = rawValue }
  /// The streams on which the peer sends. The peer is asked to reset these streams.
  @inlinable public static var incoming: Self { Self(rawValue: 1) }
  /// The streams on which this end sends.
  @inlinable public static var outgoing: Self { Self(rawValue: 2) }
}

extension SCTPAssociationOption where Value == UInt16 {
  /// A stream's value for the scheduler: its priority (the lowest number is sent first) or its weight. Throws
  /// `.invalidArgument` for a stream that does not exist. The C name is `SCTP_STREAM_SCHEDULER_VALUE`.
  public static func schedulerValue(ofStream stream: UInt16) -> Self {
    Self(
      CSK_SCTP_STREAM_SCHEDULER_VALUE,
      question: { csk_sctp_stream_value(association: $0.rawValue, stream: stream, value: 0) }, decode: { $0.value },
      encode: { (value: UInt16, structure: inout csk_sctp_stream_value) throws(SocketError) in structure.value = value
      })
  }
}
