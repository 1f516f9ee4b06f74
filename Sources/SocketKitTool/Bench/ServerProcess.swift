internal import CSocketKitBaseline
internal import Glibc
internal import SocketKitToolSupport

/// One cell of the comparison: what is measured over what.
struct Composition: Sendable {
  let transport: TransportChoice
  let poller: PollerChoice
}

/// A server in a process of its own. It ends with this value's life, however that comes about; and should this
/// process be killed, with it.
struct ServerProcess: ~Copyable {
  /// Where it listens.
  private(set) var address = ""
  private let process: Int32
  private let page: UnsafeMutableRawPointer

  /// Starts it and waits until it listens.
  /// - Parameter lifetime: seconds after which it ends by itself, so that no measurement can hang: its clients see
  ///   their connections close.
  static func start(
    _ kind: ServerKind, _ composition: Composition, connections: Int, cpu: Int?, lifetime: Int,
    datagrams: DatagramPlan? = nil
  ) throws -> ServerProcess {
    let size = MemoryLayout<bench_counters>.size
    let file = try checked(bench_memory_file(size), "making shared memory")
    defer { close(file) }
    guard let page = bench_map(file, size) else { throw ToolError("cannot map shared memory") }
    var words = [
      "socketkit", "bench-server", "--server", kind.rawValue, "--transport", composition.transport.rawValue, "--poller",
      composition.poller.rawValue, "--connections", "\(connections)", "--parent", "\(getpid())", "--lifetime",
      "\(lifetime)",
    ]
    if let datagrams {
      words += ["--datagrams", datagrams.way.rawValue, "--datagram-size", "\(datagrams.size)"]
      if datagrams.takesTurns { words.append("--turns") }
    }
    if let cpu { words += ["--cpu", "\(cpu)"] }
    var output: Int32 = -1
    let started = withArguments(words) { bench_spawn($0, file, &output) }
    if started < 0 { bench_unmap(page, size) }
    try checked(started, "starting the server")
    var server = ServerProcess(process: started, page: page)
    defer { close(output) }
    let line = readLine(output, milliseconds: 10_000)
    guard line.hasPrefix("ready ") else { throw ToolError("the server did not start") }
    server.address = String(line.dropFirst("ready ".count))
    return server
  }

  private init(process: Int32, page: UnsafeMutableRawPointer) {
    self.process = process
    self.page = page
  }

  deinit {
    _ = bench_end(process)
    bench_unmap(page, MemoryLayout<bench_counters>.size)
  }

  /// What its loop has counted so far. Exact when nothing moves.
  var counters: bench_counters { page.load(as: bench_counters.self) }

  /// CPU time that it has used, user and system, in nanoseconds.
  func cpuTime() throws -> Int64 { try checked(bench_cpu_time(process), "reading the server's CPU time") }

  /// How often it has gone to sleep, by the kernel's count; nil where /proc does not say.
  func sleeps() -> Int? {
    guard
      let line = readFile("/proc/\(process)/status")?.split(separator: "\n")
        .first(where: { $0.hasPrefix("voluntary_ctxt_switches:") })
    else { return nil }
    return Int(line.drop { !$0.isNumber })
  }

  private static func readLine(_ number: Int32, milliseconds: Int32) -> String {
    var bytes: [UInt8] = []
    while bytes.last != UInt8(ascii: "\n") {
      var watched = pollfd(fd: number, events: Int16(POLLIN), revents: 0)
      guard poll(&watched, 1, milliseconds) == 1 else { return "" }
      var byte: UInt8 = 0
      guard read(number, &byte, 1) == 1 else { return "" }
      bytes.append(byte)
    }
    return String(decoding: bytes.dropLast(), as: UTF8.self)
  }
}

/// The words as C wants a program's arguments.
private func withArguments<R>(_ words: [String], _ body: (UnsafePointer<UnsafeMutablePointer<CChar>?>) -> R) -> R {
  var pointers: [UnsafeMutablePointer<CChar>?] = words.map { strdup($0) }
  pointers.append(nil)
  defer { for pointer in pointers { free(pointer) } }
  return body(pointers)
}

/// A small file's text; nil when it cannot be read.
func readFile(_ path: String) -> String? {
  let number = open(path, O_RDONLY | O_CLOEXEC)
  guard number >= 0 else { return nil }
  defer { close(number) }
  var text: [UInt8] = []
  var chunk = [UInt8](repeating: 0, count: 4096)
  while true {
    let count = read(number, &chunk, chunk.count)
    if count <= 0 { break }
    text += chunk[..<count]
  }
  return String(decoding: text, as: UTF8.self)
}
