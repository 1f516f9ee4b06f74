/// A histogram of durations with two-level buckets, modelled on HdrHistogram. Each power of two is divided into 1024
/// equal buckets, so every value is known to within 0.1 %, and recording a value costs one increment.
public struct Histogram: Sendable {
  /// The base-2 logarithm of the number of buckets per power of two.
  @usableFromInline static var precision: Int { @inlinable get { 10 } }
  /// The longest duration that has its own bucket (18 minutes, in nanoseconds). Longer durations are counted in the
  /// last bucket; ``maximum`` is exact in either case.
  public static var longest: Int64 { @inlinable get { (1 << 40) - 1 } }

  @usableFromInline var counts: [UInt64]
  /// The number of recorded values.
  @inlinable public var count: UInt64 { total }
  @usableFromInline var total: UInt64 = 0
  /// The exact minimum and maximum; 0 if no values are recorded.
  @inlinable public var minimum: Int64 { total == 0 ? 0 : smallest }
  @inlinable public var maximum: Int64 { largest }
  @usableFromInline var smallest: Int64 = .max
  @usableFromInline var largest: Int64 = 0

  public init() { counts = [UInt64](repeating: 0, count: Self.bucket(of: Self.longest) + 1) }

  /// Returns the bucket of a value from 0 to ``longest``. Values below 2048 have one bucket each; above that, each
  /// power of two has 1024 buckets.
  @inlinable
  public static func bucket(of value: Int64) -> Int {
    let shift = max(0, 63 - precision - (value | 1).leadingZeroBitCount)
    return (shift << precision) + Int(truncatingIfNeeded: value >> shift)
  }

  /// Returns the range of values that a bucket counts.
  public static func values(of bucket: Int) -> ClosedRange<Int64> {
    let shift = max(0, (bucket >> precision) - 1)
    let first = Int64(bucket - (shift << precision)) << shift
    return first...(first + (1 << shift) - 1)
  }

  /// Records one value; a negative value is counted as 0.
  @inlinable
  public mutating func record(_ value: Int64) {
    let value = max(value, 0)
    counts[Self.bucket(of: min(value, Self.longest))] &+= 1
    total &+= 1
    if value < smallest { smallest = value }
    // Compare the value, not its bucket: the minimum and maximum are exact.
    if value > largest { largest = value }
  }

  /// Adds the counts of another histogram to this one.
  public mutating func add(_ other: Histogram) {
    for index in counts.indices { counts[index] += other.counts[index] }
    total += other.total
    smallest = min(smallest, other.smallest)
    largest = max(largest, other.largest)
  }

  /// Returns a percentile: at least the given share (0 to 1) of all values is less than or equal to the result. The
  /// result is rounded to the middle of its bucket. Returns 0 if no values are recorded.
  public func percentile(_ share: Double) -> Int64 {
    if total == 0 { return 0 }
    let rank = min(total, max(1, UInt64((share * Double(total)).rounded(.up))))
    if rank == total { return maximum }
    var seen: UInt64 = 0
    for index in counts.indices where counts[index] != 0 {
      seen += counts[index]
      if seen >= rank {
        // The last bucket also counts values that are longer than its range.
        if index == counts.count - 1 { return maximum }
        let values = Self.values(of: index)
        return min(max((values.lowerBound + values.upperBound) / 2, minimum), maximum)
      }
    }
    return maximum
  }
}
