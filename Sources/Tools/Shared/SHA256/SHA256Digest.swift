/// The 32 bytes of a SHA-256 checksum.
public struct SHA256Digest: Hashable, Sendable, CustomStringConvertible {
  public static var byteCount: Int { 32 }
  public let bytes: [UInt8]

  /// Returns nil unless there are exactly 32 bytes.
  public init?(_ bytes: some Sequence<UInt8>) {
    self.bytes = Array(bytes)
    if self.bytes.count != Self.byteCount { return nil }
  }

  /// Creates a digest from the big-endian bytes of the eight state words.
  init(words: InlineArray<8, UInt32>) {
    var bytes: [UInt8] = []
    bytes.reserveCapacity(Self.byteCount)
    for index in 0..<8 {
      for shift in [24, 16, 8, 0] as [UInt32] { bytes.append(UInt8(truncatingIfNeeded: words[index] >> shift)) }
    }
    self.bytes = bytes
  }

  /// 64 lowercase hexadecimal digits, as sha256sum(1) prints them.
  public var description: String {
    let digits = Array("0123456789abcdef".utf8)
    return String(decoding: bytes.flatMap { [digits[Int($0 >> 4)], digits[Int($0 & 15)]] }, as: UTF8.self)
  }
}
