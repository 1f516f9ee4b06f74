/// The state that a waiting call keeps from one park to the next. With this state, the call detects that poll(2)
/// reports a descriptor as ready although the call would still block.
@frozen
@usableFromInline
struct ParkHistory: BitwiseCopyable, Sendable {
  /// The events that poll(2) reported for the source at the end of the last park, or 0 if the source did not end the
  /// park.
  @usableFromInline var reported: Int16 = 0
  /// The number of consecutive parks in which poll(2) returned without sleeping. The count stops at 255.
  @usableFromInline var immediate: UInt8 = 0
  /// Whether a park has lasted for ``WaitNotices/patience``. The next park then registers with ``WaitNotices``.
  @usableFromInline var isLong = false
  /// The result of ``WaitNotices/generation`` before the last attempt.
  @usableFromInline var generation: UInt32 = 0

  /// The number of steps that did not park.
  @usableFromInline var spins: UInt32 = 0

  /// The number of pauses.
  @usableFromInline var pauses: UInt8 = 0

  @inlinable
  init() {}

  /// Returns the length of the next pause in nanoseconds. With pauses of one millisecond, a wait takes as much as 4 %
  /// of a core on a slow machine. This is too much for a long wait.
  @usableFromInline
  mutating func nextPause() -> Int64 {
    if pauses >= 50 { return 4_000_000 }
    pauses += 1
    return 1_000_000
  }
}
