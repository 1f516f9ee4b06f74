/// Runs rounds of the C server and SocketKit's server, and alternates the server that runs first.
struct InTurn<Outcome: Sendable>: Sendable {
  private var outcomes: [ServerKind: [Outcome]] = [:]

  init(rounds: Int, _ run: (ServerKind, _ round: Int) throws -> Outcome) throws {
    for round in 0..<rounds {
      for kind in round % 2 == 0 ? [ServerKind.c, .swift] : [.swift, .c] {
        outcomes[kind, default: []].append(try run(kind, round))
      }
    }
  }

  subscript(kind: ServerKind) -> [Outcome] { outcomes[kind] ?? [] }
}

extension ServerKind {
  /// The label in tables.
  var label: String { self == .swift ? "ours" : "C epoll" }
}
