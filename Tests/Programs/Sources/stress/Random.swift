/// The same numbers for the same seed: SplitMix64.
struct SeededRandom: RandomNumberGenerator {
  private var state: UInt64

  init(seed: UInt64) { state = seed }

  mutating func next() -> UInt64 {
    state &+= 0x9e37_79b9_7f4a_7c15
    return Self.mix(state)
  }

  static func mix(_ number: UInt64) -> UInt64 {
    var value = number
    value = (value ^ (value >> 30)) &* 0xbf58_476d_1ce4_e5b9
    value = (value ^ (value >> 27)) &* 0x94d0_49bb_1331_11eb
    return value ^ (value >> 31)
  }

  mutating func below(_ bound: Int) -> Int { Int(next() % UInt64(bound)) }
  mutating func chance(_ percent: Int) -> Bool { below(100) < percent }

  /// Mostly few bytes, now and then many.
  mutating func size(atMost limit: Int) -> Int {
    let bound = chance(80) ? 700 : limit
    return 1 + below(min(bound, limit))
  }

  /// A deadline that comes soon, or has come.
  mutating func soon() -> Duration { .microseconds(chance(30) ? 0 : below(3000)) }
}

/// Bytes that are known by where they stand: byte `offset` of the stream with this seed.
struct Pattern: Sendable {
  let seed: UInt64

  func bytes(from offset: Int, count: Int) -> [UInt8] {
    [UInt8](unsafeUninitializedCapacity: count) { memory, used in
      var word: UInt64 = 0
      for index in 0..<count {
        let place = offset + index
        if index == 0 || place & 7 == 0 { word = SeededRandom.mix(seed &+ UInt64(place >> 3)) }
        memory[index] = UInt8(truncatingIfNeeded: word >> UInt64((place & 7) * 8))
      }
      used = count
    }
  }
}
