internal import CSocketKitBaseline
internal import SocketKitToolSupport

/// What one run of one server came to.
struct Run: Sendable {
  /// Round trips in microseconds.
  let p50, p90, p99, p999, maximum: Double
  /// Messages a second.
  let rate: Double
  /// The server's CPU time, user and system, in microseconds a message.
  let cpu: Double
  /// The server's system calls a message.
  let calls: Double

  /// - Parameters:
  ///   - elapsed: nanoseconds in which the messages of the histogram went there and back.
  ///   - cpu: CPU time in nanoseconds for each message.
  init(_ histogram: Histogram, elapsed: Int64, cpuPerMessage: Double, calls: UInt64) {
    func microseconds(_ share: Double) -> Double { Double(histogram.percentile(share)) / 1000 }
    let messages = Double(max(1, histogram.count))
    p50 = microseconds(0.5)
    p90 = microseconds(0.9)
    p99 = microseconds(0.99)
    p999 = microseconds(0.999)
    maximum = microseconds(1)
    rate = messages / (Double(max(1, elapsed)) / 1e9)
    cpu = cpuPerMessage / 1000
    self.calls = Double(calls) / messages
  }

  var json: JSON {
    [
      "p50": .number(p50), "p90": .number(p90), "p99": .number(p99), "p99.9": .number(p999), "max": .number(maximum),
      "rate": .number(rate), "cpu": .number(cpu), "calls": .number(calls),
    ]
  }
}

extension bench_counters {
  /// All system calls that the loop has made.
  var calls: UInt64 { waits + hidden + reads + writes + accepts + controls }
}

/// The same load on our server, on the C server, and on the C server once more: the last tells how much two runs of the
/// same thing differ here and now.
struct Comparison: Sendable {
  private(set) var ours: [Run] = []
  private(set) var baseline: [Run] = []
  private(set) var baselineAgain: [Run] = []

  /// Runs so many rounds. Each has all three, in turning order, so that none always comes first or after the same one.
  init(rounds: Int, _ run: (ServerKind, _ round: Int) throws -> Run) throws {
    for round in 0..<rounds {
      for step in 0..<3 {
        switch (round + step) % 3 {
        case 0: baseline.append(try run(.c, round))
        case 1: ours.append(try run(.swift, round))
        default: baselineAgain.append(try run(.c, round))
        }
      }
    }
  }

  /// One number of these runs divided by the C server's in the same round.
  func ratios(of runs: [Run], _ number: (Run) -> Double) -> [Double] {
    zip(runs, baseline).map { number($0) / number($1) }
  }
}
