/// The results of the same load on SocketKit's server, on the C server, and on the C server again. The third result
/// shows how much two identical runs differ on this machine.
struct Comparison: Sendable {
  private(set) var ours: [Run] = []
  private(set) var baseline: [Run] = []
  private(set) var baselineAgain: [Run] = []

  enum Part: Sendable { case baseline, ours, again }

  /// Returns the order of the runs in a round. Each part runs first in exactly one of the first three rounds. In some
  /// of these rounds, SocketKit's server runs before the C server (`baseline`), and in the others it runs after the C
  /// server. In six rounds, each of the six orders occurs once.
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

  /// Runs the given number of rounds.
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

  /// Divides a result of each run, such as the rate, by the same result of the C server in the same round. Returns an
  /// empty array if a run is too short for this result.
  func ratios(of runs: [Run], _ number: (Run) -> Double?) -> [Double] {
    var ratios: [Double] = []
    for (run, other) in zip(runs, baseline) {
      guard let run = number(run), let other = number(other) else { return [] }
      ratios.append(run / other)
    }
    return ratios
  }
}
