internal import Glibc
internal import SocketKit
internal import Synchronization

// Random operations over several transports: Tests/Long/README.md says what must hold.

private let usage = """
  Tests/Long/run stress [OPTIONS]
    --operations N   how many to do (1000000)
    --seconds N      begin no session after so long
    --seed N         the same sessions again, as far as threads allow (random)
    --workers N      sessions at a time (2)
    --only LIST      transports, separated by commas: tcp, unix, packets, datagrams, udp
    --session N      only the session with this seed, over the one transport of --only
  Exit status: 0 when nothing was lost, doubled or left behind, 1 otherwise.
  """

private struct Options {
  var operations = 1_000_000
  var seconds: Int?
  var seed = UInt64.random(in: 0..<1 << 32)
  var workers = 2
  var kinds = Kind.allCases
  var session: UInt64?

  init(_ words: [String]) {
    var rest = words[...]
    while let word = rest.popFirst() {
      if word == "--help" || word == "-h" {
        print(usage)
        exit(0)
      }
      guard let value = rest.popFirst() else { Self.misuse("\(word) needs a value") }
      let number = UInt64(value)
      switch (word, number) {
      case ("--operations", let number?): operations = Int(clamping: number)
      case ("--seconds", let number?): seconds = Int(clamping: min(number, 1 << 30))
      case ("--seed", let number?): seed = number
      case ("--workers", let number?): workers = max(1, Int(clamping: min(number, 64)))
      case ("--session", let number?): session = number
      case ("--only", _):
        kinds = value.split(separator: ",").map { name in
          guard let kind = Kind(rawValue: String(name)) else { Self.misuse("no transport \(name)") }
          return kind
        }
      default: Self.misuse("\(word) \(value)")
      }
    }
  }

  private static func misuse(_ text: String) -> Never {
    print("stress: not understood: \(text)\n\(usage)")
    exit(2)
  }
}

private enum Kind: String, CaseIterable {
  case tcp, unix, packets, datagrams, udp

  /// Makes a pair of sockets and runs a session over it.
  func run(seed: UInt64, _ ledger: Ledger) throws {
    switch self {
    case .tcp:
      let listener = try TCPSocket.listen(on: .loopback(port: 0))
      let client = try TCPSocket.connect(to: listener.localAddress(), until: .after(.seconds(20)))
      let server = try listener.accept(until: .after(.seconds(20)))
      runStreams(Session(rawValue, seed: seed, passes: false, ledger), SocketPair(client, server))
    case .unix:
      runStreams(Session(rawValue, seed: seed, passes: true, ledger), try UnixStreamSocket.pair())
    case .packets:
      runMessages(Session(rawValue, seed: seed, passes: true, ledger), try UnixSequencedPacketSocket.pair())
    case .datagrams:
      runMessages(Session(rawValue, seed: seed, passes: true, ledger), try UnixDatagramSocket.pair())
    case .udp:
      let first = try UDPSocket.bind(to: .loopback(port: 0))
      let second = try UDPSocket.connect(to: first.localAddress(), from: .loopback(port: 0))
      try first.connect(to: second.localAddress())
      runMessages(Session(rawValue, seed: seed, passes: false, ledger), SocketPair(first, second))
    }
  }
}

/// Runs sessions until so many operations are done.
private func work(_ options: Options, _ ledger: Ledger, _ sessions: Guarded<Int>, upTo share: Int) {
  let threads = (0..<options.workers).map { _ in
    RunningThread {
      while !ledger.isOver(atMost: share) {
        let number = sessions.withLock { number in
          number += 1
          return number
        }
        let seed = options.session ?? SeededRandom.mix(options.seed &+ UInt64(number))
        var random = SeededRandom(seed: seed)
        let kind = options.kinds[random.below(options.kinds.count)]
        do {
          try kind.run(seed: seed, ledger)
        } catch {
          ledger.fail("\(kind.rawValue), session seed \(seed): no pair of sockets: \(error)")
        }
        if options.session != nil { return }
      }
    }
  }
  for thread in threads { thread.join() }
}

@main
struct Stress {
  static func main() {
    let options = Options(Array(CommandLine.arguments.dropFirst()))
    print("seed \(options.seed)")
    let began = nanoseconds()
    let ledger = Ledger(limit: options.operations, seconds: options.seconds)
    _ = RunningThread { ledger.watch(options.seed) }
    let sessions = Guarded(0)
    // What is made once and stays, such as the arenas of malloc, is made in the first tenth.
    work(options, ledger, sessions, upTo: min(options.operations / 10, 20_000))
    let before = Resources.now()
    work(options, ledger, sessions, upTo: options.operations)
    let after = Resources.now()
    let growth = options.session == nil ? after.growth(since: before) : []
    let seconds = Double(nanoseconds() - began) / 1e9
    for total in ledger.totals { print("\(total.count)\t\(total.name)") }
    print(
      """
      \(ledger.done) operations in \(sessions.withLock { $0 }) sessions, \((seconds * 10).rounded() / 10) s; \
      descriptors \(after.descriptors), threads \(after.threads), heap \(before.heap) -> \(after.heap), \
      resident \(before.resident >> 10) KiB -> \(after.resident >> 10) KiB
      """)
    for fault in ledger.failures + growth { print("FAIL \(fault)") }
    if ledger.failures.isEmpty && growth.isEmpty {
      print("ok   no byte, message, descriptor or thread was lost")
      exit(0)
    }
    print("again: Tests/Long/run stress --seed \(options.seed) --operations \(options.operations)")
    exit(1)
  }
}
