import SocketKitToolSupport
import Testing

@Suite struct HistogramTests {
  @Test func smallValuesHaveABucketEach() {
    for value in 0..<2048 as Range<Int64> {
      #expect(Histogram.bucket(of: value) == Int(value))
      #expect(Histogram.values(of: Int(value)) == value...value)
    }
  }

  @Test func bucketsFollowEachOtherWithoutGapOrOverlap() {
    var next: Int64 = 0
    for bucket in 0...Histogram.bucket(of: Histogram.longest) {
      let values = Histogram.values(of: bucket)
      #expect(values.lowerBound == next)
      #expect(Histogram.bucket(of: values.lowerBound) == bucket)
      #expect(Histogram.bucket(of: values.upperBound) == bucket)
      next = values.upperBound + 1
    }
    #expect(next == Histogram.longest + 1)
  }

  @Test func everyBucketIsWithinAThousandth() {
    for bucket in stride(from: 2048, through: Histogram.bucket(of: Histogram.longest), by: 7) {
      let values = Histogram.values(of: bucket)
      #expect(Double(values.upperBound - values.lowerBound) <= Double(values.lowerBound) / 1000)
    }
  }

  @Test func percentilesOfAKnownSeries() {
    var histogram = Histogram()
    for value in 1...1000 as ClosedRange<Int64> { histogram.record(value) }
    #expect(histogram.count == 1000)
    #expect(histogram.percentile(0) == 1)
    #expect(histogram.percentile(0.5) == 500)
    #expect(histogram.percentile(0.9) == 900)
    #expect(histogram.percentile(0.99) == 990)
    #expect(histogram.percentile(0.999) == 999)
    #expect(histogram.percentile(1) == 1000)
  }

  @Test func aPercentileNeverExceedsTheExactExtremes() {
    var histogram = Histogram()
    histogram.record(1_000_001)
    #expect(histogram.percentile(0.5) == 1_000_001)
    #expect(histogram.minimum == 1_000_001)
    #expect(histogram.maximum == 1_000_001)
  }

  @Test func emptyAndOutOfRange() {
    var histogram = Histogram()
    #expect(histogram.percentile(0.5) == 0)
    #expect(histogram.minimum == 0)
    histogram.record(-5)
    histogram.record(.max)
    #expect(histogram.minimum == 0)
    #expect(histogram.maximum == .max)
    #expect(histogram.percentile(1) == .max)
    histogram.record(.max - 1)
    // Two of three are longer than every bucket: the longest is the only one that is known.
    #expect(histogram.percentile(0.5) == .max)
  }

  @Test func addingEqualsRecordingAll() {
    var first = Histogram()
    var second = Histogram()
    var all = Histogram()
    for value in stride(from: 3, to: 9_000_000, by: 4321) as StrideTo<Int64> {
      if value % 2 == 0 { first.record(value) } else { second.record(value) }
      all.record(value)
    }
    first.add(second)
    #expect(first.count == all.count)
    #expect(first.minimum == all.minimum)
    for share in [0.01, 0.5, 0.9, 0.999, 1] { #expect(first.percentile(share) == all.percentile(share)) }
  }
}
