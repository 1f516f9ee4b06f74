/// The same load on our server, on the C server, and on the C server once more: the last tells how much two runs of the
/// same thing differ here and now.
struct Comparison: Sendable {
  private(set) var ours: [Run] = []
  private(set) var baseline: [Run] = []
  private(set) var baselineAgain: [Run] = []

  enum Part: Sendable { case baseline, ours, again }

  /// The order of a round. Within three rounds each comes first once, and ours precedes C, C precedes ours; within six
  /// rounds each order comes once.
  static func order(ofRound round: Int) -> [Part] {
    switch round % 6 {
    case 0: [.baseline, .ours, .again]
    case 1: [.again, .ours, .baseline]
    case 2: [.ours, .baseline, .again]
    case 3: [.baseline, .again, .ours]
    case 4: [.again, .baseline, .ours]
    default: [.ours, .again, .baseline]
    }
  }

  /// Runs so many rounds.
  init(rounds: Int, _ run: (ServerKind, _ round: Int) throws -> Run) throws {
    for round in 0..<rounds {
      for part in Self.order(ofRound: round) {
        switch part {
        case .baseline: baseline.append(try run(.c, round))
        case .ours: ours.append(try run(.swift, round))
        case .again: baselineAgain.append(try run(.c, round))
        }
      }
    }
  }

  /// One number of these runs divided by the C server's in the same round; none when a run is too short for it.
  func ratios(of runs: [Run], _ number: (Run) -> Double?) -> [Double] {
    var ratios: [Double] = []
    for (run, other) in zip(runs, baseline) {
      guard let run = number(run), let other = number(other) else { return [] }
      ratios.append(run / other)
    }
    return ratios
  }
}
