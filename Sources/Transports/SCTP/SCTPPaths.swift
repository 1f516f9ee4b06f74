internal import CSocketKit
public import SocketKitCore

/// The numbers of retransmissions after which the kernel considers a path unreliable (RFC 7829, 7):
/// `SCTP_PEER_ADDR_THLDS_V2`, Linux 5.5.
public struct SCTPPathThresholds: Hashable, Sendable {
  /// After more retransmissions than this, the path counts as failed; zero leaves the value unchanged.
  public var failed: UInt16
  /// After more retransmissions than this, another path is preferred until this one answers; 65 535 for never.
  public var potentiallyFailed: UInt16
  /// After more retransmissions than this, another path permanently becomes the primary one; 65 535, the default, for
  /// never.
  public var primaryChange: UInt16

  /// Creates thresholds; by default, without a change of the primary path.
  public init(failed: UInt16 = 0, potentiallyFailed: UInt16, primaryChange: UInt16 = .max) {
    self.failed = failed
    self.potentiallyFailed = potentiallyFailed
    self.primaryChange = primaryChange
  }
}

extension OptionTarget where Options == SCTPSocketOptions, Self: ~Copyable {
  /// Returns the peer's primary address, to which data is sent while it answers (`SCTP_PRIMARY_ADDR`).
  /// - Throws: `.invalidArgument` if the association does not exist.
  public borrowing func primaryAddress(
    of association: SCTPAssociationID = .future
  ) throws(SocketError) -> IPSocketAddress {
    var question = csk_sctp_association_address()
    question.association = association.rawValue
    let value = try descriptor.sctpOption(CSK_SCTP_PRIMARY_ADDR, asking: question)
    guard let address = address(from: value.address) else { throw SocketError(code: .invalidAddress, .getOption) }
    return address
  }

  /// Makes an address of the peer its primary address, to which data is sent while it answers.
  /// - Throws: `.invalidArgument` if the association has no such address.
  public borrowing func setPrimaryAddress(
    _ peer: IPSocketAddress, of association: SCTPAssociationID = .future
  ) throws(SocketError) {
    try setAddress(CSK_SCTP_PRIMARY_ADDR, peer, association)
  }

  /// Requests that the peer send to an address of this end (`SCTP_SET_PEER_PRIMARY_ADDR`, RFC 5061).
  /// - Throws: `.permissionDenied` unless both ends support address changes
  ///   (``SCTPAssociationOption/addressChangesSupported``); `.addressNotAvailable` for an address that does not belong
  ///   to this end.
  public borrowing func requestPeerPrimaryAddress(
    _ own: IPSocketAddress, of association: SCTPAssociationID = .future
  ) throws(SocketError) {
    try setAddress(CSK_SCTP_SET_PEER_PRIMARY_ADDR, own, association)
  }

  private borrowing func setAddress(
    _ name: Int32, _ address: IPSocketAddress, _ association: SCTPAssociationID
  ) throws(SocketError) {
    var value = csk_sctp_association_address()
    value.association = association.rawValue
    copy(address, into: &value.address)
    try descriptor.setSCTPOption(name, to: value)
  }

  /// Returns the failure thresholds of a path, or the initial thresholds of all paths if no address is given.
  /// - Throws: `.noSuchPath` (the kernel's ENOENT, only in this call) if the association has no such address;
  ///   `.invalidArgument` if the socket has no such association; `.notSupported` before Linux 5.5.
  public borrowing func pathThresholds(
    to peer: IPSocketAddress? = nil, of association: SCTPAssociationID = .future
  ) throws(SocketError) -> SCTPPathThresholds {
    var question = csk_sctp_paddrthlds_v2()
    question.association = association.rawValue
    copy(peer, into: &question.address)
    let value = try descriptor.sctpOption(CSK_SCTP_PEER_ADDR_THLDS_V2, asking: question)
    return SCTPPathThresholds(
      failed: value.retransmissions, potentiallyFailed: value.potentially_failed, primaryChange: value.primary_change)
  }

