internal import Glibc

/// The messages that clients send: no two that one connection sends after another are equal, nor are two connections'.
///
/// The first eight bytes are the message's number and its connection's, the rest a pattern that both of them shift. Of
/// a shorter message there is room for the lower bytes of the number only.
struct NumberedMessages {
  // Every shift of the pattern is a part of it.
  private var bytes: [UInt8]
  let size: Int

  init(size: Int) {
    self.size = size
    bytes = (0..<size + 256).map { UInt8(truncatingIfNeeded: $0) }
  }

  private static func shift(_ place: Int, _ number: Int) -> Int { (place &+ number) & 255 }

  private static func stamp(_ place: Int, _ number: Int) -> UInt64 {
    // The sum, so that one byte already differs between neighbouring connections.
    UInt64(truncatingIfNeeded: place << 40 &+ place &* 0x9d &+ number)
  }

  /// Calls the body with the bytes of a message from an offset on.
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

  /// Whether these bytes are what a message has from an offset on.
  @inline(__always)
  func matches(_ got: UnsafeRawBufferPointer, _ number: Int, of place: Int, from done: Int) -> Bool {
    let stamp = Self.stamp(place, number)
    var index = 0
    while done &+ index < 8 && index < got.count {
      if got[index] != UInt8(truncatingIfNeeded: stamp >> (8 &* (done &+ index))) { return false }
      index &+= 1
    }
    if index == got.count { return true }
    let start = Self.shift(place, number) &+ done &+ index
    return bytes.withUnsafeBytes { sent in
      guard let first = got.baseAddress, let sent = sent.baseAddress else { return false }
      return memcmp(first + index, sent + start, got.count - index) == 0
    }
  }
}
