public import SocketKitCore
public import SocketKitIP

/// One SCTP association on its own socket, used as a byte stream (RFC 6458, 4: one-to-one style).
///
/// ```swift
/// let listener = try SCTPSocket.listen(on: [.loopback(port: 0), .loopbackIPv6(port: 0)])
/// let client = try SCTPSocket.connect(toAny: listener.option(.localAddresses), until: .after(.seconds(5)))
/// ```
/// **As a stream.** Each write call sends one message, of at most ``writeLimit`` bytes, on SCTP stream 0. A read call
/// returns available bytes of the first message in the receive queue, so message boundaries are lost, as on any byte
/// stream. There is no half-close: shutting down writing with ``shutdown(_:)`` ends the association after all data has
/// arrived, and only the peer reads the end of the stream. To wait for the end of the association, use
/// ``close(until:)``. After an abort by the peer, one call fails with `.connectionReset`, and later read calls return
/// the end of the stream. If the peer restarts, bytes may be missing. Only the notification
/// ``SCTPAssociationChange/State/restarted`` reports a restart, and only if it is switched on. Set the option
/// ``SocketKitCore/SocketOption/noDelay`` unless every write call sends enough bytes to fill packets.
///
/// **As messages.** For stream numbers, protocol identifiers and notifications, see ``SCTPMessaging``. Notifications
/// arrive among the bytes, so a program that switches on any notification must receive messages instead of reading
/// bytes.
///
/// **Addresses.** A listener on ``/SocketKitIP/IPSocketAddress/any(port:)`` is dual-stack. In ``remoteAddress()``,
/// IPv4 peers then appear as `::ffff:a.b.c.d`. Listeners set reuse-address. If there are several addresses,
/// `localAddress()` returns one of them, and successive calls may return different addresses. The option
/// ``ReadOnlySCTPAssociationOption/localAddresses`` contains all addresses.
///
/// **Over loopback**, packets are so large that the default receive buffer has space for barely two packets. Successive
/// writes may then each wait 200 ms for a delayed acknowledgement. To prevent these delays, raise `.receiveBuffer` at
/// both ends to 1 MiB before connecting and listening.
@frozen
public struct SCTPSocket: ~Copyable, StreamSocket, Transport, Acceptable {
  public typealias Options = SCTPSocketOptions
  public typealias Address = IPSocketAddress

  @usableFromInline let owned: Descriptor

  @inlinable
  public init(owning descriptor: consuming Descriptor) { owned = descriptor }

  @inlinable public var descriptor: RawDescriptor { owned.raw }
  @inlinable
  public consuming func releaseDescriptor() -> Descriptor { owned }

  /// No capabilities. SCTP has no half-close: shutting down writing ends the association (RFC 9260, 9.2).
  ///
  /// SCTP also has no empty messages (RFC 9260, 6.2), and the kernel rejects them (EINVAL). An empty stream write does
  /// not call the kernel.
  @inlinable public static var capabilities: SocketCapabilities { [] }

  public static var kinds: [SocketKind] {
    [SocketKind(.ipv4, .stream, protocolNumber: 132), SocketKind(.ipv6, .stream, protocolNumber: 132)]
  }

  /// The smallest backlog; 0 would end listening (RFC 6458, 4.1.3).
  public static var smallestBacklog: Int { 1 }

  public borrowing func configure(at step: SetupStep<IPSocketAddress>) throws(SocketError) {
    guard case .binding(let address) = step else { return }
    try setOption(.reuseAddress, to: true)
    // The option is set explicitly because its default depends on net.ipv6.bindv6only, and a program must behave the
    // same on every host.
    if address.isIPv6 { try setOption(.v6Only, to: false) }
  }

  /// Returns the peer's primary address (`SCTP_PRIMARY_ADDR`). Data is sent to this address while the address answers.
  ///
  /// If the option cannot be read, returns the address that getpeername(2) reports. After connecting to several
  /// addresses, getpeername(2) returns the last of these addresses.
  /// - Throws: `.notConnected`; `.invalidAddress` if the address is not an IP address.
  public borrowing func remoteAddress() throws(SocketError) -> IPSocketAddress {
    do throws(SocketError) {
      return try option(.primaryAddress)
    } catch {
      guard let address = IPSocketAddress(try descriptor.remoteAddress()) else {
        throw SocketError(code: .invalidAddress, .remoteAddress)
      }
      return address
    }
  }
}
