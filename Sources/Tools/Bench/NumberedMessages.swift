/// The messages that clients send. Consecutive messages of a connection differ, and so do messages of different
/// connections.
///
/// The first eight bytes combine the numbers of the message and of its connection. The rest is a pattern, shifted by
/// the sum of both numbers. A shorter message contains only the low-order bytes of the combined number.
struct NumberedMessages {
  // The buffer repeats the pattern, so that the pattern shifted by any offset is a slice of the buffer.
  private var bytes: [UInt8]
  let size: Int

  init(size: Int) {
    self.size = size
    bytes = (0..<size + 256).map { UInt8(truncatingIfNeeded: $0) }
  }

  private static func shift(_ place: Int, _ number: Int) -> Int { (place &+ number) & 255 }

  private static func stamp(_ place: Int, _ number: Int) -> UInt64 {
    // The connection number is also added to the low-order bits, so that neighbouring connections differ in the first
    // byte.
    UInt64(truncatingIfNeeded: place << 40 &+ place &* 0x9d &+ number)
  }

  /// Calls `body` with the bytes of a message from the offset `done` on.
  @inline(__always)
  mutating func withMessage<R>(
    _ number: Int, of place: Int, from done: Int, _ body: (Span<UInt8>) -> R
  ) -> R {
    let start = Self.shift(place, number)
    let stamp = Self.stamp(place, number)
    let stamped = min(8, size)
    for index in 0..<stamped { bytes[start &+ index] = UInt8(truncatingIfNeeded: stamp >> (8 &* index)) }
    let result = body(bytes.span.extracting(start + done..<start + size))
    for index in 0..<stamped { bytes[start &+ index] = UInt8(truncatingIfNeeded: start &+ index) }
    return result
  }

  /// Returns whether the received bytes equal the bytes of a message from the offset `done` on.
  @inline(__always)
  func matches(_ got: Span<UInt8>, _ number: Int, of place: Int, from done: Int) -> Bool {
    let stamp = Self.stamp(place, number)
    var index = 0
    while done &+ index < 8 && index < got.count {
      if got[index] != UInt8(truncatingIfNeeded: stamp >> (8 &* (done &+ index))) { return false }
      index &+= 1
    }
    if index == got.count { return true }
    let start = Self.shift(place, number) &+ done &+ index
    let sent = bytes.span.extracting(start..<start + got.count - index)
    return got.extracting(droppingFirst: index).isEqual(to: sent)
  }
}
