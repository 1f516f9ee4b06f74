internal import CSocketKit
internal import SocketKitCore

// These options of an association or of a stream consist of a single number. They are sorted by their C names.

extension SCTPAssociationOption {
  /// Creates an option whose value is the number in struct sctp_assoc_value.
  fileprivate init(
    _ name: Int32, decode: @escaping @Sendable (UInt32) -> Value,
    encode: @escaping @Sendable (Value) -> UInt32
  ) {
    self.init(
      name, decode: { decode($0.value) },
      encode: { (value: Value, structure: inout csk_sctp_assoc_value) throws(SocketError) in
        structure.value = encode(value)
      })
  }
}

extension SCTPAssociationOption where Value == Bool {
  private init(_ name: Int32) {
    self.init(name, decode: { $0 != 0 }, encode: { $0 ? 1 : 0 })
  }
  /// Whether addresses can be added and removed during an association (ASCONF, RFC 5061).
  ///
  /// The default is net.sctp.addip_enable. Set the option before the association is established. It requires
  /// ``authenticationSupported`` and Linux 5.4. The C name is `SCTP_ASCONF_SUPPORTED`.
  public static var addressChangesSupported: Self { Self(CSK_SCTP_ASCONF_SUPPORTED) }
  /// Whether chunks can be authenticated (RFC 4895), with ``SCTPAssociationAction/installKey(_:secret:)`` and
  /// ``SCTPAssociationAction/requireAuthentication(of:)``.
  ///
  /// The default is net.sctp.auth_enable. Set the option before the association is established. Requires Linux 5.4. The
  /// C name is `SCTP_AUTH_SUPPORTED`.
  public static var authenticationSupported: Self { Self(CSK_SCTP_AUTH_SUPPORTED) }
  /// Whether congestion can be signaled by marked packets (ECN).
  ///
  /// The default is net.sctp.ecn_enable. Set the option before the association is established. Requires Linux 5.4. The
  /// C name is `SCTP_ECN_SUPPORTED`.
  public static var ecnSupported: Self { Self(CSK_SCTP_ECN_SUPPORTED) }
  /// Whether the fragments of messages on different streams can be interleaved (I-DATA, RFC 8260).
  ///
  /// The default is off. The option requires net.sctp.intl_enable and
  /// ``SocketKitCore/SocketOption/fragmentInterleave``. Set the option before the association is established. The C
  /// name is `SCTP_INTERLEAVING_SUPPORTED`.
  public static var interleavingSupported: Self { Self(CSK_SCTP_INTERLEAVING_SUPPORTED) }
  /// Whether messages can be abandoned when their lifetime expires (RFC 3758).
  ///
  /// The default is net.sctp.prsctp_enable. Set the option before the association is established. The C name is
  /// `SCTP_PR_SUPPORTED`.
  public static var partialReliabilitySupported: Self { Self(CSK_SCTP_PR_SUPPORTED) }
  /// Whether streams can be reset and added (RFC 6525).
  ///
  /// The default is net.sctp.reconf_enable. Set the option before the association is established. The C name is
  /// `SCTP_RECONFIG_SUPPORTED`.
  public static var reconfigurationSupported: Self { Self(CSK_SCTP_RECONFIG_SUPPORTED) }
  /// Whether notifications report that a path is in the state ``SCTPPathState/potentiallyFailed`` (Linux 5.5).
  ///
  /// If the option was set to false, `pathInfo(to:)` throws `.permissionDenied` for a path in this state. A new socket
  /// has the value of net.sctp.pf_expose. If that value is 0, the default, the option reads as false, and
  /// `pathInfo(to:)` reports the state. The C name is `SCTP_EXPOSE_POTENTIALLY_FAILED_STATE`.
  public static var exposesPotentiallyFailed: Self {
    // 0 hides the state only in notifications, 1 hides the state, 2 exposes the state.
    Self(CSK_SCTP_EXPOSE_PF_STATE, decode: { $0 == 2 }, encode: { $0 ? 2 : 1 })
  }
}

