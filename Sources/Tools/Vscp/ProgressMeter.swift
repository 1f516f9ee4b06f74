internal import SocketKitCore

/// Displays the progress of a transfer on a terminal: amount, rate and time left.
struct ProgressMeter {
  private let name: String
  /// The size of the file, or nil if it is unknown.
  private let size: UInt64?
  /// The number of bytes that an earlier run transferred.
  private let start: UInt64
  private let console: VscpConsole
  private let began: ContinuousClock.Instant
  private var shown: ContinuousClock.Instant?
  private(set) var done: UInt64

  init(_ name: String, size: UInt64?, start: UInt64 = 0, console: VscpConsole) {
    self.name = name
    self.size = size
    self.start = start
    self.console = console
    done = start
    began = .now
  }

  /// Updates the display, at most five times per second.
  mutating func advance(by count: Int) {
    done += UInt64(count)
    guard console.isWatched else { return }
    let now = ContinuousClock.now
    if let shown, now - shown < .milliseconds(200) { return }
    shown = now
    console.progress(Self.line(name, done: done, size: size, moved: done - start, in: now - began))
  }

  func finish() { console.progress("") }

  static func line(_ name: String, done: UInt64, size: UInt64?, moved: UInt64, in time: Duration) -> String {
    let seconds = Double(time.components.seconds) + Double(time.components.attoseconds) / 1e18
    let rate = seconds > 0 ? Double(moved) / seconds : 0
    var text = name
    if let size, size > 0 { text += "  \(min(100, Int(Double(done) / Double(size) * 100))) %" }
    text += "  \(bytes(Double(done)))"
    if let size { text += " of \(bytes(Double(size)))" }
    text += "  \(bytes(rate))/s"
    if let size, rate > 0, size >= done { text += "  \(clock(Double(size - done) / rate)) left" }
    return text
  }

  private static func bytes(_ count: Double) -> String {
    var (count, unit) = (count, 0)
    let units = ["B", "KiB", "MiB", "GiB", "TiB", "PiB"]
    while count >= 1024 && unit + 1 < units.count {
      count /= 1024
      unit += 1
    }
    return "\(count.fixed(unit == 0 ? 0 : 1)) \(units[unit])"
  }

  private static func clock(_ seconds: Double) -> String {
    guard seconds < 360_000 else { return "over 99 h" }
    let whole = Int(seconds.rounded(.up))
    func two(_ number: Int) -> String { number < 10 ? "0\(number)" : "\(number)" }
    let (hours, minutes) = (whole / 3600, whole / 60 % 60)
    return hours > 0 ? "\(hours):\(two(minutes)):\(two(whole % 60))" : "\(minutes):\(two(whole % 60))"
  }
}
