/// What several runs of the same thing came to: a handful of numbers, so the middle and the extremes say more than a
/// mean.
public struct Spread: Sendable, Equatable {
  public let median: Double
  public let minimum: Double
  public let maximum: Double

  /// nil for no numbers at all.
  public init?(_ numbers: [Double]) {
    let sorted = numbers.sorted()
    guard let first = sorted.first, let last = sorted.last else { return nil }
    minimum = first
    maximum = last
    let middle = sorted.count / 2
    median = sorted.count % 2 == 1 ? sorted[middle] : (sorted[middle - 1] + sorted[middle]) / 2
  }
}
