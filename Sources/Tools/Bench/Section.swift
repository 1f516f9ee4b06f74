internal import SocketKitToolSupport

/// The result of one load, as a table and as JSON.
struct Section {
  let title: String
  /// The parameters in the title, for the JSON output.
  let parameters: [JSON.Member]
  var table: Table
  /// The notes below the table, which explain the columns.
  var notes: [String]
  var rows: [JSON] = []
  /// Whether a check has failed or a measurement was impossible.
  var failed = false
  /// The names of the transports and pollers that were measured, including failed ones.
  private(set) var measured: Set<String> = []
  /// The number of servers whose calls the kernel also counted, and the number of servers that could not be traced.
  private(set) var callsChecked = 0
  private(set) var callsUnchecked = 0

  var text: String { "\n\(title)\n\n\(table.text)" + (notes.isEmpty ? "" : "\n") + notes.map { $0 + "\n" }.joined() }
  var json: JSON {
    parameters + [
      "rows": .array(rows), "callsChecked": .integer(Int64(callsChecked)),
      "callsNotChecked": .integer(Int64(callsUnchecked)), "failed": .bool(failed),
    ]
  }

  static func parameters(
    _ load: LoadChoice, connections: Int, size: Int, messages: Int = 0, warmUp: Int = 0
  ) -> [JSON.Member] {
    [
      JSON.Member("load", .string(load.rawValue)), JSON.Member("connections", .integer(Int64(connections))),
      JSON.Member("size", .integer(Int64(size))), JSON.Member("messages", .integer(Int64(messages))),
      JSON.Member("warmUp", .integer(Int64(warmUp))),
    ]
  }

  mutating func addUnavailable(_ transport: String, _ poller: String, _ cause: String) {
    table.add([transport, poller, "unavailable: \(cause)"])
    rows.append(["transport": .string(transport), "poller": .string(poller), "unavailable": .string(cause)])
  }

  mutating func addFailure(_ composition: Composition, _ error: any Error) {
    failed = true
    noteMeasured(composition)
    table.add([composition.transport.rawValue, composition.poller.rawValue, "failed: \(error)"])
    rows.append(composition.json + ["failed": .string("\(error)")])
  }

  private mutating func noteMeasured(_ composition: Composition) {
    measured.insert(composition.transport.rawValue)
    measured.insert(composition.poller.rawValue)
  }

  mutating func noteCallCheck(_ check: CallCheck?) {
    if check == nil { callsUnchecked += 1 } else { callsChecked += 1 }
  }

  /// Adds a note that states how reliable the numbers of calls are.
  mutating func noteCallChecks() {
    if callsChecked > 0 {
      notes.append("In a short run of each server under ptrace(2), the kernel counted the same number of calls.")
    }
    if callsUnchecked > 0 {
      notes.append(
        "calls of \(callsUnchecked) servers not compared with the kernel's count: no permission to trace them."
      )
    }
  }

  /// Adds a note that explains "-", if the table contains it.
  mutating func noteShortRuns() {
    if rows.contains(where: \.lacksANumber) { notes += Sample.notes }
  }

  /// Calls `body` for every requested pair of transport and poller. For a pair that fails or cannot be measured, the
  /// table contains a row with the reason.
  mutating func forEach(
    _ load: LoadChoice, _ options: BenchOptions, _ body: (inout Section, Composition) throws -> Void
  ) {
    let pollers = options.pollers(for: load).filter { $0.unavailable == nil }
    for transport in options.transports where options.unavailable(transport, for: load) == nil {
      for poller in pollers {
        let composition = Composition(transport: transport, poller: poller)
        do {
          try body(&self, composition)
          noteMeasured(composition)
        } catch {
          addFailure(composition, error)
        }
      }
    }
    for transport in options.transports {
      options.unavailable(transport, for: load).map { addUnavailable(transport.rawValue, "any", $0) }
    }
    for poller in options.pollers(for: load) {
      poller.unavailable.map { addUnavailable("any", poller.rawValue, $0) }
    }
    if measured.isEmpty {
      failed = true
      table.add(["any", "any", "failed: nothing was measured"])
    }
  }
}

extension Composition {
  var json: [JSON.Member] {
    [JSON.Member("transport", .string(transport.rawValue)), JSON.Member("poller", .string(poller.rawValue))]
  }
}

func + (members: [JSON.Member], more: KeyValuePairs<String, JSON>) -> JSON {
  .object(members + more.map { JSON.Member($0.key, $0.value) })
}
