internal import CSocketKit
public import SocketKitCore
public import SocketKitIP

/// An operation on an association or on a socket. A program requests the operation from the kernel with
/// `perform(_:of:)`.
///
/// ```swift
/// try socket.perform(.addLocalAddresses([IPSocketAddress(parsing: "10.0.1.1:0")]))
/// try server.perform(.addStreams(outgoing: 2), of: association)
/// ```
/// ``addLocalAddresses(_:)``, ``removeLocalAddresses(_:)`` and ``requireAuthentication(of:)`` are operations on the
/// socket. They throw `.invalidArgument` for any association other than `.future`, the default.
///
/// The streams of an existing association can be changed (RFC 6525) if both ends support such changes
/// (``SCTPAssociationOption/reconfigurationSupported``) and permit them (``SCTPAssociationOption/streamChanges``). The
/// call returns when the request is sent, and a notification reports the result. The call throws `.notSupported` if one
/// of the ends does not support such changes, or if this end does not permit the change. If the peer does not permit
/// the change, the result is ``SCTPReconfiguration/denied``. While one request is unanswered, another request throws
/// `.other` with EINPROGRESS.
public enum SCTPAssociationAction: Hashable, Sendable {
  /// Resets the message numbers of streams in the given directions. An empty `numbers` means all streams. Throws
  /// `.invalidArgument` for a stream that does not exist; `.other` with EAGAIN while a stream has data to send. The C
  /// name is `SCTP_RESET_STREAMS`.
  case resetStreams(SCTPStreamDirections, numbers: [UInt16] = [])
  /// Resets all numbers of the association, in both directions. The C name is `SCTP_RESET_ASSOC`.
  case resetAssociation
  /// Adds streams on which this end sends, and requests that the peer add streams on which the peer sends. Throws
  /// `.invalidArgument` if there would be more than 65 535 streams, or if both numbers are 0. The C name is
  /// `SCTP_ADD_STREAMS`.
  case addStreams(outgoing: UInt16 = 0, incoming: UInt16 = 0)
  /// Probes the path to an address of the peer immediately. Throws `.invalidArgument` if the association has no such
  /// address. The C name is `SPP_HB_DEMAND`.
  case sendHeartbeat(to: IPSocketAddress)
  /// Requests that the peer send to an address of this end (RFC 5061). Throws `.permissionDenied` unless both ends
  /// support address changes (``SCTPAssociationOption/addressChangesSupported``); `.addressNotAvailable` for an address
  /// that does not belong to this end. The C name is `SCTP_SET_PEER_PRIMARY_ADDR`.
  case requestPeerPrimaryAddress(IPSocketAddress)
  /// Binds the socket to addresses of this host, in addition to those to which it is bound.
  ///
  /// The addresses have the socket's port or port 0. If the socket is not bound, port 0 in all addresses lets the
  /// kernel choose the port. An IPv6 socket also accepts IPv4 addresses. An existing association keeps its addresses,
  /// unless both ends support address changes (RFC 5061).
  ///
  /// Throws `.addressNotAvailable` (not an address of this host), `.addressInUse`, `.invalidArgument` (another port,
  /// the other IP version, an address that is already bound, no address). The error contains the addresses. If one
  /// address fails, the kernel unbinds the addresses that precede it in the list. The C name is
  /// `SCTP_SOCKOPT_BINDX_ADD`.
  case addLocalAddresses([IPSocketAddress])
  /// Unbinds the socket from addresses. New associations do not use these addresses.
  ///
  /// Throws `.other` with EBUSY if no address would remain; `.invalidArgument` for an empty list, for another port, and
  /// for an address to which the socket is not bound. The error contains the addresses. The C name is
  /// `SCTP_SOCKOPT_BINDX_REM`.
  case removeLocalAddresses([IPSocketAddress])
  /// Requires the peers of future associations to sign chunks of a type: the kernel drops unsigned chunks of that type
  /// (RFC 6458, 8.3.2).
  ///
  /// The requirement cannot be removed. Require signatures before listening or connecting. Throws `.invalidArgument` if
  /// there would be more than 20 types, and for the types that are never signed: ``SCTPChunkType/initiation``,
  /// ``SCTPChunkType/initiationAcknowledgement``, ``SCTPChunkType/shutdownComplete`` and
  /// ``SCTPChunkType/authentication``. Throws `.notSupported` with EACCES if authentication is off. The C name is
  /// `SCTP_AUTH_CHUNK`.
  case requireAuthentication(of: SCTPChunkType)
  /// Installs a shared secret under a number (RFC 6458, 8.3.3). The secret replaces an earlier secret with the same
  /// number.
  ///
  /// Both ends must install the same secret under the same number. The kernel signs with the secret in two cases: after
  /// ``SCTPAssociationOption/activeKey`` has been set to that number, and for each message whose ``SCTPSendInfo/key``
  /// is that number. Initially key 0 is active. Key 0 exists from the start, and its initial secret is empty. A new
  /// association has the keys of the socket. The kernel keeps a copy of the secret, which has 0 to 65 535 bytes.
  ///
  /// The option ``SCTPAssociationOption/authenticationSupported`` must be on at both ends before the association is
  /// established. Throws `.notSupported` with EACCES if authentication is off or the peer does not support it;
  /// `.invalidArgument` for a secret that is too long. The C name is `SCTP_AUTH_KEY`.
  case installKey(UInt16, secret: [UInt8])
  /// Deactivates a key: no further message can be sent with the key (RFC 6458, 8.3.4; Linux 4.17).
  ///
  /// ``SCTPNotification/authentication(_:)`` reports ``SCTPAuthentication/Event/keyIsFree`` when no data that was sent
  /// with the key is in transit. The key may then be deleted. Throws `.invalidArgument` for the active key and for a
  /// key that is not installed; `.notSupported` with EACCES if authentication is off or the peer does not support it.
  /// The C name is `SCTP_AUTH_DEACTIVATE_KEY`.
  case deactivateKey(UInt16)
  /// Deletes a key (RFC 6458, 8.3.5): the kernel then rejects chunks that are signed with the key. Deactivate the key
  /// first, and wait until it is free. Throws the errors of ``deactivateKey(_:)``. The C name is
  /// `SCTP_AUTH_DELETE_KEY`.
  case deleteKey(UInt16)
}

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

