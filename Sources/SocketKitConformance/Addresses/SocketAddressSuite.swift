public import SocketKitCore

/// The conformance rules of an address type, run with sample values.
public struct SocketAddressSuite<A: SocketAddress>: ConformanceSuite {
  public let name: String
  private let samples: [A]

  /// - Parameters:
  ///   - name: the name of the address type in reports.
  ///   - samples: values of every kind that the type has, all different. If the type is `LosslessStringConvertible`,
  ///     only values that its text can express.
  public init(_ name: String, samples: [A]) {
    self.name = name
    self.samples = samples
  }

  public var rules: [ConformanceRule] {
    [
      rule("bytes.round-trip", "An address made of an address's bytes is equal to it.") { address in
        guard let copy = address.withBytes({ A(sockaddr: $0) }) else {
          throw ConformanceFailure("\(address): its own bytes are refused")
        }
        try requireEqual(copy, address, "made of the bytes")
        try requireEqual(bytes(copy), bytes(address), "the bytes of the copy")
        try requireEqual(copy.family, address.family, "the family of the copy")
      },
      rule("bytes.length", "The bytes are at least the family's two and at most 128, and begin with the family.") {
        address in
        let bytes = bytes(address)
        try require((2...128).contains(bytes.count), "\(address) has \(bytes.count) bytes")
        let family = bytes.withUnsafeBytes { Int32($0.loadUnaligned(as: UInt16.self)) }
        try requireEqual(family, address.family.rawValue, "the family in the bytes of \(address)")
      },
      rule("any.round-trip", "An address goes through AnySocketAddress unchanged.") { address in
        let any = AnySocketAddress(address)
        try requireEqual(any.family, address.family, "the family")
        try requireEqual(bytes(any), bytes(address), "the bytes")
        try requireEqual(A(any), address, "and back")
      },
      rule("text.round-trip", "Where the type reads its own text, the text gives the same address.") { address in
        try requireTextRoundTrip(address)
      },
      rule("hash", "Equal addresses have the same hash; different ones differ in bytes.") { address in
        guard let copy = address.withBytes({ A(sockaddr: $0) }) else {
          throw ConformanceFailure("\(address): its own bytes are refused")
        }
        try requireEqual(copy.hashValue, address.hashValue, "the hash of an equal address")
      },
      ConformanceRule("address.samples-differ", "Different addresses are not equal and have different bytes.") {
        [samples] in
        for (index, one) in samples.enumerated() {
          for other in samples[(index + 1)...] {
            try require(one != other, "\(one) equals \(other)")
            try require(bytes(one) != bytes(other), "\(one) and \(other) have the same bytes")
          }
        }
        try requireEqual(Set(samples).count, samples.count, "the addresses in a set")
      },
      rule("bytes.short", "Bytes that were cut short are refused, or make another address: never a crash.") { address in
        let whole = bytes(address)
        for count in 0..<whole.count {
          guard let cut = decoded(Array(whole.prefix(count))) else { continue }
          try require(A.self == AnySocketAddress.self || count >= 2, "\(count) bytes were taken for an address")
          try require(bytes(cut).count <= 128, "\(bytes(cut).count) bytes of an address cut to \(count)")
          _ = cut.description
        }
      },
      rule("bytes.tail", "Bytes behind an address are refused, or make a difference that its text shows.") { address in
        // `AnySocketAddress` accepts all bytes.
        if A.self == AnySocketAddress.self { return }
        for count in [1, 3, 8, 100] {
          for tail in [[UInt8](repeating: 0, count: count), [UInt8](repeating: 0x41, count: count)] {
            let whole = bytes(address) + tail
            guard whole.count <= 128, let other = decoded(whole) else { continue }
            if other == address {
              try requireEqual(other.hashValue, address.hashValue, "the hash of an equal address")
            } else {
              try require(
                other.description != address.description,
                "\(count) bytes behind \(address) make it another address of the same text")
            }
          }
        }
      },
      rule("text.tail", "Where the type reads text, more text is refused, or makes another address.") { address in
        for tail in ["x", " ", "\n", "\0", ":", "%"] {
          for text in [address.description + tail, tail + address.description] where reread(text, as: A.self) == address
          {
            throw ConformanceFailure("\"\(text)\" was read as \(address)")
          }
        }
      },
      rule("bytes.foreign", "Bytes of another family, or too many of them, are refused.") { address in
        try require(decoded([UInt8](repeating: 0, count: 200)) == nil, "200 bytes were taken for an address")
        if A.self == AnySocketAddress.self { return }
        var foreign = bytes(address)
        foreign[0] = 0xfe
        foreign[1] = 0x7f
        try require(decoded(foreign) == nil, "an unknown family was taken for an address")
        try require(decoded([UInt8](repeating: 0xff, count: foreign.count)) == nil, "bytes of ones were taken")
      },
    ]
  }

  private func rule(
    _ id: String, _ summary: String, _ body: @escaping @Sendable (A) throws -> Void
  ) -> ConformanceRule {
    ConformanceRule("address.\(id)", summary) { [samples] in
      if samples.isEmpty { throw ConformanceUnavailable("there are no sample addresses") }
      for sample in samples { try body(sample) }
    }
  }

  private func decoded(_ bytes: [UInt8]) -> A? { A(sockaddr: bytes.span.bytes) }
}

private func bytes(_ address: some SocketAddress) -> [UInt8] {
  address.withBytes { $0.withUnsafeBytes { Array($0) } }
}

/// Parses an address from its text; returns nil if the type does not accept the text or cannot be parsed.
private func reread<A: SocketAddress>(_ text: String, as type: A.Type) -> A? {
  guard let readable = type as? any LosslessStringConvertible.Type else { return nil }
  func read<T: LosslessStringConvertible>(_ type: T.Type) -> A? { T(text) as? A }
  return read(readable)
}

private func requireTextRoundTrip<A: SocketAddress>(_ address: A) throws {
  if !(address is any LosslessStringConvertible) { return }
  try requireEqual(reread(address.description, as: A.self), address, "read from the text \"\(address)\"")
}
