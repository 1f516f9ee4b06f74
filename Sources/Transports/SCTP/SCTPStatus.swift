internal import CSocketKit
public import SocketKitCore
public import SocketKitIP

/// The state of an association (RFC 9260, 4).
public enum SCTPAssociationState: Int32, BitwiseCopyable, Hashable, Sendable {
  /// A state that the kernel's headers define and that the kernel never reports.
  case empty = 0
  /// There is no association.
  case closed = 1
  /// INIT was sent.
  case cookieWait = 2
  /// COOKIE ECHO was sent.
  case cookieEchoed = 3
  /// Both ends can send.
  case established = 4
  /// This end has shut the association down, and some data is not acknowledged yet.
  case shutdownPending = 5
  /// All data is acknowledged, and SHUTDOWN was sent.
  case shutdownSent = 6
  /// The peer has sent SHUTDOWN, and some data of this end is not acknowledged yet.
  case shutdownReceived = 7
  /// All data is acknowledged, and SHUTDOWN ACK was sent.
  case shutdownAcknowledged = 8
  /// A state that this version of SocketKit does not define.
  case unknown = -1
}

/// Whether a path is usable (RFC 6458, 8.2.2).
public enum SCTPPathState: Int32, BitwiseCopyable, Hashable, Sendable {
  /// Failed: the path is not used.
  case inactive = 0
  /// Suspected to have failed (RFC 7829). ``SCTPAssociationOption/exposesPotentiallyFailed`` controls whether this
  /// state is reported.
  case potentiallyFailed = 1
  /// Usable.
  case active = 2
  /// Not probed yet, and therefore not used.
  case unconfirmed = 3
  /// The state is not known: this end supplied the address, and no answer has arrived.
  case unknown = 0xffff
}

/// One path, which is one address of the peer (RFC 6458, 8.2.2): `SCTP_GET_PEER_ADDR_INFO`.
public struct SCTPPathInfo: Hashable, Sendable {
  /// The address at the peer; nil if there is none.
  public var address: IPSocketAddress?
  /// Whether the path is usable.
  public var state: SCTPPathState
  /// The congestion window in bytes.
  public var congestionWindow: UInt32
  /// The smoothed round-trip time; the unit is milliseconds.
  public var smoothedRoundTripTime: Duration
  /// The retransmission timeout; the unit is milliseconds.
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

/// The status of an association (RFC 6458, 8.2.1): `SCTP_STATUS`.
public struct SCTPStatus: Hashable, Sendable {
  /// The association.
  public var association: SCTPAssociationID
  /// The state of the association.
  public var state: SCTPAssociationState
  /// The peer's free receive buffer space in bytes.
  public var peerWindow: UInt32
  /// The number of chunks that were sent and are not acknowledged.
  public var unacknowledgedChunks: UInt16
  /// The number of chunks from the peer that are missing although later chunks have arrived.
  public var missingChunks: UInt16
  /// The number of streams on which the peer sends. Stream numbers start at 0.
  public var incomingStreams: UInt16
  /// The number of streams on which this end sends: the smaller of the number that this end requested and the number
  /// that the peer accepts.
  public var outgoingStreams: UInt16
  /// The longest fragment of a message, in bytes.
  public var fragmentationPoint: UInt32
  /// The path in use.
  public var primaryPath: SCTPPathInfo
}

extension ReadOnlySCTPAssociationOption where Value == SCTPStatus {
  /// The status of an association that exists and has not ended. The C name is `SCTP_STATUS`.
  public static var status: Self {
    Self(
      CSK_SCTP_STATUS,
      decode: { (value: csk_sctp_status) in
        SCTPStatus(
          association: SCTPAssociationID(rawValue: value.association),
          state: SCTPAssociationState(rawValue: value.state) ?? .unknown, peerWindow: value.peer_window,
          unacknowledgedChunks: value.unacknowledged, missingChunks: value.pending,
          incomingStreams: value.incoming_streams, outgoingStreams: value.outgoing_streams,
          fragmentationPoint: value.fragmentation_point, primaryPath: SCTPPathInfo(value.primary))
      })
  }
}

extension ReadOnlySCTPAssociationOption where Value == SCTPPathInfo {
  /// The status of the path to one address of the peer. Reading the option throws `.invalidArgument` if the association
  /// has no such address. The C name is `SCTP_GET_PEER_ADDR_INFO`.
  public static func pathInfo(to peer: IPSocketAddress) -> Self {
    Self(
      CSK_SCTP_GET_PEER_ADDR_INFO, question: { csk_sctp_paddrinfo(of: $0, to: peer) }, decode: { SCTPPathInfo($0) })
  }
}

extension ReadOnlySocketOption where Group == SCTPSocketOptions, Value == Int {
  /// The number of associations of a one-to-many socket; one-to-one sockets throw `.notSupported`. The C name is
  /// `SCTP_GET_ASSOC_NUMBER`.
  public static var associationCount: Self {
    Self { (target: RawDescriptor) throws(SocketError) -> Int in try target.associationCount() }
  }
}

extension ReadOnlySocketOption where Group == SCTPSocketOptions, Value == [SCTPAssociationID] {
  /// The associations of a one-to-many socket; one-to-one sockets throw `.notSupported`. The C name is
  /// `SCTP_GET_ASSOC_ID_LIST`.
  public static var associations: Self {
    Self { (target: RawDescriptor) throws(SocketError) -> [SCTPAssociationID] in
      // More associations may be established between the two calls.
      var room = try target.associationCount() + 4
      while true {
        var numbers = [Int32](repeating: 0, count: room + 1)
        let result = target.readSCTPOption(CSK_SCTP_GET_ASSOC_ID_LIST, into: &numbers)
        if result.errno == CSK_EINVAL && room < 1 << 20 {
          room *= 2
          continue
        }
        if result.isFailure { throw SocketError(result, .getOption) }
        return numbers.dropFirst().prefix(Int(numbers[0])).map { SCTPAssociationID(rawValue: $0) }
      }
    }
  }
}

extension RawDescriptor {
  fileprivate func associationCount() throws(SocketError) -> Int {
    let count: UInt32 = try sctpOption(CSK_SCTP_GET_ASSOC_NUMBER, asking: 0)
    return Int(count)
  }
}
