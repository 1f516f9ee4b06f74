internal import CSocketKit
public import SocketKitCore
public import SocketKitIP

/// A socket with many SCTP associations (RFC 6458, 3: one-to-many style). It is neither a datagram socket nor a
/// connection.
///
/// ```swift
/// let server = try SCTPOneToManySocket.listen(on: .any(port: 38412))
/// try server.setOption(.event(.associationChange), of: .all, to: true)
/// var buffer = [UInt8](repeating: 0, count: 65536)
/// switch try server.receive(into: buffer.mutableSpan, until: .never) {
/// case .message(let message):
///   var reply = SCTPSendInfo(stream: message.info?.stream ?? 0, payloadProtocol: 60, association: message.association)
///   _ = try server.send("hello".utf8.span, info: reply)
/// case .notification(.associationChange(let change)): print(change.association, change.state)
/// default: break
/// }
/// ```
/// A message to an address establishes an association with that address. A socket that listens accepts all incoming
/// associations. `peelOff(_:)` moves an association to its own socket. The socket closes when it is destroyed. The
/// kernel then shuts down its associations. It aborts an association instead if the program has not received all of its
/// messages. `close(until:)` waits until the associations have ended.
///
/// The methods of ``/SocketKitCore/MessageSocket`` use the kernel's own calls, for single messages and for batches,
/// with ``SCTPSendInfo`` and ``SCTPReceiveInfo`` as ancillary data. Generic programs can use the socket as a
/// ``/SocketKitCore/OneToManySocket``: `receive(into:from:_:)` reports the association of each message. It also reports
/// the end of each association, if ``SCTPEvent/associationChange`` is switched on, and discards other notifications.
@frozen
public struct SCTPOneToManySocket: ~Copyable, DescriptorSocket, MessageSocket, OneToManySocket, SCTPMessaging {
  public typealias Options = SCTPSocketOptions
  public typealias Address = IPSocketAddress

  @usableFromInline let owned: Descriptor

  /// Takes ownership of an open one-to-many socket, and switches the option `.receiveInfo` on.
  public init(owning descriptor: consuming Descriptor) {
    owned = descriptor
    // Without this option, the kernel does not report the association of a message.
    try? setOption(.receiveInfo, to: true)
  }

  @inlinable public var descriptor: RawDescriptor { owned.raw }
  @inlinable
  public consuming func releaseDescriptor() -> Descriptor { owned }

  /// `.continuedMessages` is the only capability, because the protocol has no half-close and no empty messages (RFC
  /// 9260).
  ///
  /// If a message is longer than the buffer, the next receive call returns more of the message.
  @inlinable public static var capabilities: SocketCapabilities { .continuedMessages }
  @inlinable public static var style: SCTPStyle { .oneToMany }
  @inlinable public var mayReceiveDescriptors: Bool { false }

  /// Opens a socket that is not bound. The first message binds the socket to every address and to a port that the
  /// kernel chooses.
  /// - Throws: `.protocolNotSupported` (the kernel does not support SCTP), `.tooManyDescriptors`.
  public static func open(_ family: AddressFamily = .ipv4) throws(SocketError) -> SCTPOneToManySocket {
    SCTPOneToManySocket(
      owning: try RawDescriptor.open(SocketKind(family, .sequencedPacket, protocolNumber: CSK_IPPROTO_SCTP)))
  }

  /// Opens a socket that is bound to an address. It accepts no associations until ``listen(_:)`` is called.
  ///
  /// - Parameters:
  ///   - address: the local address. With port 0, the kernel chooses a port, which `localAddress()` returns. If the
  ///     kernel does not support IPv6, `.any(port:)` means every IPv4 address.
  ///   - configure: sets options on the socket before it is bound.
  /// - Throws: `.addressInUse`, `.addressNotAvailable`, `.permissionDenied`, `.protocolNotSupported`. The error
  ///   contains the address.
  public static func bind(
    to address: IPSocketAddress,
    configure: (borrowing SCTPOneToManySocket) throws -> Void = { _ in }
  ) throws(SocketError) -> SCTPOneToManySocket {
    var address = address
    do throws(SocketError) {
      let socket = try open(forAllOf: &address)
      if address.isIPv6 { try socket.setOption(.v6Only, to: false) }
      try socket.configure(with: configure)
      try socket.descriptor.bind(to: address)
      return socket
    } catch {
      throw error.with(address: address.description)
    }
  }

  private static func open(forAllOf address: inout IPSocketAddress) throws(SocketError) -> SCTPOneToManySocket {
    do throws(SocketError) {
      return try open(address.family)
    } catch {
      guard let all = address.alternative(after: error) else { throw error }
      address = all
      return try open(all.family)
    }
  }

  /// Opens a socket that is bound to an address and accepts associations.
  /// - Throws: the errors of ``bind(to:configure:)``.
  public static func listen(
    on address: IPSocketAddress,
    configure: (borrowing SCTPOneToManySocket) throws -> Void = { _ in }
  ) throws(SocketError) -> SCTPOneToManySocket {
    let socket = try bind(to: address, configure: configure)
    do throws(SocketError) {
      try socket.listen()
    } catch {
      throw error.with(address: address.description)
    }
    return socket
  }

  /// Accepts all incoming associations from now on. A one-to-many socket has no queue of connections to accept.
  ///
  /// A socket that does not listen receives only from peers to which it has connected or sent.
  /// - Parameter isOn: false stops accepting associations.
  /// - Throws: `.addressInUse`, `.closed`.
  public borrowing func listen(_ isOn: Bool = true) throws(SocketError) {
    let result = IOResult(raw: csk_listen(descriptor.value, isOn ? 511 : 0))
    if result.isFailure { throw SocketError(result, .listen) }
  }

  /// Takes ownership of an open one-to-many socket, and makes it CLOEXEC and non-blocking.
  /// - Throws: `.closed`, `.notASocket`, or `.wrongSocketKind`. The call also throws `.wrongSocketKind` for a
  ///   peeled-off socket whose association has not ended. The descriptor is closed on failure.
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
  /// Checks that this is an SCTP socket of type SOCK_SEQPACKET.
  /// - Throws: `.closed`, `.notASocket`, `.wrongSocketKind` for any other socket.
  func checkSCTPPackets() throws(SocketError) {
    try checkOpen()
    let kind = try socketKind()
    guard kind.type == .sequencedPacket, kind.protocolNumber == CSK_IPPROTO_SCTP else {
      throw SocketError(code: .wrongSocketKind, .adopt)
    }
  }

  /// Whether the socket's own association exists: true on one-to-one and peeled-off sockets until the association ends.
  var hasItsAssociation: Bool {
    var status = csk_sctp_status()
    var length = 0
    // The structure consists of integers.
    return unsafe !readOption(CSK_IPPROTO_SCTP, CSK_SCTP_STATUS, intoStructure: &status, &length).isFailure
  }
}
