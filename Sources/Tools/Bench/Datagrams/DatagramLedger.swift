internal import SocketKitCore

/// Tracks the datagrams in flight. Each datagram contains a number in its first eight bytes, or the low-order bytes of
/// the number if the datagram is shorter. Every received datagram must be in flight, so that none is counted twice.
final class DatagramLedger {
  private var onTheirWay: [UInt16]
  private var last: UInt64 = 0
  /// The number of datagrams in flight.
  private(set) var count = 0
  private let size: Int
  /// The size of each number in bytes.
  private let digits: Int
  /// The bytes after the number.
  private let rest: [UInt8]

  init(size: Int) {
    self.size = size
    digits = min(8, size)
    onTheirWay = [UInt16](repeating: 0, count: size == 1 ? 256 : 65536)
    rest = (0..<size).map { UInt8(truncatingIfNeeded: $0) }
  }

  /// Writes the given number of new datagrams into the array, each directly after the previous one.
  func issue(_ number: Int, into array: inout [UInt8]) {
    var bytes = array.mutableSpan
    var start = 0
    for _ in 0..<number {
      last &+= 1
      for place in 0..<digits { bytes[start &+ place] = UInt8(truncatingIfNeeded: last >> (8 &* UInt64(place))) }
      for place in digits..<size { bytes[start &+ place] = rest[place] }
      start &+= size
      onTheirWay[Int(last) & (onTheirWay.count - 1)] &+= 1
    }
    count += number
  }

  /// Validates consecutive received datagrams. Returns a description of the first error, or nil.
  func complaint(about bytes: Span<UInt8>) -> String? {
    var start = 0
    while start < bytes.count {
      guard start &+ size <= bytes.count else { return "a returned datagram is truncated" }
      var number: UInt64 = 0
      for place in 0..<digits {
        number |= UInt64(bytes[start &+ place]) << (8 &* UInt64(place))
      }
      for place in digits..<size where bytes[start &+ place] != rest[place] {
        return "the contents of a returned datagram have changed"
      }
      start &+= size
      let key = Int(truncatingIfNeeded: number) & (onTheirWay.count - 1)
      // A number that is far from the last number was never sent, or was sent long ago.
      guard onTheirWay[key] > 0, digits < 8 || last &- number < UInt64(onTheirWay.count) else {
        return "datagram \(number) was returned twice or was never sent"
      }
      onTheirWay[key] &-= 1
      count -= 1
    }
    return nil
  }
}
