internal import CSocketKit
internal import CSocketKitBaseline
internal import Glibc
internal import SocketKit
internal import SocketKitToolSupport

/// One combination to measure: a transport and a poller.
struct Composition: Sendable {
  let transport: TransportChoice
  let poller: PollerChoice
}

/// A server in its own process. The server is killed when this value is destroyed, and also if the bench's process is
/// killed.
struct ServerProcess: ~Copyable {
  /// The address on which the server listens.
  private(set) var address = ""
  let process: Int32
  private let page: SharedCounters
  private let limit: TimeLimit

  /// Starts the server and waits until it listens. The server exits on its own some time after the limit, independently
  /// of this process.
  static func start(
    _ kind: ServerKind, _ composition: Composition, connections: Int, setting: RunSetting,
    datagrams: DatagramPlan? = nil
  ) throws -> ServerProcess {
    let file = try checked(bench_memory_file(SharedCounters.byteCount), "creating shared memory")
    defer { close(file) }
    guard let page = SharedCounters(memoryFile: file) else { throw ToolError("cannot map shared memory") }
    var words =
      setting.program.words + [
        "--server", kind.rawValue, "--transport", composition.transport.rawValue, "--poller",
        composition.poller.rawValue, "--connections", "\(connections)", "--parent", "\(getpid())", "--lifetime",
        "\(Int(setting.limit.seconds) + 30)",
      ]
    if let datagrams {
      words += ["--datagrams", datagrams.way.rawValue, "--datagram-size", "\(datagrams.size)"]
      if datagrams.takesTurns { words.append("--turns") }
    }
    if let cpu = setting.cpu { words += ["--cpu", "\(cpu)"] }
    var output: Int32 = -1
    // The function uses the strings only during the call, and stores the descriptor of the pipe.
    let started = unsafe withArguments(words) { unsafe bench_spawn(setting.program.path, $0, file, &output) }
    // Nothing else uses the page yet.
    if started < 0 { unsafe page.unmap() }
    try checked(started, "starting the server \(setting.program.path)")
    setting.limit.watch(server: started)
    var server = ServerProcess(process: started, page: page, limit: setting.limit)
    defer { close(output) }
    let line = readLine(output, milliseconds: 10_000)
    guard line.hasPrefix("ready ") else {
      let cause = server.end(within: 0.2).map { "it \($0)" } ?? "it did not report its address within 10 s"
      throw ToolError("the server did not start: \(cause)")
    }
    server.address = String(line.dropFirst("ready ".count))
    return server
  }

  private init(process: Int32, page: SharedCounters, limit: TimeLimit) {
    self.process = process
    self.page = page
    self.limit = limit
  }

  deinit {
    limit.end(server: process)
    // Only this value uses the page.
    unsafe page.unmap()
  }

  /// Applies a load to the server.
  /// - Throws: the errors of the load, with the server's exit status if the server has exited. Also throws if the load
  ///   succeeds but the server has exited.
  func under<R>(_ load: () throws -> R) throws -> R {
    let outcome = Result { try load() }
    switch outcome {
    case .success(let value):
      if let end = Self.end(of: process) { throw ToolError("the server \(end)") }
      return value
    case .failure(let error):
      if !limit.isOver, Self.isLoss(error), let end = end(within: 1) { throw ToolError("the server \(end): \(error)") }
      throw error
    }
  }

  /// Applies a load. Returns the load's result and the server's resource usage during the load.
  func use<R>(by load: () throws -> R) throws -> (R, ServerUse) {
    let before = ServerUse(counters, cpu: try cpuTime())
    let value = try load()
    return (value, ServerUse(counters, cpu: try cpuTime()) - before)
  }

  /// The counts of the server's loop. They are exact when the server is idle.
  var counters: bench_counters { page.values }

  /// Returns the server's CPU time, user and system, in nanoseconds.
  func cpuTime() throws -> Int64 { try checked(bench_cpu_time(process), "reading the server's CPU time") }

  /// Returns the number of times that the server's threads went to sleep, according to the kernel, or nil if /proc does
  /// not report it.
  func sleeps() -> Int? {
    let folder = "/proc/\(process)/task"
    guard let names = entryNames(folder) else { return nil }
    var sum: Int?
    for name in names where Int32(name) != nil {
      let lines = readFile("\(folder)/\(name)/status")?.split(separator: "\n") ?? []
      guard let line = lines.first(where: { $0.hasPrefix("voluntary_ctxt_switches:") }),
        let count = Int(line.drop { !$0.isNumber })
      else { return nil }
      sum = (sum ?? 0) + count
    }
    return sum
  }

  private static func isLoss(_ error: any Error) -> Bool {
    if case .lost = error as? LoadError { return true }
    return error is SocketError
  }

  /// Returns how the server exited, or nil if it is still running. Waits up to a time limit, because the server's
  /// connections close before the kernel reports the exit.
  private func end(within seconds: Double) -> String? {
    let deadline = csk_monotonic_nanoseconds() + Int64(seconds * 1e9)
    while true {
      if let end = Self.end(of: process) { return end }
      if csk_monotonic_nanoseconds() >= deadline { return nil }
      usleep(2000)
    }
  }

  /// Returns how a child process exited, or nil if it is still running.
  static func end(of process: Int32) -> String? {
    var status: Int32 = 0
    // The function stores the status during the call.
    switch unsafe bench_ended(process, &status) {
    case 0: return nil
    case 1: return "exited with status \(status)"
    case 2: return "was killed by signal \(status)"
    default: return "was not found"
    }
  }

  private static func readLine(_ number: Int32, milliseconds: Int32) -> String {
    var bytes: [UInt8] = []
    while bytes.last != UInt8(ascii: "\n") {
      guard waitForEvent(POLLIN, of: number, milliseconds: milliseconds) else { return "" }
      var byte: [UInt8] = [0]
      guard readBytes(number, into: &byte) == 1 else { return "" }
      bytes += byte
    }
    return String(decoding: bytes.dropLast(), as: UTF8.self)
  }
}

/// Passes the arguments to `body` as a C array of strings, which exists until the body returns.
private func withArguments<R>(_ words: [String], _ body: (UnsafePointer<UnsafeMutablePointer<CChar>?>) -> R) -> R {
  // Each copy is freed once, after the call.
  var pointers: [UnsafeMutablePointer<CChar>?] = unsafe words.map { unsafe strdup($0) }
  unsafe pointers.append(nil)
  defer { for index in unsafe pointers.indices { unsafe free(pointers[index]) } }
  return unsafe body(pointers)
}
