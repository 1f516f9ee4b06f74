internal import SocketKitCore

func require(_ condition: Bool, _ evidence: @autoclosure () -> String) throws {
  if !condition { throw ConformanceFailure(evidence()) }
}

func requireEqual<T: Equatable>(_ seen: T, _ wanted: T, _ what: @autoclosure () -> String) throws {
  if seen != wanted { throw ConformanceFailure("\(what()): \(seen), expected \(wanted)") }
}

/// Requires that two byte arrays are equal. A failure reports only the lengths and the position of the first
/// difference.
func requireSameBytes(_ seen: [UInt8], _ wanted: [UInt8], _ what: String) throws {
  // Do not use ==, which calls a function for every byte in debug builds.
  if areSame(seen, wanted) { return }
  let common = zip(seen, wanted).prefix { $0 == $1 }.count
  throw ConformanceFailure(
    "\(what): \(seen.count) bytes, expected \(wanted.count); the first difference is at offset \(common)")
}

/// Requires that `body` fails with one of the codes, and returns the error.
@discardableResult
func requireError<R: ~Copyable>(
  _ codes: SocketError.Code..., in what: String, _ body: () throws -> R
) throws -> SocketError {
  let seen: SocketError
  do {
    _ = try body()
    throw ConformanceFailure("\(what): no error, expected \(names(codes))")
  } catch let error as SocketError {
    seen = error
  }
  try require(codes.contains(seen.code), "\(what): the error \"\(seen)\", expected \(names(codes))")
  return seen
}

private func names(_ codes: [SocketError.Code]) -> String {
  codes.map { "\"\($0)\"" }.joined(separator: " or ")
}

/// Measures elapsed time.
///
/// Start the stopwatch before you compute the deadline that it checks. The elapsed time is then at least the time since
/// the deadline was computed. In the other order, the thread could be preempted between these two steps, and the
/// elapsed time would be too short: a correct wait could seem to end too early, and a wait that ends too late could
/// seem correct.
struct Stopwatch {
  private let start = ContinuousClock.now
  var elapsed: Duration { ContinuousClock.now - start }

  /// Requires that the elapsed time is at least `least` and less than `least` plus ``Times/prompt``.
  func require(from least: Duration, _ what: String) throws {
    let elapsed = elapsed
    try SocketKitConformance.require(elapsed >= least, "\(what): ended after \(elapsed), earlier than \(least)")
    try SocketKitConformance.require(
      elapsed < least + Times.prompt, "\(what): ended after \(elapsed), much later than \(least)")
  }

  func requirePrompt(_ what: String) throws { try require(from: .zero, what) }
}

/// A reproducible random number generator (SplitMix64).
struct SeededRandom: RandomNumberGenerator {
  private var state: UInt64
  init(seed: UInt64) { state = seed }

  private static var step: UInt64 { 0x9e37_79b9_7f4a_7c15 }

  mutating func next() -> UInt64 {
    state &+= Self.step
    return Self.mixed(state)
  }

  private static func mixed(_ state: UInt64) -> UInt64 {
    var z = state
    z = (z ^ (z >> 30)) &* 0xbf58_476d_1ce4_e5b9
    z = (z ^ (z >> 27)) &* 0x94d0_49bb_1331_11eb
    return z ^ (z >> 31)
  }

  mutating func bytes(_ count: Int) -> [UInt8] {
    // Write whole words through a pointer, which is fast even in debug builds: some rules need megabytes of data. The
    // memory has room for `length` words, and the loop initializes all of them.
    let words = unsafe [UInt64](unsafeUninitializedCapacity: count / 8 + 1) { memory, length in
      length = count / 8 + 1
      guard var word = memory.baseAddress else { return }
      let end = unsafe word + length
      var state = state
      while unsafe word < end {
        state &+= Self.step
        unsafe word.initialize(to: Self.mixed(state))
        unsafe word += 1
      }
      self.state = state
    }
    return Array(copying: words.span.integerBytes.extracting(first: count))
  }
}
