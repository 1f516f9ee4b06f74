internal import CSocketKit
public import SocketKitCore

/// The directions of the streams to reset.
@frozen
public struct SCTPStreamDirections: OptionSet, BitwiseCopyable, Hashable, Sendable {
  public let rawValue: UInt16
  @inlinable
  public init(rawValue: UInt16) { self.rawValue = rawValue }
  /// The peer's streams, which the peer is asked to reset.
  @inlinable public static var incoming: Self { Self(rawValue: 1) }
  /// This end's own streams.
  @inlinable public static var outgoing: Self { Self(rawValue: 2) }
}

// Changes to the streams of an existing association (RFC 6525): both ends must support them
// (`.reconfigurationSupported`) and permit them (`.streamChanges`). Each call returns when the request is sent; a
// notification reports the result. While one request is unanswered, another fails with EINPROGRESS.

extension OptionTarget where Options == SCTPSocketOptions, Self: ~Copyable {
  /// Resets the message numbers of streams (`SCTP_RESET_STREAMS`).
  ///
  /// - Parameters:
  ///   - directions: the peer's streams, this end's own, or both.
  ///   - streams: the numbers of the streams; empty for all.
  /// - Throws: `.notSupported` if not both ends support it, or if it is not permitted; `.invalidArgument` for a stream
  ///   that does not exist; `.other` with EINPROGRESS, or with EAGAIN while a stream has data to send.
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

  /// Resets all numbers of the association, in both directions (`SCTP_RESET_ASSOC`).
  /// - Throws: the errors of ``resetStreams(_:numbers:of:)``.
  public borrowing func resetAssociation(_ association: SCTPAssociationID = .future) throws(SocketError) {
    try descriptor.setSCTPOption(CSK_SCTP_RESET_ASSOC, to: association.rawValue)
  }

  /// Adds streams (`SCTP_ADD_STREAMS`).
  /// - Parameters:
  ///   - outgoing: how many streams to add for sending.
  ///   - incoming: how many streams the peer is asked to add to those that it sends on.
  /// - Throws: the errors of ``resetStreams(_:numbers:of:)``; `.invalidArgument` if there would be more than 65 535
  ///   streams, or if both numbers are 0.
  public borrowing func addStreams(
    outgoing: UInt16 = 0, incoming: UInt16 = 0, of association: SCTPAssociationID = .future
  ) throws(SocketError) {
    try descriptor.setSCTPOption(
      CSK_SCTP_ADD_STREAMS,
      to: csk_sctp_add_streams(association: association.rawValue, incoming: incoming, outgoing: outgoing))
  }

  /// Returns a stream's value for the scheduler: its priority or its weight (`SCTP_STREAM_SCHEDULER_VALUE`).
  /// - Throws: `.invalidArgument` for a stream or an association that does not exist.
  public borrowing func schedulerValue(
    ofStream stream: UInt16, of association: SCTPAssociationID = .future
  ) throws(SocketError) -> UInt16 {
    let question = csk_sctp_stream_value(association: association.rawValue, stream: stream, value: 0)
    return try descriptor.sctpOption(CSK_SCTP_STREAM_SCHEDULER_VALUE, asking: question).value
  }

  /// Sets a stream's value for the scheduler: its priority (the lowest number is sent first) or its weight.
  /// - Throws: the errors of ``schedulerValue(ofStream:of:)``.
  public borrowing func setSchedulerValue(
    _ value: UInt16, ofStream stream: UInt16, of association: SCTPAssociationID = .future
  ) throws(SocketError) {
    try descriptor.setSCTPOption(
      CSK_SCTP_STREAM_SCHEDULER_VALUE,
      to: csk_sctp_stream_value(association: association.rawValue, stream: stream, value: value))
  }
}
