import SocketKit
import TestSupport
import Testing

/// SCTP by text: one address, several, a name, any.
@Suite(.exclusive, .needsSCTP) struct SCTPEndpointTextTests {
  @Test(arguments: [
    ("sctp://127.0.0.1:0", "sctp://127.0.0.1:"), ("sctp://[::1]:0", "sctp://[::1]:"), ("sctp://*:0", "sctp://*:"),
    ("sctp://localhost:0", "sctp://"), ("sctp://127.0.0.1,127.0.0.2:0", "sctp://127.0.0."),
    ("sctp://127.0.0.1:38419", "sctp://127.0.0.1:38419"),
  ])
  func connectAndListenByText(_ text: String, _ expected: String) throws {
    var exchange = Exchange()
    let printed = try AnyEndpoint(parsing: text).visit(with: &exchange)
    #expect(printed.hasPrefix(expected) && !printed.hasSuffix(":0"))
  }
}
