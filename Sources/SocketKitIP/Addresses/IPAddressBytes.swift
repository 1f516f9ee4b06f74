// Conversions of IP addresses to and from bytes in network order, as in packets, DNS records and certificates.

extension IPv4Address {
  /// Reads four bytes in network order: the first byte of 127.0.0.1 is 127.
  /// - Returns: nil if the number of bytes is not four.
  public init?(bytes: Span<UInt8>) {
    guard bytes.count == 4 else { return nil }
    self.init(bytes[0], bytes[1], bytes[2], bytes[3])
  }

  /// The four bytes in network order.
  public var bytes: InlineArray<4, UInt8> {
    InlineArray { UInt8(truncatingIfNeeded: bits >> UInt32((3 - $0) * 8)) }
  }
}

extension IPv6Address {
  /// Reads sixteen bytes in network order.
  /// - Returns: nil if the number of bytes is not sixteen.
  public init?(bytes: Span<UInt8>) {
    guard bytes.count == 16 else { return nil }
    var high: UInt64 = 0
    var low: UInt64 = 0
    for index in 0..<8 {
      high = high << 8 | UInt64(bytes[index])
      low = low << 8 | UInt64(bytes[index + 8])
    }
    self.init(high: high, low: low)
  }

  /// The sixteen bytes in network order. For the sixteen-byte form of an IPv4 address, use
  /// `IPv6Address(mapped:).bytes`.
  public var bytes: InlineArray<16, UInt8> {
    InlineArray { UInt8(truncatingIfNeeded: ($0 < 8 ? high : low) >> UInt64((7 - $0 & 7) * 8)) }
  }
}

extension IPAddress {
  /// Reads four bytes of an IPv4 address or sixteen bytes of an IPv6 address, in network order.
  /// - Returns: nil for any other number of bytes.
  public init?(bytes: Span<UInt8>) {
    if let address = IPv4Address(bytes: bytes) {
      self = .v4(address)
    } else if let address = IPv6Address(bytes: bytes) {
      self = .v6(address)
    } else {
      return nil
    }
  }

  /// Passes the four or sixteen bytes of the address to `body`, in network order.
  public func withBytes<R>(_ body: (Span<UInt8>) -> R) -> R {
    switch self {
    case .v4(let address):
      let bytes = address.bytes
      return body(bytes.span)
    case .v6(let address):
      let bytes = address.bytes
      return body(bytes.span)
    }
  }
}
