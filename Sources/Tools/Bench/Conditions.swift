internal import CSocketKitBaseline
internal import Glibc
internal import SocketKitToolSupport

/// The conditions of the measurement. They are printed first, because the results cannot be interpreted without them.
struct Conditions {
  private let entries: [(name: String, value: String)]

  /// Call this before pinning, which changes the set of usable CPUs.
  init(_ options: BenchOptions) {
    let cores = bench_usable_cpus()
    var entries = [
      ("date", Self.date()), ("cpu", Self.cpuModel()),
      ("cores", "\(cores) usable of \(sysconf(Int32(_SC_NPROCESSORS_ONLN))) online"), ("kernel", Self.kernel()),
      ("governor", Self.line("/sys/devices/system/cpu/cpu0/cpufreq/scaling_governor") ?? "not reported by this kernel"),
      ("load", Self.line("/proc/loadavg") ?? "unknown"), ("build", Self.build), ("placement", options.placement),
      ("congestion", Self.line("/proc/sys/net/ipv4/tcp_congestion_control") ?? "unknown"),
      ("rounds", options.roundsText),
    ]
    if cores < 2 || options.pins.map({ $0.server == $0.client }) == true {
      entries.append(("note", "one core for both sides"))
    }
    self.entries = entries
  }

  var text: String {
    let width = entries.map(\.name.count).max() ?? 0
    return entries.map { entry in
      "\(entry.name)\(String(repeating: " ", count: width - entry.name.count))  \(entry.value)\n"
    }.joined()
  }

  var json: JSON { .object(entries.map { JSON.Member($0.name, .string($0.value)) }) }

  private static var build: String {
    #if DEBUG
      "debug: the results are meaningless; build with -c release"
    #else
      "release"
    #endif
  }

  private static func date() -> String {
    let now = CalendarTime.now(.universal)
    return "\(now.date("-"))T\(now.time)Z"
  }

  private static func kernel() -> String {
    var name = utsname()
    // The call fills the structure, whose fields are arrays of characters.
    unsafe uname(&name)
    return unsafe withUnsafeBytes(of: name.release) { release in
      unsafe withUnsafeBytes(of: name.machine) { machine in
        unsafe "Linux \(cText(release.bytes)) \(cText(machine.bytes))"
      }
    }
  }

  private static func cpuModel() -> String {
    for line in readFile("/proc/cpuinfo")?.split(separator: "\n") ?? [] where line.hasPrefix("model name") {
      return String(line.drop { $0 != ":" }.dropFirst(2))
    }
    return "unknown"
  }

  private static func line(_ path: String) -> String? {
    readFile(path)?.split(separator: "\n").first.map(String.init)
  }
}
