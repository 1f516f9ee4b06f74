internal import SocketKitCore
internal import Synchronization

/// Makes a wait again and again, while another thread acts on its control at a random moment of the wait's beginning.
///
/// A wait loses what comes between its last look at the control and its sleep, unless it looks once more. That moment
/// is a microsecond or less, and where it lies depends on the wait and on the build. The other thread is woken first,
/// and the wait begins so that the two meet: half of the rounds within 10 microseconds, the others within 60. On a host
/// with one processor only a preemption hits that moment, which more rounds do not help: a tenth of them are made.
///
/// - Parameters:
///   - act: what the other thread does, with a control of its own for each wait.
///   - wait: one wait. Throws when the action did not end it.
func atAnyMoment(
  rounds: Int = 4000, seed: UInt64, _ act: @escaping @Sendable (WaitControl) -> Void,
  _ wait: (WaitControl) throws -> Void
) throws {
  // A rule's body has a thread of its own, so this one may stay where it is put.
  let processors = Processors.usable
  let processor = processors.count > 1 ? processors[1] : nil
  if processor != nil { Processors.keepThread(on: processors[0]) }
  let moments = Moments(rounds: processor == nil ? rounds / 10 : rounds)
  let actor = RuleThread {
    if let processor { Processors.keepThread(on: processor) }
    while let control = moments.next() { act(control) }
  }
  var random = SeededRandom(seed: seed)
  let result = Result {
    // How long the other thread takes to wake up.
    var latency: Int64 = 20_000
    for (round, control) in moments.controls.enumerated() {
      let lead = Int64.random(in: round % 2 == 0 ? -2000..<10_000 : -10_000..<50_000, using: &random)
      let begin = moments.begin()
      spin(until: begin + latency - lead)
      let watch = Stopwatch()
      try wait(control)
      let elapsed = watch.elapsed
      try require(elapsed < Times.patience / 2, "the wait ended only after \(elapsed)")
      latency += (min(moments.latest - begin, 200_000) - latency) / 8
    }
  }
  moments.end()
  try actor.join()
  try result.get()
}

/// What the two threads tell each other.
private final class Moments: Sendable {
  let controls: [WaitControl]
  private let semaphore = Semaphore()
  private let begun = Atomic<Int>(0)
  private let acted = Atomic<Int64>(0)

  /// Makes all controls before, so that between a round's beginning and its moment nothing else takes time.
  init(rounds: Int) { controls = (0..<rounds).map { _ in WaitControl() } }

  /// Wakes the other thread; the time.
  func begin() -> Int64 {
    begun.add(1, ordering: .acquiringAndReleasing)
    let now = monotonicNanoseconds()
    semaphore.signal()
    return now
  }

  /// The control of the next round, when it has begun; nil after the last.
  func next() -> WaitControl? {
    semaphore.wait()
    let round = begun.load(ordering: .acquiring) - 1
    if round < 0 || round >= controls.count { return nil }
    acted.store(monotonicNanoseconds(), ordering: .releasing)
    return controls[round]
  }

  /// When the other thread last acted.
  var latest: Int64 { acted.load(ordering: .acquiring) }

  func end() {
    begun.store(-1, ordering: .releasing)
    semaphore.signal()
  }
}
