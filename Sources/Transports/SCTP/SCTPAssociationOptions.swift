internal import CSocketKit
internal import SocketKitCore

// The options of one association, sorted by their C names, that are one number each.

extension SCTPAssociationOption {
  /// One number of struct sctp_assoc_value.
  fileprivate init(
    _ name: Int32, decode: @escaping @Sendable (UInt32) -> Value,
    encode: @escaping @Sendable (Value) throws(SocketError) -> UInt32
  ) {
    self.init(
      read: { (target: RawDescriptor, association: SCTPAssociationID) throws(SocketError) -> Value in
        let question = csk_sctp_assoc_value(association: association.rawValue, value: 0)
        return decode(try target.sctpOption(name, asking: question).value)
      },
      write: { (target: RawDescriptor, association: SCTPAssociationID, value: Value) throws(SocketError) in
        let value = csk_sctp_assoc_value(association: association.rawValue, value: try encode(value))
        try target.setSCTPOption(name, to: value)
      })
  }
}

extension SCTPAssociationOption where Value == Bool {
  private init(_ name: Int32) {
    self.init(name, decode: { $0 != 0 }, encode: { (value: Bool) throws(SocketError) -> UInt32 in value ? 1 : 0 })
  }
  /// Whether addresses can be added and removed while associated (ASCONF, RFC 5061). On sockets it can be set before
  /// associating; the default is net.sctp.addip_enable. It needs ``authenticationSupported``. Linux 5.4. The C name is
  /// `SCTP_ASCONF_SUPPORTED`.
  public static var addressChangesSupported: Self { Self(CSK_SCTP_ASCONF_SUPPORTED) }
  /// Whether chunks can be authenticated (RFC 4895), with `installKey(_:secret:for:)` and
  /// `requireAuthentication(of:)`; the default is net.sctp.auth_enable. Set before associating.
  /// Linux 5.4. The C name is `SCTP_AUTH_SUPPORTED`.
  public static var authenticationSupported: Self { Self(CSK_SCTP_AUTH_SUPPORTED) }
  /// Whether congestion can be told by marked packets (ECN); the default is net.sctp.ecn_enable. Set before associating.
  /// Linux 5.4. The C name is `SCTP_ECN_SUPPORTED`.
  public static var ecnSupported: Self { Self(CSK_SCTP_ECN_SUPPORTED) }
  /// Whether the fragments of messages of different streams can be interleaved (I-DATA, RFC 8260); off by default. It
  /// needs net.sctp.intl_enable and ``SocketOption/fragmentInterleave``, and is set before associating. The C name is
  /// `SCTP_INTERLEAVING_SUPPORTED`.
  public static var interleavingSupported: Self { Self(CSK_SCTP_INTERLEAVING_SUPPORTED) }
  /// Whether messages can be given up when their time is over (RFC 3758); the default is net.sctp.prsctp_enable. Set
  /// before associating. The C name is `SCTP_PR_SUPPORTED`.
  public static var partialReliabilitySupported: Self { Self(CSK_SCTP_PR_SUPPORTED) }
  /// Whether streams can be reset and added (RFC 6525); the default is net.sctp.reconf_enable. Set before associating. The
  /// C name is `SCTP_RECONFIG_SUPPORTED`.
  public static var reconfigurationSupported: Self { Self(CSK_SCTP_RECONFIG_SUPPORTED) }
  /// Whether paths show as ``SCTPPathState/potentiallyFailed``, and notify of it (Linux 5.5). The C name is
  /// `SCTP_EXPOSE_POTENTIALLY_FAILED_STATE`.
  public static var exposesPotentiallyFailed: Self {
    // 0 leaves it to net.sctp.pf_expose, 1 hides, 2 shows.
    Self(
      CSK_SCTP_EXPOSE_PF_STATE, decode: { $0 == 2 },
      encode: { (value: Bool) throws(SocketError) -> UInt32 in value ? 2 : 1 })
  }
}

extension SCTPAssociationOption where Value == UInt32 {
  private init(_ name: Int32) {
    self.init(name, decode: { $0 }, encode: { (value: UInt32) throws(SocketError) -> UInt32 in value })
  }
  /// A number of the program's own that comes with each message that the association receives:
  /// ``SCTPReceiveInfo/context``. What comes back with a message that could not be sent is ``SCTPSendInfo/context``. The C
  /// name is `SCTP_CONTEXT`.
  public static var context: Self { Self(CSK_SCTP_CONTEXT) }
  /// How many packets may be sent at once after an idle time; 0 for no limit. Linux's default is 4. The C name is
  /// `SCTP_MAX_BURST`.
  public static var maximumBurst: Self { Self(CSK_SCTP_MAX_BURST) }
  /// The longest fragment of a message, in bytes of user data; 0 for what the path's MTU allows, which reading then tells.
  /// The C name is `SCTP_MAXSEG`.
  public static var maximumSegment: Self { Self(CSK_SCTP_MAXSEG) }
}

/// What the peer may ask to change about streams: `SCTP_ENABLE_STREAM_RESET`.
@frozen
public struct SCTPStreamChanges: OptionSet, BitwiseCopyable, Hashable, Sendable {
  public let rawValue: UInt32
  @inlinable
  public init(rawValue: UInt32) { self.rawValue = rawValue }
  /// The message numbers of streams begin anew.
  @inlinable public static var resetStreams: Self { Self(rawValue: 1) }
  /// All numbers of the association begin anew.
  @inlinable public static var resetAssociation: Self { Self(rawValue: 2) }
  /// Streams are added.
  @inlinable public static var addStreams: Self { Self(rawValue: 4) }
}

extension SCTPAssociationOption where Value == SCTPStreamChanges {
  /// What the peer may ask for, and what may be asked of it: nothing by default. The C name is
  /// `SCTP_ENABLE_STREAM_RESET`.
  public static var streamChanges: Self {
    Self(
      CSK_SCTP_ENABLE_STREAM_RESET, decode: { SCTPStreamChanges(rawValue: $0) },
      encode: { (value: SCTPStreamChanges) throws(SocketError) -> UInt32 in value.rawValue })
  }
}

/// Which stream's message goes next: `SCTP_STREAM_SCHEDULER` (RFC 8260, 3).
@frozen
public struct SCTPStreamScheduler: RawRepresentable, BitwiseCopyable, Hashable, Sendable {
  public let rawValue: UInt32
  @inlinable
  public init(rawValue: UInt32) { self.rawValue = rawValue }
  /// In the order in which they were sent: the default.
  @inlinable public static var firstComeFirstServed: Self { Self(rawValue: 0) }
  /// The stream of the smallest priority number.
  @inlinable public static var priority: Self { Self(rawValue: 1) }
  /// One stream after the other.
  @inlinable public static var roundRobin: Self { Self(rawValue: 2) }
  /// Fair shares of bytes (Linux 6.4).
  @inlinable public static var fairCapacity: Self { Self(rawValue: 3) }
  /// Shares of bytes by weight (Linux 6.4).
  @inlinable public static var weightedFair: Self { Self(rawValue: 4) }
}

extension SCTPAssociationOption where Value == SCTPStreamScheduler {
  /// Which stream's message goes next. One that the kernel lacks is `.invalidArgument`. The C name is
  /// `SCTP_STREAM_SCHEDULER`.
  public static var streamScheduler: Self {
    Self(
      CSK_SCTP_STREAM_SCHEDULER, decode: { SCTPStreamScheduler(rawValue: $0) },
      encode: { (value: SCTPStreamScheduler) throws(SocketError) -> UInt32 in value.rawValue })
  }
}
