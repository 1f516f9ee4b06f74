internal import CSocketKit
public import SocketKitCore

/// Something that the kernel does with an association when a program asks for it: see `perform(_:of:)`.
///
/// Changes to the streams of an existing association (RFC 6525) must be supported by both ends
/// (``SCTPAssociationOption/reconfigurationSupported``) and permitted by them
/// (``SCTPAssociationOption/streamChanges``). The call returns when the request is sent, and a notification reports the
/// result. It throws `.notSupported` if not both ends support the change, or if it is not permitted. While one request
/// is unanswered, another throws `.other` with EINPROGRESS.
public enum SCTPAssociationAction: Hashable, Sendable {
  /// Resets the message numbers of streams in some directions; no numbers of streams means all streams. Throws
  /// `.invalidArgument` for a stream that does not exist; `.other` with EAGAIN while a stream has data to send. The C
  /// name is `SCTP_RESET_STREAMS`.
  case resetStreams(SCTPStreamDirections, numbers: [UInt16] = [])
  /// Resets all numbers of the association, in both directions. The C name is `SCTP_RESET_ASSOC`.
  case resetAssociation
  /// Adds streams to send on, and asks the peer to add streams that it sends on. Throws `.invalidArgument` if there
  /// would be more than 65 535 streams, or if both numbers are 0. The C name is `SCTP_ADD_STREAMS`.
  case addStreams(outgoing: UInt16 = 0, incoming: UInt16 = 0)
  /// Probes the path to an address of the peer now. Throws `.invalidArgument` if the association has no such address.
  /// The C name is `SPP_HB_DEMAND`.
  case sendHeartbeat(to: IPSocketAddress)
  /// Requests that the peer send to an address of this end (RFC 5061). Throws `.permissionDenied` unless both ends
  /// support address changes (``SCTPAssociationOption/addressChangesSupported``); `.addressNotAvailable` for an address
  /// that does not belong to this end. The C name is `SCTP_SET_PEER_PRIMARY_ADDR`.
  case requestPeerPrimaryAddress(IPSocketAddress)
  /// Deactivates a key: no further message can be sent with it (RFC 6458, 8.3.4; Linux 4.17).
  ///
  /// ``SCTPNotification/authentication(_:)`` reports ``SCTPAuthentication/Event/keyIsFree`` when no data that was sent
  /// with the key is in transit. The key may then be deleted. Throws `.invalidArgument` for the active key and for a
  /// key that is not installed; `.notSupported` with EACCES if authentication is off or the peer does not support it.
  /// The C name is `SCTP_AUTH_DEACTIVATE_KEY`.
  case deactivateKey(UInt16)
  /// Deletes a key (RFC 6458, 8.3.5): the kernel then refuses chunks that are signed with it. Deactivate the key first,
  /// and wait until it is free. Throws the errors of ``deactivateKey(_:)``. The C name is `SCTP_AUTH_DELETE_KEY`.
  case deleteKey(UInt16)
}

extension OptionTarget where Options == SCTPSocketOptions, Self: ~Copyable {
  /// Does something with one association, or with the socket's defaults for future associations where the action has
  /// such defaults: the keys.
  /// - Parameter association: an association of a one-to-many socket; for keys also `.future` for the socket's default,
  ///   `.current` or `.all`.
  /// - Throws: `.invalidArgument` for an association that does not exist; `.closed`, and the errors that the action
  ///   states.
  public borrowing func perform(
    _ action: SCTPAssociationAction, of association: SCTPAssociationID = .future
  ) throws(SocketError) {
    switch action {
    case .resetStreams(let directions, let streams):
      try descriptor.resetStreams(directions, streams, of: association)
    case .resetAssociation:
      try descriptor.setSCTPOption(CSK_SCTP_RESET_ASSOC, to: association.rawValue)
    case .addStreams(let outgoing, let incoming):
      try descriptor.setSCTPOption(
        CSK_SCTP_ADD_STREAMS,
        to: csk_sctp_add_streams(association: association.rawValue, incoming: incoming, outgoing: outgoing))
    case .sendHeartbeat(let peer):
      try descriptor.sendHeartbeat(to: peer, of: association)
    case .requestPeerPrimaryAddress(let own):
      var value = csk_sctp_association_address()
      value.association = association.rawValue
      copy(own, into: &value.address)
      try descriptor.setSCTPOption(CSK_SCTP_SET_PEER_PRIMARY_ADDR, to: value)
    case .deactivateKey(let number):
      try descriptor.setKey(CSK_SCTP_AUTH_DEACTIVATE_KEY, number, of: association)
    case .deleteKey(let number):
      try descriptor.setKey(CSK_SCTP_AUTH_DELETE_KEY, number, of: association)
    }
  }
}

extension RawDescriptor {
  fileprivate func resetStreams(
    _ directions: SCTPStreamDirections, _ streams: [UInt16], of association: SCTPAssociationID
  ) throws(SocketError) {
    guard streams.count <= Int(UInt16.max) else { throw SocketError(code: .invalidArgument, .setOption) }
    let header = csk_sctp_reset_streams(
      association: association.rawValue, flags: directions.rawValue, count: UInt16(streams.count))
    var bytes = withUnsafeBytes(of: header) { Array($0) }
    for stream in streams { withUnsafeBytes(of: stream) { bytes += $0 } }
    try setSCTPOption(CSK_SCTP_RESET_STREAMS, toBytes: bytes)
  }
}
