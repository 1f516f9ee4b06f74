public import SocketKitCore

/// The conformance rules of a transport's endpoints and of their text (``/SocketKitCore/Transport``). The suite runs
/// the rules with sample values.
public struct EndpointSuite<S: Transport & ~Copyable>: ConformanceSuite {
  public let name: String
  private let samples: [S.Endpoint]
  private let addresses: [S.Address]

  /// - Parameters:
  ///   - name: the name of the transport in reports.
  ///   - samples: endpoints of every kind that the type supports, all different. Names in the endpoints are not
  ///     resolved.
  ///   - addresses: addresses of every kind that the transport supports.
  public init(_ name: String, samples: [S.Endpoint], addresses: [S.Address]) {
    self.name = name
    self.samples = samples
    self.addresses = addresses
  }

  public var rules: [ConformanceRule] {
    [
      ConformanceRule(
        "endpoint.scheme",
        "The scheme is a lower-case letter, followed by any number of lower-case letters, digits, +, - and ."
      ) {
        let parts = try? EndpointText(parsing: "\(S.endpointFormat.scheme):x")
        try require(parts?.scheme == S.endpointFormat.scheme, "\"\(S.endpointFormat.scheme)\" is not a valid scheme")
      },
      rule("text.round-trip", "Parsing the text of an endpoint returns an equal endpoint.") { endpoint in
        let body = S.endpointFormat.body(endpoint)
        guard let again = readback(body).read else { throw ConformanceFailure("parsing \"\(body)\" failed") }
        try requireEqual(again, endpoint, "the endpoint parsed from \"\(body)\"")
        try requireEqual(S.endpointFormat.body(again), body, "the text of the parsed endpoint")
      },
      rule("text.list", "A list of transports parses the text of an endpoint and formats it as the same text.") {
        endpoint in
        let text = S.endpointFormat.text(of: endpoint)
        let again = Endpoint<Transports<S, NoTransports>>(text)
        try requireEqual(again?.description, text, "the text from the list")
        try requireEqual(again?.scheme, S.endpointFormat.scheme, "the scheme from the list")
      },
      rule(
        "text.garbage",
        "Parsing text that is not an endpoint fails with an explanation, or returns a different endpoint."
      ) {
        endpoint in
        let body = S.endpointFormat.body(endpoint)
        for text in ["", " \(body)", "\(body)\0", "\(body)\n", "//", "//\u{301}", ":", body + body] {
          let result = readback(text)
          if let read = result.read {
            try require(read != endpoint, "\"\(text)\" is parsed as \"\(body)\"")
            continue
          }
          let codes: [SocketError.Code] = [.invalidAddress, .invalidPort, .addressTooLong]
          guard let error = result.error, codes.contains(error.code), error.explanation != nil else {
            throw ConformanceFailure("parsing \"\(text)\" failed with \"\(result.error.map { "\($0)" } ?? "")\"")
          }
        }
      },
      ConformanceRule("endpoint.address", "The endpoint that is created from an address resolves to that address only.")
      {
        [addresses] in
        if addresses.isEmpty { throw ConformanceUnavailable("there are no sample addresses") }
        for address in addresses {
          let found = try S.endpointFormat.addresses(S.endpointFormat.endpoint(address), .after(.seconds(5)))
          try requireEqual(found, [address], "the addresses of the endpoint of \(address)")
        }
      },
    ]
  }

  private func rule(
    _ id: String, _ summary: String, _ body: @escaping @Sendable (S.Endpoint) throws -> Void
  ) -> ConformanceRule {
    ConformanceRule("endpoint.\(id)", summary) { [samples] in
      if S.endpointFormat.scheme.isEmpty { throw ConformanceUnavailable("the transport has no text form") }
      if samples.isEmpty { throw ConformanceUnavailable("there are no sample endpoints") }
      for sample in samples { try body(sample) }
    }
  }

  private func readback(_ body: String) -> (read: S.Endpoint?, error: SocketError?) {
    do throws(SocketError) {
      return (try S.endpointFormat.parse(body), nil)
    } catch {
      return (nil, error)
    }
  }
}
