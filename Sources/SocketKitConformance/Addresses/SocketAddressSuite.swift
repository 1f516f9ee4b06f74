public import SocketKitCore

/// The conformance rules of an address type, run with sample values.
public struct SocketAddressSuite<A: SocketAddress>: ConformanceSuite {
  public let name: String
  private let samples: [A]

  /// - Parameters:
  ///   - name: the name of the address type in reports.
  ///   - samples: values of every kind that the type supports, all different. If the type is
  ///     `LosslessStringConvertible`, pass only values that its text can express.
  public init(_ name: String, samples: [A]) {
    self.name = name
    self.samples = samples
  }

  public var rules: [ConformanceRule] {
    [
      rule("bytes.round-trip", "An address that is created from the bytes of another address is equal to that address.")
      { address in
        guard let copy = address.withBytes({ A(sockaddr: $0) }) else {
          throw ConformanceFailure("\(address): the type does not accept the address's own bytes")
        }
        try requireEqual(copy, address, "the address created from the bytes")
        try requireEqual(bytes(copy), bytes(address), "the bytes of the copy")
        try requireEqual(copy.family, address.family, "the family of the copy")
      },
      rule("bytes.length", "An address has 2 to 128 bytes, and the first two contain the family.") {
        address in
        let bytes = bytes(address)
        try require((2...128).contains(bytes.count), "\(address) has \(bytes.count) bytes")
        let family = Int32(bytes.span.integerBytes.integer(as: UInt16.self))
        try requireEqual(family, address.family.rawValue, "the family in the bytes of \(address)")
      },
      rule("any.round-trip", "Converting an address to AnySocketAddress and back does not change it.") { address in
        let any = AnySocketAddress(address)
        try requireEqual(any.family, address.family, "the family")
        try requireEqual(bytes(any), bytes(address), "the bytes")
        try requireEqual(A(any), address, "the address converted back")
      },
      rule("text.round-trip", "If the type parses text, parsing the text of an address returns an equal address.") {
        address in
        try requireTextRoundTrip(address)
      },
      rule("hash", "Equal addresses have the same hash.") { address in
        guard let copy = address.withBytes({ A(sockaddr: $0) }) else {
          throw ConformanceFailure("\(address): the type does not accept the address's own bytes")
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
      rule("bytes.short", "Truncated bytes are rejected or are a different address, and do not cause a trap.") {
        address in
        let whole = bytes(address)
        for count in 0..<whole.count {
          guard let cut = decoded(Array(whole.prefix(count))) else { continue }
          try require(A.self == AnySocketAddress.self || count >= 2, "\(count) bytes were accepted as an address")
          try require(bytes(cut).count <= 128, "an address of \(count) bytes returned \(bytes(cut).count) bytes")
          _ = cut.description
        }
      },
      rule(
        "bytes.tail",
        "Bytes after an address are rejected, are ignored, or make a different address with a different text."
      ) { address in
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
                "\(count) more bytes after \(address) make a different address with the same text")
            }
          }
        }
      },
      rule(
        "text.tail", "If the type parses text, text with an additional character is rejected or is a different address."
      ) { address in
        for tail in ["x", " ", "\n", "\0", ":", "%"] {
          for text in [address.description + tail, tail + address.description] where reread(text, as: A.self) == address
          {
            throw ConformanceFailure("\"\(text)\" was parsed as \(address)")
          }
        }
      },
      rule("bytes.foreign", "Bytes of another family, and more than 128 bytes, are rejected.") { address in
        try require(decoded([UInt8](repeating: 0, count: 200)) == nil, "200 bytes were accepted as an address")
        if A.self == AnySocketAddress.self { return }
        var foreign = bytes(address)
        foreign[0] = 0xfe
        foreign[1] = 0x7f
        try require(decoded(foreign) == nil, "bytes of an unknown family were accepted as an address")
        try require(
          decoded([UInt8](repeating: 0xff, count: foreign.count)) == nil,
          "bytes that are all 0xff were accepted as an address")
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

  private func decoded(_ bytes: [UInt8]) -> A? { A(sockaddr: bytes.span.integerBytes) }
}

private func bytes(_ address: some SocketAddress) -> [UInt8] {
  address.withBytes { Array(copying: $0) }
}

/// Parses an address from its text; returns nil if the type does not accept the text or has no text form.
private func reread<A: SocketAddress>(_ text: String, as type: A.Type) -> A? {
  guard let readable = type as? any LosslessStringConvertible.Type else { return nil }
  func read<T: LosslessStringConvertible>(_ type: T.Type) -> A? { T(text) as? A }
  return read(readable)
}

private func requireTextRoundTrip<A: SocketAddress>(_ address: A) throws {
  if !(address is any LosslessStringConvertible) { return }
  try requireEqual(reread(address.description, as: A.self), address, "the address parsed from \"\(address)\"")
}