extension SCTPAssociationOption where Value == UInt32 {
  private init(_ name: Int32) {
    self.init(name, decode: { $0 }, encode: { $0 })
  }
  /// A number that the program chooses. The kernel returns the number with each message that the association receives:
  /// ``SCTPReceiveInfo/context``.
  ///
  /// With a message that could not be sent, the kernel returns ``SCTPSendInfo/context`` instead. The C name is
  /// `SCTP_CONTEXT`.
  public static var context: Self { Self(CSK_SCTP_CONTEXT) }
  /// The maximum number of packets that are sent in one burst after an idle period; 0 for no limit. Linux's default is
  /// 4. The C name is `SCTP_MAX_BURST`.
  public static var maximumBurst: Self { Self(CSK_SCTP_MAX_BURST) }
  /// The longest fragment of a message, in bytes of user data; 0 selects the length that the path's MTU permits.
  /// Reading the option then returns that length. The C name is `SCTP_MAXSEG`.
  public static var maximumSegment: Self { Self(CSK_SCTP_MAXSEG) }
}

/// The changes to streams that an association permits: `SCTP_ENABLE_STREAM_RESET`.
@frozen
public struct SCTPStreamChanges: OptionSet, BitwiseCopyable, Hashable, Sendable {
  public let rawValue: UInt32
  @inlinable
  public init(rawValue: UInt32) { self.rawValue = rawValue }
  /// A reset of the message numbers of streams.
  @inlinable public static var resetStreams: Self { Self(rawValue: 1) }
  /// A reset of all numbers of the association.
  @inlinable public static var resetAssociation: Self { Self(rawValue: 2) }
  /// An addition of streams.
  @inlinable public static var addStreams: Self { Self(rawValue: 4) }
}

extension SCTPAssociationOption where Value == SCTPStreamChanges {
  /// The changes to streams that the peer may request from this end, and that this end may request from the peer; none
  /// by default. The C name is `SCTP_ENABLE_STREAM_RESET`.
  public static var streamChanges: Self {
    Self(CSK_SCTP_ENABLE_STREAM_RESET, decode: { SCTPStreamChanges(rawValue: $0) }, encode: { $0.rawValue })
  }
}

/// How the kernel selects the stream that sends the next message: `SCTP_STREAM_SCHEDULER` (RFC 8260, 3).
@frozen
public struct SCTPStreamScheduler: RawRepresentable, BitwiseCopyable, Hashable, Sendable {
  public let rawValue: UInt32
  @inlinable
  public init(rawValue: UInt32) { self.rawValue = rawValue }
  /// The default: messages are transmitted in the order in which the program sent them.
  @inlinable public static var firstComeFirstServed: Self { Self(rawValue: 0) }
  /// The stream with the lowest priority number is next.
  @inlinable public static var priority: Self { Self(rawValue: 1) }
  /// The streams send in turn, one after the other.
  @inlinable public static var roundRobin: Self { Self(rawValue: 2) }
  /// The bytes sent are divided equally among the streams (Linux 6.4).
  @inlinable public static var fairCapacity: Self { Self(rawValue: 3) }
  /// The bytes sent are divided among the streams in proportion to their weights (Linux 6.4).
  @inlinable public static var weightedFair: Self { Self(rawValue: 4) }
}

extension SCTPAssociationOption where Value == SCTPStreamScheduler {
  /// How the kernel selects the stream that sends the next message.
  ///
  /// Setting a scheduler that the kernel does not support throws `.invalidArgument`. The C name is
  /// `SCTP_STREAM_SCHEDULER`.
  public static var streamScheduler: Self {
    Self(CSK_SCTP_STREAM_SCHEDULER, decode: { SCTPStreamScheduler(rawValue: $0) }, encode: { $0.rawValue })
  }
}

extension SCTPAssociationOption where Value == UInt16 {
  /// A stream's value for the scheduler: its priority (the lowest number is sent first) or its weight. Throws
  /// `.invalidArgument` for a stream that does not exist. The C name is `SCTP_STREAM_SCHEDULER_VALUE`.
  public static func schedulerValue(ofStream stream: UInt16) -> Self {
    Self(
      CSK_SCTP_STREAM_SCHEDULER_VALUE,
      question: { csk_sctp_stream_value(association: $0.rawValue, stream: stream, value: 0) }, decode: { $0.value },
      encode: { $1.value = $0 })
  }
}
