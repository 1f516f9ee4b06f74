public import CSocketKit

/// A point in time on the monotonic clock (CLOCK_MONOTONIC). Changes of the wall clock do not affect the monotonic
/// clock, and the monotonic clock does not advance while the system is suspended.
///
/// Waiting calls take deadlines and not durations. A loop of several waits can therefore use one deadline for all
/// waits, and does not last longer than the caller requested.
@frozen
public struct Deadline: BitwiseCopyable, Hashable, Comparable, Sendable {
  /// The time of the monotonic clock in nanoseconds. The largest number means "never".
  @usableFromInline let nanoseconds: Int64

  @inlinable
  init(nanoseconds: Int64) { self.nanoseconds = nanoseconds }

  /// Returns the sum of this deadline and a duration. If the duration is a constant, the call compiles to one addition.
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
  /// Whether this is ``WaitLimit/past``. If so, the deadline has passed, and the program need not read the clock.
  @inlinable public var isPast: Bool { nanoseconds == 0 }
  /// Whether the deadline has passed. This property reads the clock, unless the deadline is ``WaitLimit/never``.
  @inlinable public var hasPassed: Bool { nanoseconds != .max && nanoseconds <= csk_monotonic_nanoseconds() }
  /// The time until the deadline, at least zero. It is nil for ``WaitLimit/never``.
  public var remaining: Duration? {
    isNever ? nil : .nanoseconds(max(0, nanoseconds - csk_monotonic_nanoseconds()))
  }
  /// The time until the deadline in nanoseconds, at least 0. It is -1 for ``WaitLimit/never``. This property is for
  /// implementers of pollers, and avoids arithmetic on `Duration`.
  @inlinable public var remainingNanoseconds: Int64 {
    if nanoseconds == .max { return -1 }
    if nanoseconds == 0 { return 0 }
    let left = nanoseconds &- csk_monotonic_nanoseconds()
    return left > 0 ? left : 0
  }

  @inlinable
  public static func < (a: Deadline, b: Deadline) -> Bool { a.nanoseconds < b.nanoseconds }
}

// These members are in an extension of the protocol, so that `until: .never` resolves for a parameter of any limit
// type.
extension WaitLimit where Self == Deadline {
  /// No deadline.
  @inlinable public static var never: Deadline { Deadline(nanoseconds: .max) }
  /// The current time.
  @inlinable public static var now: Deadline { Deadline(nanoseconds: csk_monotonic_nanoseconds()) }
  /// The earliest deadline, which is always in the past. A waiting call with this deadline makes one attempt.
  @inlinable public static var past: Deadline { Deadline(nanoseconds: 0) }

  /// Returns the deadline that lies the given duration after the current time. If the duration is too long to
  /// represent, the result is ``never``. If the duration is negative, the result is a deadline that has passed. This
  /// method reads the clock once. If the duration is a constant, the call has no other cost.
  @inlinable @inline(__always)
  public static func after(_ duration: Duration) -> Deadline { now.advanced(by: duration) }
}
