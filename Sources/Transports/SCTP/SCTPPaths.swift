internal import CSocketKit
internal import SocketKitCore
public import SocketKitIP

/// The numbers of retransmissions after which the kernel considers a path unreliable (RFC 7829, 7):
/// `SCTP_PEER_ADDR_THLDS_V2`, Linux 5.5.
public struct SCTPPathThresholds: Hashable, Sendable {
  /// If the number of retransmissions is greater than this number, the path counts as failed. The range is 1 to 65 535;
  /// 0 leaves the value unchanged.
  public var failed: UInt16
  /// If the number of retransmissions is greater than this number and less than ``failed``, another path is preferred
  /// until this path answers. The range is 0 to ``primaryChange``; 65 535 means never. The kernel ignores the number if
  /// net.sctp.pf_enable is 0.
  public var potentiallyFailed: UInt16
  /// If the number of retransmissions is greater than this number, another path permanently becomes the primary path.
  /// The range is ``potentiallyFailed`` to 65 535. The default, 65 535, means never.
  public var primaryChange: UInt16

  /// Creates thresholds. By default, the primary path never changes.
  public init(failed: UInt16 = 0, potentiallyFailed: UInt16, primaryChange: UInt16 = .max) {
    self.failed = failed
    self.potentiallyFailed = potentiallyFailed
    self.primaryChange = primaryChange
  }
}

/// The options of the paths of an association: `.path(to: peer)` selects the options of one path, and `.paths` selects
/// those of all paths.
///
/// ```swift
/// let thresholds = try socket.option(.path(to: peer).thresholds, of: association)
/// try socket.setOption(.paths.mtuProbeInterval, to: .seconds(60))
/// ```
/// If the association does not have the path, reading or setting an option throws `.invalidArgument`.
public struct SCTPPathOptions: Sendable {
  /// The path's address at the peer; nil for all paths.
  let peer: IPSocketAddress?

  /// The numbers of retransmissions after which a path counts as unreliable.
  ///
  /// Reading or setting the option throws `.noSuchPath` (the kernel's ENOENT, for this option only) if the association
  /// has no such address. Setting the option throws `.invalidArgument` unless potentiallyFailed ≤ primaryChange.
  /// Reading or setting the option throws `.notSupported` before Linux 5.5. The C name is `SCTP_PEER_ADDR_THLDS_V2`.
  public var thresholds: SCTPAssociationOption<SCTPPathThresholds> {
    SCTPAssociationOption(
      CSK_SCTP_PEER_ADDR_THLDS_V2, question: { csk_sctp_paddrthlds_v2(of: $0, to: peer) },
      decode: {
        SCTPPathThresholds(
          failed: $0.retransmissions, potentiallyFailed: $0.potentially_failed, primaryChange: $0.primary_change)
      },
      encode: {
        $1.retransmissions = $0.failed
        $1.potentially_failed = $0.potentiallyFailed
        $1.primary_change = $0.primaryChange
      })
  }

  /// The interval at which a path is probed for a larger MTU (RFC 8899), rounded up to whole milliseconds. It is at
  /// least 5 s, or nil for no probes.
  ///
  /// Setting the option throws `.invalidArgument` for a shorter interval. The C name is `SCTP_PLPMTUD_PROBE_INTERVAL`
  /// (Linux 5.14).
  public var mtuProbeInterval: SCTPAssociationOption<Duration?> {
    SCTPAssociationOption(
      CSK_SCTP_PLPMTUD_PROBE_INTERVAL, question: { csk_sctp_probeinterval(of: $0, to: peer) },
      decode: { $0.interval == 0 ? nil : .milliseconds($0.interval) },
      encode: { (interval: Duration?, structure: inout csk_sctp_probeinterval) throws(SocketError) in
        guard let interval else { return }
        structure.interval = try milliseconds(interval)
        if structure.interval == 0 { throw SocketError(code: .invalidArgument, .setOption) }
      })
  }

  /// The UDP port on which the peer receives SCTP (RFC 6951); 0 for SCTP over IP. This end's own port is
  /// net.sctp.udp_port. The C name is `SCTP_REMOTE_UDP_ENCAPS_PORT` (Linux 5.11).
  public var udpEncapsulationPort: SCTPAssociationOption<UInt16> {
    SCTPAssociationOption(
      CSK_SCTP_REMOTE_UDP_ENCAPS_PORT, question: { csk_sctp_udpencaps(of: $0, to: peer) },
      decode: { UInt16(bigEndian: $0.port) }, encode: { $1.port = $0.bigEndian })
  }
}

extension SCTPAssociationOption {
  /// The options of the path to one address of the peer.
  public static func path(to peer: IPSocketAddress) -> SCTPPathOptions { SCTPPathOptions(peer: peer) }
  /// The options of all paths. Reading the option returns the initial values of paths. Setting the option changes the
  /// initial values and the values of all existing paths.
  public static var paths: SCTPPathOptions { SCTPPathOptions(peer: nil) }
}

extension SCTPAssociationOption where Value == IPSocketAddress {
  /// The peer's primary address. Data is sent to this address while the address answers.
  ///
  /// Setting the option throws `.invalidArgument` if the association has no such address. The C name is
  /// `SCTP_PRIMARY_ADDR`.
  public static var primaryAddress: Self {
    Self(
      CSK_SCTP_PRIMARY_ADDR,
      decode: { (value: csk_sctp_association_address) throws(SocketError) -> IPSocketAddress in
        guard let address = address(from: value.address) else { throw SocketError(code: .invalidAddress, .getOption) }
        return address
      },
      encode: { copy($0, into: &$1.address) })
  }
}