extension OptionTarget where Options == SCTPSocketOptions, Self: ~Copyable {
  /// Performs an action on one association or on the socket. Actions on keys can also apply to the socket's defaults
  /// for future associations.
  /// - Parameter association: an association of a one-to-many socket. Actions on keys also accept `.future` (the
  ///   socket's default), `.current` and `.all`.
  /// - Throws: `.invalidArgument` for an association that does not exist; `.closed`, and the errors that are listed for
  ///   the action.
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
      try descriptor.setSCTPOption(
        CSK_SCTP_SET_PEER_PRIMARY_ADDR, to: csk_sctp_association_address(of: association, to: own))
    case .addLocalAddresses(let addresses):
      try checkIsSocket(association)
      try descriptor.changeLocalAddresses(CSK_SCTP_BINDX_ADD, addresses)
    case .removeLocalAddresses(let addresses):
      try checkIsSocket(association)
      try descriptor.changeLocalAddresses(CSK_SCTP_BINDX_REM, addresses)
    case .requireAuthentication(let chunk):
      try checkIsSocket(association)
      try descriptor.requireAuthentication(of: chunk)
    case .installKey(let number, let secret):
      try descriptor.installKey(number, secret: secret, for: association)
    case .deactivateKey(let number):
      try descriptor.setKey(CSK_SCTP_AUTH_DEACTIVATE_KEY, number, of: association)
    case .deleteKey(let number):
      try descriptor.setKey(CSK_SCTP_AUTH_DELETE_KEY, number, of: association)
    }
  }
}

/// Throws `.invalidArgument` unless the association is `.future`, which selects the socket.
private func checkIsSocket(_ association: SCTPAssociationID) throws(SocketError) {
  if association != .future { throw SocketError(code: .invalidArgument, .setOption) }
}

extension RawDescriptor {
  fileprivate func resetStreams(
    _ directions: SCTPStreamDirections, _ streams: [UInt16], of association: SCTPAssociationID
  ) throws(SocketError) {
    guard streams.count <= Int(UInt16.max) else { throw SocketError(code: .invalidArgument, .setOption) }
    let header = csk_sctp_reset_streams(
      association: association.rawValue, flags: directions.rawValue, count: UInt16(streams.count))
    var bytes: [UInt8] = []
    bytes.append(bytesOf: header)
    for stream in streams { bytes.append(bytesOf: stream) }
    try setSCTPOption(CSK_SCTP_RESET_STREAMS, toBytes: bytes)
  }
}
