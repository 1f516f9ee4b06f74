internal import CSocketKit
internal import SocketKitCore

extension SCTPAssociationOption where Value == SCTPSendInfo {
  /// The default stream, payload protocol, order, context and expiry for messages that are sent without an
  /// ``SCTPSendInfo``, including stream writes.
  ///
  /// A message with an ``SCTPSendInfo`` uses none of these defaults.
  ///
  /// Setting the option throws `.invalidArgument` for a key, because a key can be given only for a single message.
  /// Setting the option throws `.notSupported` for ``SCTPSendInfo/asksForAcknowledgement``, which the kernel rejects as
  /// a default, and for ``SCTPSendInfo/overridesPrimary``, which the kernel ignores as a default (net/sctp/socket.c).
  /// On failure, nothing is set. The C names are `SCTP_DEFAULT_SNDINFO` and `SCTP_DEFAULT_PRINFO`.
  public static var defaultSendInfo: Self {
    Self(
      read: { (target: RawDescriptor, association: SCTPAssociationID) throws(SocketError) -> Value in
        let value = try target.sctpOption(CSK_SCTP_DEFAULT_SNDINFO, asking: csk_sctp_default_sndinfo(of: association))
        let life = try target.sctpOption(CSK_SCTP_DEFAULT_PRINFO, asking: csk_sctp_default_prinfo(of: association))
        return SCTPSendInfo(value, expiry: SCTPSendInfo.Expiry(policy: Int32(life.policy), value: life.value))
      },
      write: { (target: RawDescriptor, association: SCTPAssociationID, value: Value) throws(SocketError) in
        if value.key != nil { throw SocketError(code: .invalidArgument, .setOption) }
        if value.asksForAcknowledgement || value.overridesPrimary { throw SocketError(code: .notSupported, .setOption) }
        try target.setSCTPOption(CSK_SCTP_DEFAULT_SNDINFO, to: value.structure(for: association))
        try target.setSCTPOption(
          CSK_SCTP_DEFAULT_PRINFO,
          to: csk_sctp_default_prinfo(
            association: association.rawValue, value: value.expiry.value, policy: value.expiry.policy))
      })
  }
}

extension SCTPSendInfo {
  init(_ value: csk_sctp_default_sndinfo, expiry: Expiry) {
    self.init(
      stream: value.stream, payloadProtocol: UInt32(bigEndian: value.payload_protocol),
      association: SCTPAssociationID(rawValue: value.association))
    let flags = Int32(value.flags)
    isUnordered = flags & CSK_SCTP_UNORDERED != 0
    overridesPrimary = flags & CSK_SCTP_ADDR_OVER != 0
    asksForAcknowledgement = flags & CSK_SCTP_SACK_IMMEDIATELY != 0
    context = value.context
    self.expiry = expiry
  }

  func structure(for association: SCTPAssociationID) -> csk_sctp_default_sndinfo {
    csk_sctp_default_sndinfo(
      stream: stream, flags: isUnordered ? UInt16(CSK_SCTP_UNORDERED) : 0, payload_protocol: payloadProtocol.bigEndian,
      context: context, association: association.rawValue)
  }
}
