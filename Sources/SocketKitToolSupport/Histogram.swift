/// Counts of durations in two-level buckets, after HdrHistogram: powers of two, each cut into 1024 equal parts, so that
/// every value is known to within 0.1 % and recording one costs an increment.
public struct Histogram: Sendable {
  /// The parts that a power of two is cut into, as a power of two.
  @usableFromInline static var precision: Int { @inlinable get { 10 } }
  /// What is longer (18 minutes, in nanoseconds) is counted as this; ``maximum`` is exact all the same.
  public static var longest: Int64 { @inlinable get { (1 << 40) - 1 } }

  @usableFromInline var counts: [UInt64]
  /// How many values are recorded.
  @inlinable public var count: UInt64 { total }
  @usableFromInline var total: UInt64 = 0
  /// The extremes are exact. 0 when nothing is recorded.
  @inlinable public var minimum: Int64 { total == 0 ? 0 : smallest }
  @inlinable public var maximum: Int64 { largest }
  @usableFromInline var smallest: Int64 = .max
  @usableFromInline var largest: Int64 = 0

  public init() { counts = [UInt64](repeating: 0, count: Self.bucket(of: Self.longest) + 1) }

  /// The bucket of a value from 0 to ``longest``: below 2048 one for each, then 1024 for each power of two.
  @inlinable
  public static func bucket(of value: Int64) -> Int {
    let shift = max(0, 63 - precision - (value | 1).leadingZeroBitCount)
    return (shift << precision) + Int(truncatingIfNeeded: value >> shift)
  }

  /// The values that a bucket counts.
  public static func values(of bucket: Int) -> ClosedRange<Int64> {
    let shift = max(0, (bucket >> precision) - 1)
    let first = Int64(bucket - (shift << precision)) << shift
    return first...(first + (1 << shift) - 1)
  }

  /// Counts one value; a negative one as 0.
  @inlinable
  public mutating func record(_ value: Int64) {
    let value = max(value, 0)
    counts[Self.bucket(of: min(value, Self.longest))] &+= 1
    total &+= 1
    if value < smallest { smallest = value }
    // Not what it is counted as: the extremes are exact.
    if value > largest { largest = value }
  }

  /// Takes in what another has counted.
  public mutating func add(_ other: Histogram) {
    for index in counts.indices { counts[index] += other.counts[index] }
    total += other.total
    smallest = min(smallest, other.smallest)
    largest = max(largest, other.largest)
  }

  /// The smallest value that at least this share of all values (0 to 1) does not exceed, to within a bucket: its
  /// middle. 0 when nothing is recorded.
  public func percentile(_ share: Double) -> Int64 {
    if total == 0 { return 0 }
    let rank = min(total, max(1, UInt64((share * Double(total)).rounded(.up))))
    if rank == total { return maximum }
    var seen: UInt64 = 0
    for index in counts.indices where counts[index] != 0 {
      seen += counts[index]
      if seen >= rank {
        // The last bucket counts whatever is longer than all of its values.
        if index == counts.count - 1 { return maximum }
        let values = Self.values(of: index)
        return min(max((values.lowerBound + values.upperBound) / 2, minimum), maximum)
      }
    }
    return maximum
  }
}
