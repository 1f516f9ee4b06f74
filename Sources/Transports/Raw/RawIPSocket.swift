internal import CSocketKit
public import SocketKitCore
public import SocketKitIP

/// A protocol number in the IP header, as assigned in the registry "Assigned Internet Protocol Numbers".
@frozen
public struct IPProtocol: RawRepresentable, BitwiseCopyable, Hashable, Sendable {
  public let rawValue: Int32
  @inlinable
  public init(rawValue: Int32) { self.rawValue = rawValue }

  /// ICMP for IPv4.
  @inlinable public static var icmp: Self { Self(rawValue: 1) }
  /// TCP (RFC 9293).
  @inlinable public static var tcp: Self { Self(rawValue: 6) }
  /// UDP (RFC 768).
  @inlinable public static var udp: Self { Self(rawValue: 17) }
  /// Generic Routing Encapsulation (RFC 2784).
  @inlinable public static var gre: Self { Self(rawValue: 47) }
  /// ICMP for IPv6 (RFC 4443).
  @inlinable public static var icmpv6: Self { Self(rawValue: 58) }
  /// A number for experiments (RFC 3692).
  @inlinable public static var experiment: Self { Self(rawValue: 253) }
  /// Any protocol, for sending only: the caller writes the IP header (raw(7), "IPPROTO_RAW").
  @inlinable public static var any: Self { Self(rawValue: 255) }
}

/// A raw socket over IPv4 or IPv6 (raw(7), ipv6(7)). It transfers packets of one protocol, and the caller writes the
/// header of this protocol. Requires CAP_NET_RAW.
///
/// ```swift
/// let socket = try RawIPSocket.open(.icmp, over: .ipv4)
/// ```
/// Every raw socket receives a copy of each packet of its protocol that matches its bound and connected addresses.
/// **Received data begins with the IP header on IPv4** (use ``IPv4Header`` to skip it). On IPv6 it begins with the
/// payload, and header fields are delivered as metadata. Sent data begins with the payload, unless the option
/// ``SocketKitCore/SocketOption/headerIncluded`` is enabled. Addresses of raw sockets have no port. Leave the port 0,
/// because IPv6 interprets the port as a protocol number. Because the port is 0, the kernel never returns the remote
/// address of a connected socket, and `remoteAddress()` throws `.notConnected`.
@frozen
public struct RawIPSocket: ~Copyable, DatagramSocket, KernelSocket {
  public typealias Options = RawIPSocketOptions
  public typealias Address = IPSocketAddress

  @usableFromInline let owned: Descriptor

  /// Takes ownership of a descriptor without checking it. The descriptor must refer to a raw socket over IPv4 or IPv6,
  /// and must be CLOEXEC and non-blocking.
  @inlinable
  public init(owning descriptor: consuming Descriptor) { owned = descriptor }

  @inlinable public var descriptor: RawDescriptor { owned.raw }
  @inlinable
  public consuming func releaseDescriptor() -> Descriptor { owned }

  @inlinable public static var capabilities: SocketCapabilities { [.emptyMessages, .errorQueue] }
  @inlinable public var mayReceiveDescriptors: Bool { false }

  /// Opens a raw socket that receives packets of its protocol from all addresses.
  /// - Parameter family: `.ipv4` or `.ipv6`.
  /// - Throws: `.permissionDenied`, `.wrongSocketKind` for another family, `.tooManyDescriptors`.
  public static func open(_ number: IPProtocol, over family: AddressFamily) throws(SocketError) -> RawIPSocket {
    guard family == .ipv4 || family == .ipv6 else { throw SocketError(code: .wrongSocketKind, .open) }
    let kind = SocketKind(family, .raw, protocolNumber: number.rawValue)
    return RawIPSocket(owning: try RawDescriptor.open(kind))
  }

  /// Opens a raw socket that receives packets sent to one address, and sends from that address.
  /// - Parameter configure: sets options on the socket before it is bound.
  /// - Throws: `.permissionDenied`, `.addressNotAvailable`, `.tooManyDescriptors`. The error includes the address.
  public static func bind(
    _ number: IPProtocol, to address: IPSocketAddress,
    configure: (borrowing RawIPSocket) throws -> Void = { _ in }
  ) throws(SocketError) -> RawIPSocket {
    let socket = try opened(number, for: address, configure: configure)
    try socket.descriptor.bind(to: address.with(port: 0))
    return socket
  }

  /// Opens a raw socket that is connected to one peer: it sends to that peer and receives only from it.
  /// - Throws: `.permissionDenied`, `.unreachable`, `.tooManyDescriptors`. The error includes the address.
  public static func connect(
    _ number: IPProtocol, to address: IPSocketAddress,
    configure: (borrowing RawIPSocket) throws -> Void = { _ in }
  ) throws(SocketError) -> RawIPSocket {
    let socket = try opened(number, for: address, configure: configure)
    do throws(SocketError) {
      try socket.connect(to: address.with(port: 0))
    } catch {
      throw error.with(address: address.description)
    }
    return socket
  }

  private static func opened(
    _ number: IPProtocol, for address: IPSocketAddress, configure: (borrowing RawIPSocket) throws -> Void
  ) throws(SocketError) -> RawIPSocket {
    do throws(SocketError) {
      let socket = try open(number, over: address.family)
      try socket.configure(with: configure)
      return socket
    } catch {
      throw error.with(address: address.description)
    }
  }

  /// Takes ownership of an open raw IP socket, and makes it CLOEXEC and non-blocking.
  /// - Throws: `.closed`, `.notASocket`, or `.wrongSocketKind`. The descriptor is closed on failure.
  public init(adopting descriptor: consuming Descriptor) throws(SocketError) {
    let raw = descriptor.raw
    try raw.checkOpen()
    let kind = try raw.socketKind()
    guard kind.type == .raw, kind.family == .ipv4 || kind.family == .ipv6 else {
      throw SocketError(code: .wrongSocketKind, .adopt)
    }
    try raw.setBlocking(false)
    try raw.setCloseOnExec(true)
    self.init(owning: descriptor)
  }
}

extension ReadOnlySocketOption where Group == RawIPSocketOptions, Value == IPProtocol {
  /// The protocol that the socket was opened for. The C name is `SO_PROTOCOL`.
  public static var protocolNumber: Self {
    Self { (target: RawDescriptor) throws(SocketError) -> IPProtocol in
      let option = SocketOption<SocketLevelOptions, Int>(integer: CSK_SO_PROTOCOL, level: CSK_SOL_SOCKET)
      return IPProtocol(rawValue: Int32(truncatingIfNeeded: try option.read(target)))
    }
  }
}
