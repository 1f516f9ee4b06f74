internal import CSocketKit
public import SocketKitCore

/// Whose streams are reset.
@frozen
public struct SCTPStreamDirections: OptionSet, BitwiseCopyable, Hashable, Sendable {
  public let rawValue: UInt16
  @inlinable
  public init(rawValue: UInt16) { self.rawValue = rawValue }
  /// The peer's, which it is asked to reset.
  @inlinable public static var incoming: Self { Self(rawValue: 1) }
  /// Our own.
  @inlinable public static var outgoing: Self { Self(rawValue: 2) }
}

// Streams of a living association (RFC 6525): both ends must support it
// (`.reconfigurationSupported`) and allow it (`.streamChanges`). Each call returns when the request is sent; a
// notification tells how it went. While one request is unanswered, another fails with EINPROGRESS.

extension OptionTarget where Options == SCTPSocketOptions, Self: ~Copyable {
  /// Lets the message numbers of streams begin anew (`SCTP_RESET_STREAMS`).
  ///
  /// - Parameters:
  ///   - directions: whose.
  ///   - streams: their numbers; none for all.
  /// - Throws: `.notSupported` where it is not supported by both ends, or not allowed; `.invalidArgument` for a stream
  ///   that is not there; `.other` with EINPROGRESS, or with EAGAIN while a stream has something to send.
  public borrowing func resetStreams(
    _ directions: SCTPStreamDirections, numbers streams: [UInt16] = [], of association: SCTPAssociationID = .future
  ) throws(SocketError) {
    guard streams.count <= Int(UInt16.max) else { throw SocketError(code: .invalidArgument, .setOption) }
    let header = csk_sctp_reset_streams(
      association: association.rawValue, flags: directions.rawValue, count: UInt16(streams.count))
    var bytes = withUnsafeBytes(of: header) { Array($0) }
    for stream in streams { withUnsafeBytes(of: stream) { bytes += $0 } }
    try descriptor.setSCTPOption(CSK_SCTP_RESET_STREAMS, toBytes: bytes)
  }

  /// Lets all numbers of the association begin anew, in both directions (`SCTP_RESET_ASSOC`).
  /// - Throws: as ``resetStreams(_:numbers:of:)``.
  public borrowing func resetAssociation(_ association: SCTPAssociationID = .future) throws(SocketError) {
    try descriptor.setSCTPOption(CSK_SCTP_RESET_ASSOC, to: association.rawValue)
  }

  /// Adds streams (`SCTP_ADD_STREAMS`).
  /// - Parameters:
  ///   - outgoing: how many more to send on.
  ///   - incoming: how many more the peer is asked to send on.
  /// - Throws: as ``resetStreams(_:numbers:of:)``; `.invalidArgument` when there would be more than 65 535, or for nothing.
  public borrowing func addStreams(
    outgoing: UInt16 = 0, incoming: UInt16 = 0, of association: SCTPAssociationID = .future
  ) throws(SocketError) {
    try descriptor.setSCTPOption(
      CSK_SCTP_ADD_STREAMS,
      to: csk_sctp_add_streams(association: association.rawValue, incoming: incoming, outgoing: outgoing))
  }

  /// A stream's number for the scheduler: its priority or its weight (`SCTP_STREAM_SCHEDULER_VALUE`).
  /// - Throws: `.invalidArgument` for a stream or an association that is not there.
  public borrowing func schedulerValue(
    ofStream stream: UInt16, of association: SCTPAssociationID = .future
  ) throws(SocketError) -> UInt16 {
    let question = csk_sctp_stream_value(association: association.rawValue, stream: stream, value: 0)
    return try descriptor.sctpOption(CSK_SCTP_STREAM_SCHEDULER_VALUE, asking: question).value
  }

  /// Sets a stream's number for the scheduler: its priority, of which the smallest goes first, or its weight.
  /// - Throws: as ``schedulerValue(ofStream:of:)``.
  public borrowing func setSchedulerValue(
    _ value: UInt16, ofStream stream: UInt16, of association: SCTPAssociationID = .future
  ) throws(SocketError) {
    try descriptor.setSCTPOption(
      CSK_SCTP_STREAM_SCHEDULER_VALUE,
      to: csk_sctp_stream_value(association: association.rawValue, stream: stream, value: value))
  }
}
