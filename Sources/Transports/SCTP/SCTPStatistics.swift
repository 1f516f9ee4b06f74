internal import CSocketKit
internal import SocketKitCore
public import SocketKitIP

/// The counters of an association since it was established: `SCTP_GET_ASSOC_STATS` (linux/sctp.h).
public struct SCTPStatistics: Hashable, Sendable {
  /// The longest retransmission timeout since the last query; zero if the timeout has not changed since then.
  public var longestRetransmissionTimeout: Duration
  /// The path with that timeout.
  public var longestRetransmissionTimeoutAddress: IPSocketAddress?
  /// The number of received acknowledgements (SACK chunks).
  public var acknowledgementsReceived: UInt64
  /// The number of sent acknowledgements (SACK chunks).
  public var acknowledgementsSent: UInt64
  /// The number of sent packets.
  public var packetsSent: UInt64
  /// The number of received packets.
  public var packetsReceived: UInt64
  /// The number of retransmitted chunks.
  public var retransmittedChunks: UInt64
  /// The number of chunks that arrived before earlier chunks.
  public var outOfSequenceChunks: UInt64
  /// The number of duplicate chunks that were received, ordered and unordered.
  public var duplicateChunks: UInt64
  /// The number of received acknowledgements that reported gaps.
  public var gapAcknowledgements: UInt64
  /// The number of sent chunks of unordered messages.
  public var unorderedChunksSent: UInt64
  /// The number of received chunks of unordered messages.
  public var unorderedChunksReceived: UInt64
  /// The number of sent chunks of ordered messages.
  public var orderedChunksSent: UInt64
  /// The number of received chunks of ordered messages.
  public var orderedChunksReceived: UInt64
  /// The number of sent control chunks.
  public var controlChunksSent: UInt64
  /// The number of received control chunks.
  public var controlChunksReceived: UInt64

  init(_ value: csk_sctp_assoc_stats) {
    longestRetransmissionTimeout = .milliseconds(Int64(clamping: value.maximum_timeout))
    longestRetransmissionTimeoutAddress = address(from: value.maximum_timeout_address)
    acknowledgementsReceived = value.sacks_received
    acknowledgementsSent = value.sacks_sent
    packetsSent = value.packets_sent
    packetsReceived = value.packets_received
    retransmittedChunks = value.retransmitted_chunks
    outOfSequenceChunks = value.out_of_sequence
    duplicateChunks = value.duplicate_chunks
    gapAcknowledgements = value.gap_acknowledgements
    unorderedChunksSent = value.unordered_chunks_sent
    unorderedChunksReceived = value.unordered_chunks_received
    orderedChunksSent = value.ordered_chunks_sent
    orderedChunksReceived = value.ordered_chunks_received
    controlChunksSent = value.control_chunks_sent
    controlChunksReceived = value.control_chunks_received
  }
}

extension ReadOnlySCTPAssociationOption where Value == SCTPStatistics {
  /// The counters of an association since it was established. The C name is `SCTP_GET_ASSOC_STATS`.
  public static var statistics: Self {
    Self(CSK_SCTP_GET_ASSOC_STATS, decode: { SCTPStatistics($0) })
  }
}
