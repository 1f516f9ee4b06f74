internal import CSocketKitBaseline
internal import SocketKitToolSupport

/// The load applied to the servers.
enum LoadChoice: String, CaseIterable, Sendable {
  case pingpong, fan, hold, idle
  case sameThread = "same-thread"
  case udpEcho = "udp-echo"

  var defaultConnections: Int {
    switch self {
    case .pingpong, .sameThread, .udpEcho: 1
    case .fan: 64
    case .hold: 10_000
    case .idle: 1_000
    }
  }

  /// The default message count, small enough that the default run ends within a minute.
  var defaultMessages: Int {
    switch self {
    case .pingpong, .sameThread: 8_000
    case .fan: 40_000
    case .hold: 20_000
    case .idle, .udpEcho: 0
    }
  }

  var defaultSizes: [Int] { self == .udpEcho ? [64, 1200] : [64] }
}

/// The command-line options of `bench`.
struct BenchOptions: Sendable {
  let loads: [LoadChoice]
  let transports: [TransportChoice]
  /// Whether the command line names transports or pollers. Every named transport and poller must be measured.
  let namesTransports, namesPollers: Bool
  let pollers: [PollerChoice]
  /// The number of rounds. The default for hold and idle is two rounds: the first round starts with the C server, and
  /// the second round starts with SocketKit's server.
  private let rounds: Int?
  let json: Bool
  /// The CPU numbers of server and client; nil lets the kernel choose.
  let pins: (server: Int, client: Int)?
  private let sizes: [Int]?
  private let messages: Int?
  private let connections: Int?
  /// Values that tests replace.
  var program = ServerProgram()
  var relay: Relay?
  /// The time limit of a run in seconds; nil derives it from the load.
  var limit: Double?
  var idleMilliseconds = 1000
  /// The maximum time for a server to become idle after its last reply.
  var settlingMilliseconds = 2000
  var ways = DatagramWay.allCases
  var checksCalls = true

  init(_ given: Arguments) throws(ToolError) {
    var arguments = given
    let named: [TransportChoice]? = try arguments.names("--transport")
    let transports = named ?? TransportChoice.allCases
    self.transports = transports
    namesTransports = named != nil
    loads = try arguments.names("--load") ?? [.pingpong, .fan] + (transports.contains(.udp) ? [.udpEcho] : [])
    let namedPollers: [PollerChoice]? = try arguments.names("--poller")
    pollers = namedPollers ?? PollerChoice.allCases
    namesPollers = namedPollers != nil
    sizes = try arguments.integers("--size", in: 1...1_048_576)
    messages = try arguments.integer("--messages", in: 1...100_000_000)
    connections = try arguments.integer("--connections", in: 1...1_000_000)
    rounds = try arguments.integer("--pairs", in: 1...1000)
    json = arguments.flag("--json")
    let largest = sizes?.max() ?? 0
    if largest > 65507, loads.contains(.udpEcho) || transports.contains(.udp) && loads.contains(.pingpong) {
      throw .usage("--size: a datagram has at most 65507 bytes")
    }
    pins = try Self.pins(arguments.optionalValue("--pin") { $0.contains(",") && $0.first?.isNumber == true })
    try arguments.finish()
  }

  private static func pins(_ text: String?) throws(ToolError) -> (server: Int, client: Int)? {
    guard let text else { return nil }
    if text.isEmpty { return (0, 1) }
    let parts = text.split(separator: ",", omittingEmptySubsequences: false)
    guard parts.count == 2, let server = Int(parts[0]), let client = Int(parts[1]), server >= 0, client >= 0,
      server < 1024, client < 1024
    else { throw .usage("--pin: \"\(text)\" is not a pair of cpu numbers SERVER,CLIENT") }
    return (server, client)
  }

  /// Returns the reason why a transport is not measured, or nil if it is measured.
  func unavailable(_ transport: TransportChoice, for load: LoadChoice) -> String? {
    // Check this first, so that no vsock socket is created unless the user asks for it.
    if transport == .vsock && !namesTransports { return "measured only with --transport vsock" }
    return transport.unavailable(for: load)
  }

  /// Returns the pollers of a load. udp-echo has many rows per poller and therefore uses only epoll, unless the command
  /// line names pollers.
  func pollers(for load: LoadChoice) -> [PollerChoice] { load == .udpEcho && !namesPollers ? [.epoll] : pollers }

  func rounds(_ load: LoadChoice) -> Int {
    rounds ?? (load == .hold || load == .idle ? 2 : 3)
  }

  /// Runs one server under one load, with a time limit that is much longer than a slow machine needs.
  func run<R: Sendable>(
    _ kind: ServerKind, connections: Int, size: Int, messages: Int, cpu: Int? = nil,
    _ body: @escaping @Sendable (RunSetting) throws -> R
  ) throws -> R {
    let work = Double(connections) * 1e-3 + Double(messages) * (2e-4 + Double(size) * 2e-8)
    do {
      return try TimeLimit.run(seconds: limit ?? 60 + work.rounded(.up)) {
        [program, relay, server = pins?.server] limit in
        try body(RunSetting(program: program, cpu: cpu ?? server, limit: limit, relay: relay))
      }
    } catch {
      throw ToolError("\(kind.label): \(error)")
    }
  }

  func sizes(_ load: LoadChoice) -> [Int] { sizes ?? load.defaultSizes }
  /// The number of datagrams in a run of udp-echo; nil makes a run last a quarter of a second.
  var echoDatagrams: Int? { messages }
  func messages(_ load: LoadChoice, connections: Int) -> Int { max(messages ?? load.defaultMessages, connections) }
  func connections(_ load: LoadChoice) -> Int {
    load.defaultConnections == 1 ? 1 : connections ?? load.defaultConnections
  }

  var roundsText: String {
    var counts: [Int: [String]] = [:]
    for load in loads { counts[rounds(load), default: []].append(load.rawValue) }
    let parts = counts.sorted { $0.key > $1.key }.map { "\($0.key) of \($0.value.joined(separator: ", "))" }
    return parts.joined(separator: "; ") + "; the order changes with each round; every run starts its own server"
  }

  /// Describes the CPUs of the two sides. On machines with few cores the placement determines the results.
  var placement: String {
    guard let pins else {
      return "not pinned: the kernel chooses the cpus, and may at times run both sides on one core"
    }
    if pins.server == pins.client { return "pinned: server and client share cpu \(pins.server)" }
    return "pinned: server on cpu \(pins.server), client on cpu \(pins.client)"
  }
}
