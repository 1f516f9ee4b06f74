/// The record that a waiting call keeps from one park to the next, to detect that poll(2) reports a descriptor as ready
/// although the call would still block.
@frozen
@usableFromInline
struct ParkHistory: BitwiseCopyable, Sendable {
  /// The events that poll(2) reported for the source at the end of the last park; 0 when something else ended the park.
  @usableFromInline var reported: Int16 = 0
  /// The number of parks in succession that poll(2) ended without sleeping; stops at 255.
  @usableFromInline var immediate: UInt8 = 0
  /// Whether a first, short park has passed: see ``WaitNotices``.
  @usableFromInline var isLong = false
  /// ``WaitNotices/generation`` before the last try.
  @usableFromInline var generation: UInt32 = 0

  /// The number of steps that did not park.
  @usableFromInline var spins: UInt32 = 0

  /// The number of pauses.
  @usableFromInline var pauses: UInt8 = 0

  @inlinable
  init() {}

  /// Returns the length of the next pause in nanoseconds. A pause of a millisecond costs up to 4 % of a core on a slow
  /// machine, which is too much for a long wait.
  @usableFromInline
  mutating func nextPause() -> Int64 {
    if pauses >= 50 { return 4_000_000 }
    pauses += 1
    return 1_000_000
  }
}
