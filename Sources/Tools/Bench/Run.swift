internal import SocketKitToolSupport

/// The result of one run of one server. A number is nil if the run is too short to measure it.
struct Run: Sendable {
  /// Percentiles of the round-trip time in microseconds.
  let p50, p90, p99, p999: Double?
  /// The longest round trip, available for runs of any length.
  let maximum: Double
  /// The number of messages per second.
  let rate: Double?
  /// The server's CPU time, user and system, in microseconds per message.
  let cpu: Double?
  /// The server's system calls per message, and the events per wait.
  let calls, eventsPerWait: Double?

  /// - Parameter elapsed: the time in nanoseconds in which the messages of the histogram were exchanged.
  init(_ histogram: Histogram, elapsed: Int64, use: ServerUse) {
    func microseconds(_ share: Double) -> Double? {
      Sample.supports(share, of: histogram.count) ? Double(histogram.percentile(share)) / 1000 : nil
    }
    let messages = Double(max(1, histogram.count))
    p50 = microseconds(0.5)
    p90 = microseconds(0.9)
    p99 = microseconds(0.99)
    p999 = microseconds(0.999)
    maximum = Double(histogram.maximum) / 1000
    rate = elapsed >= Sample.leastTime ? messages / (Double(elapsed) / 1e9) : nil
    cpu = use.cpu >= Sample.leastCPU ? Double(use.cpu) / 1000 / messages : nil
    let isLong = histogram.count >= Sample.leastMessages
    calls = isLong ? Double(use.calls) / messages : nil
    eventsPerWait = isLong && use.waits > 0 ? Double(use.events) / Double(use.waits) : nil
  }

  var json: JSON {
    [
      "p50": .number(p50), "p90": .number(p90), "p99": .number(p99), "p99.9": .number(p999), "max": .number(maximum),
      "rate": .number(rate), "cpu": .number(cpu), "calls": .number(calls), "eventsPerWait": .number(eventsPerWait),
    ]
  }
}
