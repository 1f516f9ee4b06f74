/// An IPv6 address without port and scope.
@frozen
public struct IPv6Address: BitwiseCopyable, Hashable, Sendable {
  /// The first 64 bits in host order.
  public let high: UInt64
  /// The last 64 bits in host order.
  public let low: UInt64

  /// Makes an address from its two halves in host order.
  @inlinable
  public init(high: UInt64, low: UInt64) {
    self.high = high
    self.low = low
  }

  /// Makes the IPv4-mapped form ::ffff:a.b.c.d, which is the address of an IPv4 peer of a dual-stack socket (RFC 4291,
  /// section 2.5.5.2).
  @inlinable
  public init(mapped address: IPv4Address) {
    self.init(high: 0, low: 0xffff_0000_0000 | UInt64(address.bits))
  }

  /// `::`. A socket that is bound to this address is reachable at every address of this host.
  @inlinable public static var any: Self { Self(high: 0, low: 0) }
  /// `::1`.
  @inlinable public static var loopback: Self { Self(high: 0, low: 1) }

  /// The IPv4 address in an IPv4-mapped address, or nil for other addresses.
  @inlinable public var mappedIPv4: IPv4Address? {
    high == 0 && low >> 32 == 0xffff ? IPv4Address(bits: UInt32(truncatingIfNeeded: low)) : nil
  }
  /// Whether the address is `::1`.
  @inlinable public var isLoopback: Bool { high == 0 && low == 1 }
  /// Whether the address is in ff00::/8.
  @inlinable public var isMulticast: Bool { high >> 56 == 0xff }
  /// Whether the address is in fe80::/10. Such an address needs a scope, because every link uses this prefix.
  @inlinable public var isLinkLocal: Bool { high >> 54 == 0x3fa }

  /// The eight 16-bit groups, from the left.
  var groups: InlineArray<8, UInt16> {
    InlineArray { UInt16(truncatingIfNeeded: ($0 < 4 ? high : low) >> UInt64((3 - $0 & 3) * 16)) }
  }
}

extension IPv6Address: LosslessStringConvertible {
  /// Parses any form of RFC 4291, 2.2: hexadecimal groups, optionally one `::`, and optionally an IPv4 address for the
  /// last 32 bits. Returns nil for any other text, including an address with a scope, which ``IPSocketAddress`` can
  /// parse.
  public init?(_ text: String) {
    var scanner = AddressScanner(text)
    guard let address = scanner.ipv6(), scanner.isAtEnd else { return nil }
    self = address
  }

  /// The form that RFC 5952 recommends: lower case, `::` for the longest run of zero groups, and dotted decimal numbers
  /// for an IPv4-mapped address.
  public var description: String {
    if let mapped = mappedIPv4 { return "::ffff:\(mapped)" }
    let groups = groups
    var best = 0..<0
    var start = 0
    while start < 8 {
      var end = start
      while end < 8 && groups[end] == 0 { end += 1 }
      if end - start >= 2 && end - start > best.count { best = start..<end }
      start = end + 1
    }
    var text = ""
    var index = 0
    while index < 8 {
      if index == best.lowerBound && !best.isEmpty {
        text += "::"
        index = best.upperBound
        continue
      }
      if !text.isEmpty && !text.hasSuffix("::") { text += ":" }
      text += String(groups[index], radix: 16)
      index += 1
    }
    return text
  }
}
