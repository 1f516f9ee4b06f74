internal import CSocketKit
public import SocketKitCore

/// Where an association is in its life (RFC 9260, 4).
public enum SCTPAssociationState: Int32, BitwiseCopyable, Hashable, Sendable {
  case empty = 0
  case closed = 1
  /// INIT is sent.
  case cookieWait = 2
  case cookieEchoed = 3
  case established = 4
  /// Shut down here, while something is not acknowledged yet.
  case shutdownPending = 5
  case shutdownSent = 6
  case shutdownReceived = 7
  case shutdownAcknowledged = 8
  /// One that this version does not know.
  case unknown = -1
}

/// Whether a path can be used (RFC 6458, 8.2.2).
public enum SCTPPathState: Int32, BitwiseCopyable, Hashable, Sendable {
  /// Failed: not used.
  case inactive = 0
  /// Suspected to have failed (RFC 7829); shown only with ``SCTPAssociationOption/exposesPotentiallyFailed``.
  case potentiallyFailed = 1
  /// Usable.
  case active = 2
  /// Not probed yet, so not used.
  case unconfirmed = 3
  /// Not known: the address was given by this end, and no answer has come.
  case unknown = 0xffff
}

/// One path, that is one address of the peer (RFC 6458, 8.2.2): `SCTP_GET_PEER_ADDR_INFO`.
public struct SCTPPathInfo: Hashable, Sendable {
  /// The address at the peer; nil when there is none.
  public var address: IPSocketAddress?
  public var state: SCTPPathState
  /// The congestion window in bytes.
  public var congestionWindow: UInt32
  /// Milliseconds.
  public var smoothedRoundTripTime: Duration
  /// Milliseconds.
  public var retransmissionTimeout: Duration
  /// The path MTU in bytes.
  public var mtu: UInt32

  init(_ value: csk_sctp_paddrinfo) {
    address = SocketKitSCTP.address(from: value.address)
    state = SCTPPathState(rawValue: value.state) ?? .unknown
    congestionWindow = value.congestion_window
    smoothedRoundTripTime = .milliseconds(value.smoothed_round_trip)
    retransmissionTimeout = .milliseconds(value.retransmission_timeout)
    mtu = value.mtu
  }
}

/// How an association is (RFC 6458, 8.2.1): `SCTP_STATUS`.
public struct SCTPStatus: Hashable, Sendable {
  public var association: SCTPAssociationID
  public var state: SCTPAssociationState
  /// Bytes that the peer has room for.
  public var peerWindow: UInt32
  /// Chunks sent and not acknowledged.
  public var unacknowledgedChunks: UInt16
  /// Chunks of the peer that are missing: later ones have come.
  public var missingChunks: UInt16
  /// Streams that the peer sends on: numbers from 0 to one less.
  public var incomingStreams: UInt16
  /// Streams to send on: the smaller of what we asked for and what the peer takes.
  public var outgoingStreams: UInt16
  /// The longest fragment of a message in bytes.
  public var fragmentationPoint: UInt32
  /// The path in use.
  public var primaryPath: SCTPPathInfo
}

extension OptionTarget where Options == SCTPSocketOptions, Self: ~Copyable {
  /// How an association is (`SCTP_STATUS`).
  /// - Throws: `.invalidArgument` when there is none, so when not connected or over.
  public borrowing func status(of association: SCTPAssociationID = .future) throws(SocketError) -> SCTPStatus {
    var question = csk_sctp_status()
    question.association = association.rawValue
    let value = try descriptor.sctpOption(CSK_SCTP_STATUS, asking: question)
    return SCTPStatus(
      association: SCTPAssociationID(rawValue: value.association),
      state: SCTPAssociationState(rawValue: value.state) ?? .unknown, peerWindow: value.peer_window,
      unacknowledgedChunks: value.unacknowledged, missingChunks: value.pending,
      incomingStreams: value.incoming_streams, outgoingStreams: value.outgoing_streams,
      fragmentationPoint: value.fragmentation_point, primaryPath: SCTPPathInfo(value.primary))
  }

  /// How one path is (`SCTP_GET_PEER_ADDR_INFO`).
  /// - Throws: `.invalidArgument` when the association has no such address.
  public borrowing func pathInfo(
    to peer: IPSocketAddress, of association: SCTPAssociationID = .future
  ) throws(SocketError) -> SCTPPathInfo {
    var question = csk_sctp_paddrinfo()
    question.association = association.rawValue
    copy(peer, into: &question.address)
    return SCTPPathInfo(try descriptor.sctpOption(CSK_SCTP_GET_PEER_ADDR_INFO, asking: question))
  }

  /// How many associations a one-to-many socket has (`SCTP_GET_ASSOC_NUMBER`).
  /// - Throws: `.notSupported` on one-to-one sockets.
  public borrowing func associationCount() throws(SocketError) -> Int {
    let count: UInt32 = try descriptor.sctpOption(CSK_SCTP_GET_ASSOC_NUMBER, asking: 0)
    return Int(count)
  }

  /// The associations of a one-to-many socket (`SCTP_GET_ASSOC_ID_LIST`).
  /// - Throws: `.notSupported` on one-to-one sockets.
  public borrowing func associations() throws(SocketError) -> [SCTPAssociationID] {
    // More may come between counting and asking.
    var room = try associationCount() + 4
    while true {
      var numbers = [Int32](repeating: 0, count: room + 1)
      var length = UInt32(numbers.count * 4)
      let result = IOResult(
        raw: csk_getsockopt(
          descriptor.value, CSK_IPPROTO_SCTP, CSK_SCTP_GET_ASSOC_ID_LIST, &numbers, &length))
      if result.errno == CSK_EINVAL && room < 1 << 20 {
        room *= 2
        continue
      }
      if result.isFailure { throw SocketError(result, .getOption) }
      return numbers.dropFirst().prefix(Int(numbers[0])).map { SCTPAssociationID(rawValue: $0) }
    }
  }
}
