internal import SocketKitCore
internal import Synchronization

/// Repeats a wait. In each round another thread acts on the wait's control at a random moment around the beginning of
/// the wait.
///
/// If a wait does not check its control again immediately before it sleeps, it misses an action that occurs between its
/// last check and its sleep. That window is at most about a microsecond long, and its position depends on the wait and
/// on the build. The function wakes the other thread first, spins for a random time, and then starts the wait. The time
/// is chosen so that the other thread acts within about 10 microseconds of the start of the wait in half of the rounds,
/// and within about 50 microseconds of it in the other rounds. On a host with one processor, the action can fall into
/// the window only if the kernel preempts the waiting thread in the window. More rounds do not help, so the function
/// makes only a tenth of the rounds on such a host.
///
/// - Parameters:
///   - act: the action of the other thread; receives a new control for each wait.
///   - wait: one wait. Throws if the action did not end it.
func atAnyMoment(
  rounds: Int = 4000, seed: UInt64, _ act: @escaping @Sendable (WaitControl) -> Void,
  _ wait: (WaitControl) throws -> Void
) throws {
  // The body of a rule runs on its own thread, so the affinity of this thread need not be restored.
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
    // The estimated time for the other thread to wake up.
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

/// The state shared by the two threads.
private final class Moments: Sendable {
  let controls: [WaitControl]
  private let semaphore = Semaphore()
  private let begun = Atomic<Int>(0)
  private let acted = Atomic<Int64>(0)

  /// Creates all controls in advance, so that no allocation delays a round.
  init(rounds: Int) { controls = (0..<rounds).map { _ in WaitControl() } }

  /// Wakes the other thread and returns the current time.
  func begin() -> Int64 {
    begun.add(1, ordering: .acquiringAndReleasing)
    let now = monotonicNanoseconds()
    semaphore.signal()
    return now
  }

  /// Waits for the next round to begin and returns its control; nil after the last round.
  func next() -> WaitControl? {
    semaphore.wait()
    let round = begun.load(ordering: .acquiring) - 1
    if round < 0 || round >= controls.count { return nil }
    acted.store(monotonicNanoseconds(), ordering: .releasing)
    return controls[round]
  }

  /// The time at which the other thread last acted.
  var latest: Int64 { acted.load(ordering: .acquiring) }

  func end() {
    begun.store(-1, ordering: .releasing)
    semaphore.signal()
  }
}
