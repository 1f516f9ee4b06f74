internal import Glibc

extension Span<UInt8> {
  /// Returns whether both spans contain the same bytes.
  @inline(__always)
  func isEqual(to other: Span<UInt8>) -> Bool {
    // Both spans have at least the number of bytes that the call reads.
    unsafe withUnsafeBufferPointer { bytes in
      unsafe other.withUnsafeBufferPointer { others in
        guard let first = bytes.baseAddress, let second = others.baseAddress else { return bytes.count == others.count }
        return unsafe bytes.count == others.count && memcmp(first, second, bytes.count) == 0
      }
    }
  }
}
