public import SocketKitCore

/// One SCTP association on a socket of its own, used as a stream of bytes (RFC 6458, 4: one-to-one style).
///
/// ```swift
/// let listener = try SCTPSocket.listen(on: [.loopback(port: 0), .loopbackIPv6(port: 0)])
/// let client = try SCTPSocket.connect(toAny: listener.localAddresses(), until: .after(.seconds(5)))
/// ```
/// **As a stream.** Each write is one message on stream 0 of at most ``writeLimit`` bytes, and a read takes what is there of
/// the message at the front: boundaries are lost, as on any byte stream. There is no half-close: ``shutdown(_:)`` of writing
/// ends the association when all has arrived, and only the peer reads the end: to wait for it see
/// ``close(until:)``. A peer's abort is `.connectionReset` once, then the end. Of a peer that
/// begins anew, so that bytes may be missing, only ``SCTPAssociationChange/State/restarted`` tells, where it is switched
/// on. Set the option ``SocketOption/noDelay`` unless every write fills packets.
///
/// **As messages.** With stream numbers, protocol identifiers and notifications, see ``SCTPMessaging``. Notifications
/// arrive among the bytes, so who switches any on must receive messages, not read.
///
/// **Addresses.** A listener on ``IPSocketAddress/any(port:)`` is dual-stack. Peers then show as `::ffff:a.b.c.d` in
/// ``remoteAddress()``. Listeners set reuse-address. Of several addresses `localAddress()` tells one, not always the same;
/// `localAddresses(of:)` tells all.
///
/// **Over loopback**, whose packets are so large that hardly two fit the default receive buffer, each of a stream of writes
/// may wait 200 ms for a delayed acknowledgement: raise `.receiveBuffer` at both ends, to a mebibyte, before connecting and
/// listening.
@frozen
public struct SCTPSocket: ~Copyable, StreamSocket, ConnectionTransport {
  public typealias Options = SCTPSocketOptions
  public typealias Address = IPSocketAddress

  @usableFromInline let owned: Descriptor

  @inlinable
  public init(owning descriptor: consuming Descriptor) { owned = descriptor }

  @inlinable public var descriptor: RawDescriptor { owned.raw }
  @inlinable
  public consuming func releaseDescriptor() -> Descriptor { owned }

  /// No half-close: shutting down writing ends the association (RFC 9260, 9.2). No empty messages: the protocol has none
  /// (RFC 9260, 6.2), and the kernel refuses them (EINVAL); a stream write of nothing asks nothing of it.
  @inlinable public static var capabilities: SocketCapabilities { [] }

  public static func kind(for address: IPSocketAddress) -> SocketKind {
    SocketKind(address.family, .stream, protocolNumber: 132)
  }

  public static func accepts(_ kind: SocketKind) -> Bool {
    (kind.family == .ipv4 || kind.family == .ipv6) && kind.type == .stream && kind.protocolNumber == 132
  }

  /// 0 would end listening (RFC 6458, 4.1.3).
  public static var smallestBacklog: Int { 1 }

  public static func willListen(_ socket: borrowing SCTPSocket, on address: IPSocketAddress) throws(SocketError) {
    try socket.setOption(.reuseAddress, to: true)
    // Not left to net.ipv6.bindv6only: the same program must mean the same on every host.
    if address.isIPv6 { try socket.setOption(.v6Only, to: false) }
  }

  /// The peer's address that is sent to while it answers: the primary path's (`SCTP_PRIMARY_ADDR`). getpeername(2) tells the
  /// last of the addresses that were given to connect.
  /// - Throws: `.notConnected`; `.invalidAddress` when it is no IP address.
  public borrowing func remoteAddress() throws(SocketError) -> IPSocketAddress {
    do throws(SocketError) {
      return try primaryAddress()
    } catch {
      guard let address = IPSocketAddress(try descriptor.remoteAddress()) else {
        throw SocketError(code: .invalidAddress, .remoteAddress)
      }
      return address
    }
  }
}