  /// Sets the failure thresholds of one path, or of all paths of an association.
  /// - Throws: `.invalidArgument` unless potentiallyFailed ≤ primaryChange, and the errors of
  ///   ``pathThresholds(to:of:)``.
  public borrowing func setPathThresholds(
    _ thresholds: SCTPPathThresholds, to peer: IPSocketAddress? = nil, of association: SCTPAssociationID = .future
  ) throws(SocketError) {
    var value = csk_sctp_paddrthlds_v2()
    value.association = association.rawValue
    copy(peer, into: &value.address)
    value.retransmissions = thresholds.failed
    value.potentially_failed = thresholds.potentiallyFailed
    value.primary_change = thresholds.primaryChange
    try descriptor.setSCTPOption(CSK_SCTP_PEER_ADDR_THLDS_V2, to: value)
  }

  /// Returns how often a path is probed for a larger MTU; nil for never (RFC 8899, `SCTP_PLPMTUD_PROBE_INTERVAL`, Linux
  /// 5.14).
  /// - Throws: `.invalidArgument` if the association has no such address.
  public borrowing func pathMTUProbeInterval(
    to peer: IPSocketAddress? = nil, of association: SCTPAssociationID = .future
  ) throws(SocketError) -> Duration? {
    var question = csk_sctp_probeinterval()
    question.association = association.rawValue
    copy(peer, into: &question.address)
    let value = try descriptor.sctpOption(CSK_SCTP_PLPMTUD_PROBE_INTERVAL, asking: question)
    return value.interval == 0 ? nil : .milliseconds(value.interval)
  }

  /// Sets how often a path is probed for a larger MTU: milliseconds, rounded up, at least 5 s; nil for never.
  /// - Throws: `.invalidArgument` for a shorter interval, and the errors of ``pathMTUProbeInterval(to:of:)``.
  public borrowing func setPathMTUProbeInterval(
    _ interval: Duration?, to peer: IPSocketAddress? = nil, of association: SCTPAssociationID = .future
  ) throws(SocketError) {
    var value = csk_sctp_probeinterval()
    value.association = association.rawValue
    copy(peer, into: &value.address)
    if let interval {
      value.interval = try milliseconds(interval)
      if value.interval == 0 { throw SocketError(code: .invalidArgument, .setOption) }
    }
    try descriptor.setSCTPOption(CSK_SCTP_PLPMTUD_PROBE_INTERVAL, to: value)
  }

  /// Returns the UDP port on which the peer receives SCTP; 0 for SCTP over IP (RFC 6951, `SCTP_REMOTE_UDP_ENCAPS_PORT`,
  /// Linux 5.11).
  ///
  /// This end's own port is net.sctp.udp_port.
  /// - Throws: `.invalidArgument` if the association has no such address.
  public borrowing func udpEncapsulationPort(
    to peer: IPSocketAddress? = nil, of association: SCTPAssociationID = .future
  ) throws(SocketError) -> UInt16 {
    var question = csk_sctp_udpencaps()
    question.association = association.rawValue
    copy(peer, into: &question.address)
    return UInt16(
      bigEndian: try descriptor.sctpOption(CSK_SCTP_REMOTE_UDP_ENCAPS_PORT, asking: question).port)
  }

  /// Sets the UDP port on which the peer receives SCTP; 0 for SCTP over IP.
  /// - Throws: the errors of ``udpEncapsulationPort(to:of:)``.
  public borrowing func setUDPEncapsulationPort(
    _ port: UInt16, to peer: IPSocketAddress? = nil, of association: SCTPAssociationID = .future
  ) throws(SocketError) {
    var value = csk_sctp_udpencaps()
    value.association = association.rawValue
    copy(peer, into: &value.address)
    value.port = port.bigEndian
    try descriptor.setSCTPOption(CSK_SCTP_REMOTE_UDP_ENCAPS_PORT, to: value)
  }
}
