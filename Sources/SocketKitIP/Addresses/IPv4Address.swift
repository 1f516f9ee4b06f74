/// An IPv4 address without a port.
@frozen
public struct IPv4Address: BitwiseCopyable, Hashable, Sendable {
  /// The 32 bits in host order: 127.0.0.1 is 0x7f000001.
  public let bits: UInt32

  /// Makes an address from its 32 bits in host order.
  @inlinable
  public init(bits: UInt32) { self.bits = bits }

  /// Makes an address from the four numbers of its dotted form.
  @inlinable
  public init(_ a: UInt8, _ b: UInt8, _ c: UInt8, _ d: UInt8) {
    bits = UInt32(a) << 24 | UInt32(b) << 16 | UInt32(c) << 8 | UInt32(d)
  }

  /// 0.0.0.0. A socket that is bound to this address is reachable at every IPv4 address of this host.
  @inlinable public static var any: Self { Self(bits: 0) }
  /// 127.0.0.1.
  @inlinable public static var loopback: Self { Self(bits: 0x7f00_0001) }
  /// 255.255.255.255.
  @inlinable public static var broadcast: Self { Self(bits: 0xffff_ffff) }

  /// Whether the address is in 127.0.0.0/8.
  @inlinable public var isLoopback: Bool { bits >> 24 == 127 }
  /// Whether the address is in 224.0.0.0/4.
  @inlinable public var isMulticast: Bool { bits >> 28 == 14 }
  /// Whether the address is in 169.254.0.0/16.
  @inlinable public var isLinkLocal: Bool { bits >> 16 == 0xa9fe }
}

extension IPv4Address: LosslessStringConvertible {
  /// Parses four decimal numbers from 0 to 255, separated by dots. Returns nil for any other text, including shorter
  /// forms and numbers with leading zeros (RFC 6943, 3.1.1). Some programs read a number with a leading zero as octal.
  public init?(_ text: String) {
    var scanner = AddressScanner(text)
    guard let address = scanner.ipv4(), scanner.isAtEnd else { return nil }
    self = address
  }

  public var description: String { "\(bits >> 24).\(bits >> 16 & 255).\(bits >> 8 & 255).\(bits & 255)" }
}
