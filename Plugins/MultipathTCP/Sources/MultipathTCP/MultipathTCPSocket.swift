internal import CSocketKit
public import SocketKitCore
public import SocketKitTCP

/// A TCP connection that may use several paths at once (Multipath TCP, RFC 8684; Linux 5.6).
///
/// ```swift
/// let listener = try MultipathTCPSocket.listen(on: .any(port: 8080))
/// let client = try MultipathTCPSocket.connect(to: address, until: .after(.seconds(5)))
/// ```
/// Nothing has to be asked first: where this kernel has no Multipath TCP, or `net.mptcp.enabled` switches it off, the
/// socket is a plain TCP socket, and where the peer has none the kernel itself continues as TCP. See
/// ``additionalPaths()`` for what a connection came to. A listener takes plain TCP peers too.
@frozen
public struct MultipathTCPSocket: ~Copyable, StreamSocket, KernelSocket, ConnectionTransport {
  public typealias Options = TCPSocketOptions
  public typealias Address = IPSocketAddress

  @usableFromInline let owned: Descriptor

  @inlinable
  public init(owning descriptor: consuming Descriptor) { owned = descriptor }

  @inlinable public var descriptor: RawDescriptor { owned.raw }
  @inlinable
  public consuming func releaseDescriptor() -> Descriptor { owned }

  @inlinable public static var capabilities: SocketCapabilities { .halfClose }

  public static func kind(for address: IPSocketAddress) -> SocketKind {
    SocketKind(
      address.family, .stream, protocolNumber: unavailability(address.family) == nil ? multipath : CSK_IPPROTO_TCP)
  }

  public static func accepts(_ kind: SocketKind) -> Bool {
    // The kernel may hand out a plain TCP socket for a peer without Multipath TCP.
    (kind.family == .ipv4 || kind.family == .ipv6) && kind.type == .stream
      && (kind.protocolNumber == multipath || kind.protocolNumber == CSK_IPPROTO_TCP)
  }

  public static func willListen(
    _ socket: borrowing MultipathTCPSocket, on address: IPSocketAddress
  ) throws(SocketError) {
    try socket.setOption(.reuseAddress, to: true)
    if address.isIPv6 { try socket.setOption(.v6Only, to: false) }
  }

  /// Refuses a connection to itself, which TCP's simultaneous open allows on loopback (RFC 9293, 3.5).
  public static func didConnect(_ socket: borrowing MultipathTCPSocket) throws(SocketError) {
    if try socket.localAddress() == socket.remoteAddress() {
      throw SocketError(.failure(errno: CSK_ECONNREFUSED), .connect)
    }
  }

  private static var multipath: Int32 { 262 }
}

extension MultipathTCPSocket {
  /// Why this kernel makes no Multipath TCP sockets now, or nil when it does: `.protocolNotSupported` where it was
  /// built without, `.notSupported` where `net.mptcp.enabled` is 0.
  ///
  /// Asked of the kernel each time, because the setting may change while a program runs.
  public static func unavailability(_ family: AddressFamily = .ipv4) -> SocketError? {
    let result = IOResult(
      raw: csk_socket(family.rawValue, CSK_SOCK_STREAM | CSK_SOCK_NONBLOCK | CSK_SOCK_CLOEXEC, multipath))
    if result.isFailure { return SocketError(result, .open) }
    _ = csk_close(Int32(truncatingIfNeeded: result.raw))
    return nil
  }

  /// How many paths the connection uses besides its first (`MPTCP_INFO`), or nil when it is plain TCP.
  /// - Throws: `.closed`, `.notConnected`.
  public borrowing func additionalPaths() throws(SocketError) -> Int? {
    // The front of struct mptcp_info (linux/mptcp.h): six counts of one byte, then the flags.
    var info = InlineArray<12, UInt8>(repeating: 0)
    let length: Int
    do throws(SocketError) {
      var span = info.mutableSpan
      var bytes = span.mutableBytes
      length = try rawOption(level: 284, name: 1, into: &bytes)
    } catch {
      if error.code == .notSupported { return nil }
      throw error
    }
    let flags = info.span.bytes.unsafeLoadUnaligned(fromByteOffset: 8, as: UInt32.self)
    let fellBack = length >= 12 && flags & 1 != 0
    return fellBack ? nil : Int(info[0])
  }
}
