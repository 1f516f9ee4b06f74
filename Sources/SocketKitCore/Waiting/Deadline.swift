public import CSocketKit

/// A point of time on the monotonic clock (CLOCK_MONOTONIC). That clock does not jump with the wall clock and does not
/// count suspension.
///
/// Waiting calls take deadlines, not durations: a loop of several waits then needs no arithmetic, and takes no longer
/// than the caller asked.
@frozen
public struct Deadline: BitwiseCopyable, Hashable, Comparable, Sendable {
  /// The time in nanoseconds of the monotonic clock; the largest number means "never".
  @usableFromInline let nanoseconds: Int64

  @inlinable
  init(nanoseconds: Int64) { self.nanoseconds = nanoseconds }

  /// Returns this deadline moved by a duration. With a constant duration the compiler leaves one addition.
  @inlinable @inline(__always)
  public func advanced(by duration: Duration) -> Deadline {
    if nanoseconds == .max { return self }
    let distance = duration.attoseconds / 1_000_000_000
    let whole = Int64(truncatingIfNeeded: distance)
    if Int128(whole) != distance { return distance < 0 ? .past : .never }
    let (sum, overflow) = nanoseconds.addingReportingOverflow(whole)
    if overflow { return whole < 0 ? .past : .never }
    return Deadline(nanoseconds: max(0, sum))
  }

  /// Whether this is ``never``.
  @inlinable public var isNever: Bool { nanoseconds == .max }
  /// Whether this is ``WaitLimit/past``. If so, there is no need to read the clock.
  @inlinable public var isPast: Bool { nanoseconds == 0 }
  /// Whether the deadline has passed. Reads the clock, except for ``WaitLimit/never``.
  @inlinable public var hasPassed: Bool { nanoseconds != .max && nanoseconds <= csk_monotonic_nanoseconds() }
  /// The time until the deadline, at least zero; nil for ``WaitLimit/never``.
  public var remaining: Duration? {
    isNever ? nil : .nanoseconds(max(0, nanoseconds - csk_monotonic_nanoseconds()))
  }
  /// The time until the deadline in nanoseconds, at least 0; -1 for ``WaitLimit/never``. For implementers of pollers:
  /// it avoids arithmetic on `Duration`.
  @inlinable public var remainingNanoseconds: Int64 {
    if nanoseconds == .max { return -1 }
    if nanoseconds == 0 { return 0 }
    let left = nanoseconds &- csk_monotonic_nanoseconds()
    return left > 0 ? left : 0
  }

  @inlinable
  public static func < (a: Deadline, b: Deadline) -> Bool { a.nanoseconds < b.nanoseconds }
}

// In an extension of the protocol, so that `until: .never` resolves for a parameter of any limit type.
extension WaitLimit where Self == Deadline {
  /// No deadline.
  @inlinable public static var never: Deadline { Deadline(nanoseconds: .max) }
  /// The current time.
  @inlinable public static var now: Deadline { Deadline(nanoseconds: csk_monotonic_nanoseconds()) }
  /// A deadline that has passed, earlier than all others. A waiting call with it tries once.
  @inlinable public static var past: Deadline { Deadline(nanoseconds: 0) }

  /// Returns the deadline that is a duration from now. A duration that is too long to count gives ``never``; a negative
  /// duration gives a deadline that has passed. Reads the clock once; with a constant duration it costs nothing else.
  @inlinable @inline(__always)
  public static func after(_ duration: Duration) -> Deadline { now.advanced(by: duration) }
}
