internal import CSocketKitBaseline
internal import Glibc
internal import SocketKit
internal import SocketKitToolSupport

extension Command {
  /// Runs a server process. `bench` starts this command and passes the shared memory of the counters as descriptor 3.
  /// The command prints one line, "ready ADDRESS", which `bench` reads.
  static let benchServer = Command(
    name: "bench-server", summary: "the server process of bench", help: "Only socketkit bench starts this command.\n",
    isHidden: true
  ) { arguments in
    var arguments = arguments
    guard let kind = try arguments.names("--server", of: ServerKind.self)?.first,
      let transport = try arguments.names("--transport", of: TransportChoice.self)?.first,
      let poller = try arguments.names("--poller", of: PollerChoice.self)?.first,
      let capacity = try arguments.integer("--connections", in: 1...1_000_000),
      let parent = try arguments.integer("--parent", in: 1...Int(Int32.max)),
      let lifetime = try arguments.integer("--lifetime", in: 1...100_000_000)
    else { throw ToolError.usage("only socketkit bench starts this command") }
    let cpu = try arguments.integer("--cpu", in: 0...1023)
    let way = try arguments.names("--datagrams", of: DatagramWay.self)?.first
    let size = try arguments.integer("--datagram-size", in: 1...65536)
    let takesTurns = arguments.flag("--turns")
    try arguments.finish()
    // This process is killed when its parent ends, and at the latest when its time limit passes.
    if bench_die_with(Int32(parent)) < 0 { return 1 }
    alarm(UInt32(lifetime))
    if let cpu { try checked(bench_pin(Int32(cpu)), "pinning to cpu \(cpu)") }
    _ = bench_raise_descriptor_limit()
    guard let counters = SharedCounters(memoryFile: 3) else { throw ToolError("cannot map the counters") }
    if let way, let size {
      let plan = DatagramPlan(way, size: size)
      if takesTurns { try checked(bench_take_turns(1), "setting SCHED_BATCH") }
      try DatagramServerTask(kind: kind, plan: plan, counters: counters).run(with: poller)
      return 1
    }
    try ServerTask(kind: kind, capacity: capacity, counters: counters).run(over: transport, with: poller)
    return 1
  }
}

private struct ServerTask: CompositionTask {
  let kind: ServerKind
  let capacity: Int
  let counters: SharedCounters
  private static var bufferSize: Int { 65536 }

  func run<S: BenchTransport & ~Copyable, P: BenchPoller & ~Copyable>(_: S.Type, _: P.Type) throws {
    switch kind {
    case .swift:
      let listener = try S.listen(on: try S.benchAddress(), configure: S.tune)
      try Terminal.print("ready \(listener.localAddress())\n")
      // Add one slot, so that the slab is never full and the server never stops accepting.
      var server = try EchoServer<S, P>(listener, capacity: capacity + 1, counters: counters)
      try server.run(bufferSize: Self.bufferSize)
    case .c:
      let listener = try S.baselineListener()
      try Terminal.print("ready \(listener.address)\n")
      // Use the same number of events per wait as the Swift poller.
      let events = Int32(EpollPoller.configuration(capacity: capacity + 1).eventsPerWait)
      // The page stays mapped until this process ends.
      let result = unsafe counters.withPointer {
        unsafe baseline_serve(listener.descriptor, events, Self.bufferSize, $0)
      }
      try checked(result, "serving in C")
    }
  }
}

private struct DatagramServerTask: DatagramTask {
  let kind: ServerKind
  let plan: DatagramPlan
  let counters: SharedCounters

  func run<S: BenchDatagrams & ~Copyable, P: BenchPoller & ~Copyable>(_: S.Type, _: P.Type) throws {
    switch kind {
    case .swift:
      let socket = try S.bind(to: try S.benchAddress()) { (socket) throws(SocketError) in
        try socket.setOption(.receiveBuffer, to: DatagramPlan.receiveBuffer)
      }
      try Terminal.print("ready \(socket.localAddress())\n")
      var server = try DatagramServer<S, P>(socket, counters: counters)
      try server.run(plan)
    case .c:
      let socket = try S.baselineSocket()
      try Terminal.print("ready \(socket.address)\n")
      // The page stays mapped until this process ends.
      let result = unsafe counters.withPointer {
        unsafe baseline_serve_datagrams(socket.descriptor, plan.way.baseline, plan.size, UInt32(plan.batch), $0)
      }
      try checked(result, "serving datagrams in C")
    }
  }
}
