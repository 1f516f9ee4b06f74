internal import CSocketKit
public import SocketKitCore
public import SocketKitIP
public import SocketKitTCP

/// A TCP connection that can use several paths at the same time (Multipath TCP, RFC 8684; Linux 5.6).
///
/// ```swift
/// let listener = try MultipathTCPSocket.listen(on: .any(port: 8080))
/// let client = try MultipathTCPSocket.connect(to: address, until: .after(.seconds(5)))
/// ```
/// A program does not need to check for support first. If this kernel does not support Multipath TCP, or
/// `net.mptcp.enabled` disables it, the socket is a plain TCP socket. If the peer does not support it, the kernel
/// continues with plain TCP. ``additionalPaths()`` reports which protocol a connection uses. A listener also accepts
/// plain TCP peers.
@frozen
public struct MultipathTCPSocket: ~Copyable, StreamSocket, KernelSocket, Transport, Acceptable {
  public typealias Options = TCPSocketOptions
  public typealias Address = IPSocketAddress
  public typealias Endpoint = IPEndpoint

  @usableFromInline let owned: Descriptor

  @inlinable
  public init(owning descriptor: consuming Descriptor) { owned = descriptor }

  @inlinable public var descriptor: RawDescriptor { owned.raw }
  @inlinable
  public consuming func releaseDescriptor() -> Descriptor { owned }

  @inlinable public static var capabilities: SocketCapabilities { .halfClose }

  /// The scheme is `mptcp`, as in `mptcp://localhost:80`. A program adds the transport to its list:
  /// `Transports<MultipathTCPSocket, AllTransports>`.
  public static var endpointFormat: EndpointFormat<IPEndpoint, IPSocketAddress> { .ip(scheme: "mptcp") }

  /// Multipath TCP, and plain TCP, because the kernel may return a plain TCP socket for a peer without Multipath TCP.
  public static var kinds: [SocketKind] {
    [multipath, CSK_IPPROTO_TCP].flatMap { number in
      [AddressFamily.ipv4, .ipv6].map { SocketKind($0, .stream, protocolNumber: number) }
    }
  }

  /// Opens a Multipath TCP socket, or a plain TCP socket if the kernel cannot create a Multipath TCP socket.
  public static func open(for address: IPSocketAddress) throws(SocketError) -> MultipathTCPSocket {
    do throws(SocketError) {
      return Self(owning: try RawDescriptor.open(SocketKind(address.family, .stream, protocolNumber: multipath)))
    } catch {
      guard error.code == .protocolNotSupported || error.code == .notSupported else { throw error }
      return Self(owning: try RawDescriptor.open(SocketKind(address.family, .stream, protocolNumber: CSK_IPPROTO_TCP)))
    }
  }

  /// Sets reuse-address on a listener, and clears v6-only if its address is an IPv6 address. Rejects a connection of
  /// the socket to itself, which TCP's simultaneous open allows on loopback (RFC 9293, 3.5).
  public borrowing func configure(at step: SetupStep<IPSocketAddress>) throws(SocketError) {
    switch step {
    case .binding(let address):
      try setOption(.reuseAddress, to: true)
      if address.isIPv6 { try setOption(.v6Only, to: false) }
    case .connecting: break
    case .connected:
      if try localAddress() == remoteAddress() { throw SocketError(.failure(errno: CSK_ECONNREFUSED), .connect) }
    }
  }

  /// IPPROTO_MPTCP (linux/in.h).
  private static var multipath: Int32 { 262 }
  /// SOL_MPTCP (linux/socket.h).
  private static var optionLevel: Int32 { 284 }
  /// MPTCP_INFO (linux/mptcp.h).
  private static var infoOption: Int32 { 1 }
}

extension MultipathTCPSocket {
  /// Returns the reason why this kernel cannot create Multipath TCP sockets now, or nil if it can.
  ///
  /// The error is `.protocolNotSupported` if the kernel was built without support, and `.notSupported` if
  /// `net.mptcp.enabled` is 0. Every call queries the kernel, because the setting may change while a program runs.
  public static func unavailability(_ family: AddressFamily = .ipv4) -> SocketError? {
    let result = IOResult(
      raw: csk_socket(family.rawValue, CSK_SOCK_STREAM | CSK_SOCK_NONBLOCK | CSK_SOCK_CLOEXEC, multipath))
    if result.isFailure { return SocketError(result, .open) }
    _ = csk_close(Int32(truncatingIfNeeded: result.raw))
    return nil
  }

  /// Returns the number of paths that the connection uses in addition to its first (`MPTCP_INFO`), or nil if it is
  /// plain TCP.
  /// - Throws: `.closed`, `.notConnected`.
  public borrowing func additionalPaths() throws(SocketError) -> Int? {
    // The beginning of struct mptcp_info (linux/mptcp.h): six counts of one byte each, then the flags.
    let info: [UInt8]
    do throws(SocketError) {
      info = try option(SocketOption(bytes: Self.infoOption, level: Self.optionLevel, capacity: 12))
    } catch {
      if error.code == .notSupported { return nil }
      throw error
    }
    guard info.count == 12 else { return Int(info.first ?? 0) }
    let flags = info.span.bytes.unsafeLoadUnaligned(fromByteOffset: 8, as: UInt32.self)
    let fellBack = flags & 1 != 0
    return fellBack ? nil : Int(info[0])
  }
}
