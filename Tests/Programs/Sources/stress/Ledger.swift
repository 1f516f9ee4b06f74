internal import Glibc
internal import SocketKit
internal import Synchronization

/// What the whole run has done and found. One per process.
final class Ledger: Sendable {
  let limit: Int
  private let end: Int
  private let operations = Atomic<Int>(0)
  private let failed = Atomic<Bool>(false)
  private let texts = Guarded<[String]>([])
  private let counts = Guarded<[String: Int]>([:])
  private let actors = Guarded<[ObjectIdentifier: Actor]>([:])

  /// - Parameters:
  ///   - limit: operations to do.
  ///   - seconds: and no more after so long.
  init(limit: Int, seconds: Int?) {
    self.limit = limit
    end = seconds.map { nanoseconds() + $0 * 1_000_000_000 } ?? .max
  }

  var done: Int { operations.load(ordering: .relaxed) }
  var failures: [String] { texts.withLock { $0 } }
  /// How often each thing was done, by name.
  var totals: [(name: String, count: Int)] {
    counts.withLock { $0.sorted { $0.key < $1.key }.map { ($0.key, $0.value) } }
  }

  /// Whether no further operation is to be begun: enough of them, out of time, or a failure.
  func isOver(atMost share: Int) -> Bool {
    done >= share || failed.load(ordering: .relaxed) || nanoseconds() >= end
  }

  func fail(_ text: String) {
    failed.store(true, ordering: .relaxed)
    texts.withLock { $0.append(text) }
  }

  func enter(_ actor: Actor) { actors.withLock { $0[ObjectIdentifier(actor)] = actor } }

  func leave(_ actor: Actor) {
    actors.withLock { $0[ObjectIdentifier(actor)] = nil }
    counts.withLock { counts in
      for (name, count) in actor.tally { counts[name, default: 0] += count }
    }
  }

  func countOperation() { operations.add(1, ordering: .relaxed) }

  /// What every thread is at, and for how long.
  var state: [String] { actors.withLock { $0.values.map(\.state).sorted() } }

  /// Ends the process when nothing has been done for half a minute: some operation hangs. Runs for ever.
  func watch(_ seed: UInt64) {
    var last = -1
    var quiet = 0
    while true {
      sleep(1)
      let now = done
      quiet = now == last ? quiet + 1 : 0
      last = now
      if quiet < 30 { continue }
      print("FAIL hang: nothing was done for 30 s after \(now) operations with --seed \(seed)")
      for line in state { print("  \(line)") }
      exit(1)
    }
  }
}

/// One thread of a session: what it does now, and what it has done.
final class Actor: @unchecked Sendable {
  let name: String
  let ledger: Ledger
  private let operation = Guarded<(name: String, began: Int)>(("", 0))
  // Only the own thread's.
  fileprivate var tally: [String: Int] = [:]

  init(_ name: String, _ ledger: Ledger) {
    self.name = name
    self.ledger = ledger
    ledger.enter(self)
  }

  var state: String {
    operation.withLock { "\(name): \($0.name) for \((nanoseconds() - $0.began) / 1_000_000) ms" }
  }

  func fail(_ text: String) { ledger.fail("\(name): \(text)") }

  func count(_ what: String, _ number: Int = 1) { tally[what, default: 0] += number }

  /// Does one operation, which may take so long and what a busy machine adds.
  func perform<R>(_ what: String, within time: Duration, _ body: () -> R) -> R {
    let began = nanoseconds()
    operation.withLock { $0 = (what, began) }
    let result = body()
    let took = Duration.nanoseconds(nanoseconds() - began)
    if took > time + .seconds(10) { fail("\(what) took \(took), and had \(time)") }
    count(what)
    ledger.countOperation()
    return result
  }

  func leave() { ledger.leave(self) }
}

/// The control of one thread's waits, which others may act on: replaced when it has been cancelled.
final class ControlBox: Sendable {
  private let current = Guarded(WaitControl())

  var control: WaitControl { current.withLock { $0 } }

  func cancel() { control.cancel() }

  /// What its own thread does after `.cancelled`.
  func renew() {
    current.withLock { control in
      if control.isCancelled { control = WaitControl() }
    }
  }
}
