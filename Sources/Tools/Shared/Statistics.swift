/// A summary of the results of several runs. It contains the median and the extremes, because for a small number of
/// results they are more informative than the mean.
public struct Spread: Sendable, Equatable {
  public let median: Double
  public let minimum: Double
  public let maximum: Double

  /// Returns nil if there are no numbers.
  public init?(_ numbers: [Double]) {
    let sorted = numbers.sorted()
    guard let first = sorted.first, let last = sorted.last else { return nil }
    minimum = first
    maximum = last
    let middle = sorted.count / 2
    median = sorted.count % 2 == 1 ? sorted[middle] : (sorted[middle - 1] + sorted[middle]) / 2
  }
}
