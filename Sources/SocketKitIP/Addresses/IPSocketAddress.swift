internal import CSocketKit
public import SocketKitCore

/// An IPv4 or IPv6 address with a port: the address of TCP, UDP and SCTP sockets.
///
/// A value has the memory layout of the kernel's structure, so system calls need no conversion. The structure is
/// sockaddr_in (16 bytes, ip(7)) or sockaddr_in6 (28 bytes, ipv6(7)).
@frozen
public struct IPSocketAddress: SocketAddress, BitwiseCopyable {
  @usableFromInline let familyNumber: UInt16
  @usableFromInline let networkPort: UInt16
  @usableFromInline let word: UInt32  // IPv4: the address; IPv6: the flow label
  @usableFromInline let first: UInt64  // IPv6: the address; IPv4: zero
  @usableFromInline let second: UInt64
  /// The scope: the index of the interface of a link-local IPv6 address. It is 0 for IPv4 addresses and for IPv6
  /// addresses without an interface.
  public let scopeID: UInt32

  /// Makes the address from an IPv4 address and a port.
  @inlinable
  public init(_ address: IPv4Address, port: UInt16) {
    familyNumber = UInt16(truncatingIfNeeded: AddressFamily.ipv4.rawValue)
    networkPort = port.bigEndian
    word = address.bits.bigEndian
    first = 0
    second = 0
    scopeID = 0
  }

  /// Makes the address from an IPv6 address and a port.
  /// - Parameters:
  ///   - scopeID: the index of the interface, for link-local addresses.
  ///   - flowLabel: a flow label of 20 bits (RFC 6437). Higher bits are ignored.
  @inlinable
  public init(_ address: IPv6Address, port: UInt16, scopeID: UInt32 = 0, flowLabel: UInt32 = 0) {
    familyNumber = UInt16(truncatingIfNeeded: AddressFamily.ipv6.rawValue)
    networkPort = port.bigEndian
    word = (flowLabel & 0xf_ffff).bigEndian
    first = address.high.bigEndian
    second = address.low.bigEndian
    self.scopeID = scopeID
  }

  /// Returns 127.0.0.1 with a port. With port 0, the kernel chooses the port.
  @inlinable
  public static func loopback(port: UInt16) -> Self { Self(IPv4Address.loopback, port: port) }
  /// Returns ::1 with a port. With port 0, the kernel chooses the port.
  @inlinable
  public static func loopbackIPv6(port: UInt16) -> Self { Self(IPv6Address.loopback, port: port) }
  /// Returns 0.0.0.0 with a port. This address stands for every IPv4 address of this host.
  @inlinable
  public static func anyIPv4(port: UInt16) -> Self { Self(IPv4Address.any, port: port) }
  /// Returns `::` with a port. This address stands for every IPv4 and IPv6 address of this host. A socket that is bound
  /// to this address is dual-stack: IPv4 peers have addresses of the form ::ffff:a.b.c.d. If the kernel does not
  /// support IPv6, a socket that binds to this address uses ``anyIPv4(port:)`` instead.
  @inlinable
  public static func any(port: UInt16) -> Self { Self(IPv6Address.any, port: port) }

  @inlinable public var family: AddressFamily { AddressFamily(rawValue: Int32(familyNumber)) }
  /// The port, from 0 to 65535.
  @inlinable public var port: UInt16 { UInt16(bigEndian: networkPort) }
  /// The flow label of an IPv6 address (20 bits). It is 0 for IPv4.
  @inlinable public var flowLabel: UInt32 { isIPv6 ? UInt32(bigEndian: word) & 0xf_ffff : 0 }
  /// Whether this is an IPv6 address.
  @inlinable public var isIPv6: Bool { family == .ipv6 }
  /// The address without port and scope.
  @inlinable public var ip: IPAddress {
    isIPv6
      ? .v6(IPv6Address(high: UInt64(bigEndian: first), low: UInt64(bigEndian: second)))
      : .v4(IPv4Address(bits: UInt32(bigEndian: word)))
  }
  /// Returns the same address with another port.
  @inlinable
  public func with(port: UInt16) -> Self {
    switch ip {
    case .v4(let address): Self(address, port: port)
    case .v6(let address): Self(address, port: port, scopeID: scopeID, flowLabel: flowLabel)
    }
  }
  /// The IPv4 address in an IPv4-mapped IPv6 address, with the same port; for all other addresses, the address itself.
  @inlinable public var unmapped: Self {
    if case .v6(let address) = ip, let mapped = address.mappedIPv4 { return Self(mapped, port: port) }
    return self
  }

  @inlinable
  public borrowing func withBytes<R>(_ body: (RawSpan) -> R) -> R {
    let copy = copy self
    let length = copy.familyNumber == 10 ? 28 : 16
    // The 28 bytes of the copy have no padding, and the compiler does not let the span escape from the body.
    return unsafe withUnsafeBytes(of: copy) { unsafe body($0.bytes.extracting(first: length)) }
  }

  /// Reads a sockaddr_in (at least 16 bytes) or a sockaddr_in6 (at least 28 bytes). Returns nil for other bytes.
  @inlinable @inline(__always)
  public init?(sockaddr bytes: RawSpan) {
    guard bytes.byteCount >= 16 else { return nil }
    let family = bytes.integer(as: UInt16.self)
    let isIPv6 = Int32(family) == AddressFamily.ipv6.rawValue
    guard isIPv6 ? bytes.byteCount >= 28 : Int32(family) == AddressFamily.ipv4.rawValue else { return nil }
    // All fields stay in network order, so no conversion is needed.
    let word = bytes.integer(at: 4, as: UInt32.self)
    familyNumber = family
    networkPort = bytes.integer(at: 2, as: UInt16.self)
    self.word = isIPv6 ? word & UInt32(0xf_ffff).bigEndian : word
    first = isIPv6 ? bytes.integer(at: 8, as: UInt64.self) : 0
    second = isIPv6 ? bytes.integer(at: 16, as: UInt64.self) : 0
    scopeID = isIPv6 ? bytes.integer(at: 24, as: UInt32.self) : 0
  }

  /// Returns ``anyIPv4(port:)`` for ``any(port:)`` if the error shows that the kernel does not support IPv6
  /// (`ipv6.disable=1`). Returns nil for other addresses and for other errors.
  public func alternative(after error: SocketError) -> IPSocketAddress? {
    error.errno == CSK_EAFNOSUPPORT && self == .any(port: port) ? .anyIPv4(port: port) : nil
  }
}
