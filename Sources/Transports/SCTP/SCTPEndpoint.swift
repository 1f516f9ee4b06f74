internal import CSocketKit
public import SocketKitCore

/// Many SCTP associations on one socket (RFC 6458, 3: one-to-many style): a protocol of its own, neither datagrams nor
/// connections.
///
/// ```swift
/// let server = try SCTPEndpoint.listen(on: .any(port: 38412))
/// try server.setEvent(.associationChange, to: true)
/// var buffer = [UInt8](repeating: 0, count: 65536)
/// switch try server.receive(into: buffer.mutableSpan, until: .never) {
/// case .message(let message):
///   var reply = SCTPSendInfo(stream: message.info?.stream ?? 0, payloadProtocol: 60, association: message.association)
///   _ = try server.send("hello".utf8.span, info: reply)
/// case .notification(.associationChange(let change)): print(change.association, change.state)
/// default: break
/// }
/// ```
/// A message to an address sets up an association with it, and those that come in are accepted, without asking, when the
/// endpoint listens. An association is taken out by `peelOff(_:)`. The endpoint closes with its life: the kernel then shuts
/// its associations down, or aborts them where messages have not been received; `close(until:)`
/// waits for that.
///
/// As a ``MessageSocket`` its primitives and batches are the kernel's own, with ``SCTPSendInfo`` and ``SCTPReceiveInfo`` as
/// control data.
@frozen
public struct SCTPEndpoint: ~Copyable, DescriptorSocket, MessageSocket, SCTPMessaging {
  public typealias Options = SCTPSocketOptions
  public typealias Address = IPSocketAddress

  @usableFromInline let owned: Descriptor

  /// Makes one of an open one-to-many socket, whose SCTP_RECVRCVINFO is switched on.
  public init(owning descriptor: consuming Descriptor) {
    owned = descriptor
    // Without it nobody knows which association a message came by.
    try? owned.raw.setSCTPFlag(CSK_SCTP_RECVRCVINFO, to: true)
  }

  @inlinable public var descriptor: RawDescriptor { owned.raw }
  @inlinable
  public consuming func releaseDescriptor() -> Descriptor { owned }

  /// No half-close and no empty messages: the protocol has none (RFC 9260). What is longer than the buffer is continued.
  @inlinable public static var capabilities: SocketCapabilities { .continuedMessages }
  @inlinable public static var style: SCTPStyle { .oneToMany }
  @inlinable public var mayReceiveDescriptors: Bool { false }

  /// An endpoint that is not bound: the first message binds it to every address and a port of the kernel's choice.
  /// - Throws: `.protocolNotSupported` (no SCTP in this kernel), `.tooManyDescriptors`.
  public static func open(_ family: AddressFamily = .ipv4) throws(SocketError) -> SCTPEndpoint {
    SCTPEndpoint(
      owning: try RawDescriptor.open(SocketKind(family, .sequencedPacket, protocolNumber: CSK_IPPROTO_SCTP)))
  }

  /// An endpoint at an address, which does not accept associations: ``listen(_:)`` makes it.
  ///
  /// - Parameters:
  ///   - address: the local address; with port 0 the kernel chooses a port, which `localAddress()` returns. Where the
  ///     kernel has no IPv6, `.any(port:)` means every IPv4 address.
  ///   - configure: sets options on the socket before it is bound.
  /// - Throws: `.addressInUse`, `.addressNotAvailable`, `.permissionDenied`, `.protocolNotSupported`, with the address.
  public static func bind(
    to address: IPSocketAddress,
    configure: (borrowing SCTPEndpoint) throws(SocketError) -> Void = { (_) throws(SocketError) in }
  ) throws(EndpointError) -> SCTPEndpoint {
    var address = address
    do throws(SocketError) {
      let endpoint = try open(forAllOf: &address)
      if address.isIPv6 { try endpoint.setOption(.v6Only, to: false) }
      try configure(endpoint)
      let result = address.withBytes { bytes in
        bytes.withUnsafeBytes { csk_bind(endpoint.descriptor.value, $0.baseAddress, UInt32($0.count)) }
      }
      if result < 0 { throw SocketError(IOResult(raw: result), .bind) }
      return endpoint
    } catch {
      throw EndpointError(error, address: address.description)
    }
  }

  private static func open(forAllOf address: inout IPSocketAddress) throws(SocketError) -> SCTPEndpoint {
    do throws(SocketError) {
      return try open(address.family)
    } catch {
      guard let all = address.ipv4Alternative(after: error) else { throw error }
      address = all
      return try open(all.family)
    }
  }

  /// An endpoint at an address that accepts associations.
  /// - Throws: as ``bind(to:configure:)``.
  public static func listen(
    on address: IPSocketAddress,
    configure: (borrowing SCTPEndpoint) throws(SocketError) -> Void = { (_) throws(SocketError) in }
  ) throws(EndpointError) -> SCTPEndpoint {
    let endpoint = try bind(to: address, configure: configure)
    do throws(SocketError) {
      try endpoint.listen()
    } catch {
      throw EndpointError(error, address: address.description)
    }
    return endpoint
  }

  /// Accepts associations from now on, all of them: a one-to-many socket has no queue to accept from. An endpoint that does
  /// not listen is heard only by those whom it has sent to.
  /// - Parameter isOn: false accepts no more.
  /// - Throws: `.addressInUse`, `.closed`.
  public borrowing func listen(_ isOn: Bool = true) throws(SocketError) {
    let result = IOResult(raw: csk_listen(descriptor.value, isOn ? 511 : 0))
    if result.isFailure { throw SocketError(result, .listen) }
  }

  /// Takes over an open one-to-many socket, and makes it CLOEXEC and non-blocking.
  /// - Throws: `.closed`, `.notASocket`, or `.wrongSocketKind`, also for a peeled-off one. The descriptor is closed
  ///   then.
  public init(adopting descriptor: consuming Descriptor) throws(SocketError) {
    let raw = descriptor.raw
    try raw.checkSCTPPackets()
    if raw.hasItsAssociation { throw SocketError(code: .wrongSocketKind, .adopt) }
    try raw.setBlocking(false)
    try raw.setCloseOnExec(true)
    self.init(owning: descriptor)
  }
}

extension RawDescriptor {
  /// - Throws: `.closed`, `.notASocket`, `.wrongSocketKind` when it is no socket of SCTP with type SOCK_SEQPACKET.
  func checkSCTPPackets() throws(SocketError) {
    try checkOpen()
    let kind = try socketKind()
    guard kind.type == .sequencedPacket, kind.protocolNumber == CSK_IPPROTO_SCTP else {
      throw SocketError(code: .wrongSocketKind, .adopt)
    }
  }

  /// Whether there is an association that needs no name: on one-to-one and peeled-off sockets while it lives.
  var hasItsAssociation: Bool { associationState(.future) != nil }

  /// The state of an association as SCTP_STATUS tells it; nil when there is none.
  func associationState(_ association: SCTPAssociationID) -> Int32? {
    var status = csk_sctp_status()
    status.association = association.rawValue
    var length = UInt32(MemoryLayout<csk_sctp_status>.size)
    return csk_getsockopt(value, CSK_IPPROTO_SCTP, CSK_SCTP_STATUS, &status, &length) < 0 ? nil : status.state
  }
}
