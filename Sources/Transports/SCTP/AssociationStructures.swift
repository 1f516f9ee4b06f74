internal import CSocketKit
internal import SocketKitCore
internal import SocketKitIP

/// A kernel structure that contains the number of the association to which an option applies.
protocol AssociationStructure {
  init()
  var association: Int32 { get set }
}

/// A kernel structure that also contains the address of a path or of an end.
protocol AddressStructure: AssociationStructure {
  associatedtype Storage: BitwiseCopyable
  var address: Storage { get set }
}

extension AssociationStructure {
  /// Creates a structure in which only the association is set.
  init(of association: SCTPAssociationID) {
    self.init()
    self.association = association.rawValue
  }
}

extension AddressStructure {
  /// Creates a structure in which only the association and the address are set. Nil leaves the address empty, which
  /// means every address.
  init(of association: SCTPAssociationID, to peer: IPSocketAddress?) {
    self.init(of: association)
    if let peer { copy(peer, into: &address) }
  }
}

extension csk_sctp_assoc_stats: AssociationStructure {}
extension csk_sctp_assoc_value: AssociationStructure {}
extension csk_sctp_assocparams: AssociationStructure {}
extension csk_sctp_authkeyid: AssociationStructure {}
extension csk_sctp_default_prinfo: AssociationStructure {}
extension csk_sctp_default_sndinfo: AssociationStructure {}
extension csk_sctp_event: AssociationStructure {}
extension csk_sctp_rtoinfo: AssociationStructure {}
extension csk_sctp_sack_info: AssociationStructure {}
extension csk_sctp_status: AssociationStructure {}
extension csk_sctp_stream_value: AssociationStructure {}

extension csk_sctp_association_address: AddressStructure {}
extension csk_sctp_paddrinfo: AddressStructure {}
extension csk_sctp_paddrparams: AddressStructure {}
extension csk_sctp_paddrthlds_v2: AddressStructure {}
extension csk_sctp_probeinterval: AddressStructure {}
extension csk_sctp_udpencaps: AddressStructure {}
