#if canImport(Musl)
  internal import Musl
#else
  internal import Glibc
#endif

extension [UInt8] {
  /// A copy of the bytes.
  init(copying bytes: RawSpan) {
    // The bytes are copied during the call.
    self = unsafe bytes.withUnsafeBytes { unsafe Array($0) }
  }

  /// The eight bytes of a number, the least significant byte first.
  init(littleEndian number: UInt64) {
    self = (0..<8).map { UInt8(truncatingIfNeeded: number >> ($0 * 8)) }
  }
}

func areSame(_ first: [UInt8], _ second: [UInt8]) -> Bool {
  // Both arrays have this length, and outlive the call.
  unsafe first.count == second.count && memcmp(first, second, first.count) == 0
}
