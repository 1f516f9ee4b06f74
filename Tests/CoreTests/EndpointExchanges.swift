import SocketKit
import Testing

/// What the body throws; nil when it throws nothing.
func endpointError(_ body: () throws(EndpointError) -> Void) -> EndpointError? {
  do throws(EndpointError) {
    try body()
    return nil
  } catch {
    return error
  }
}

/// Opens a place by its text, connects to what that socket says of itself, as text, and exchanges something. Gives the
/// text of where it was.
struct Exchange: EndpointVisitor {
  typealias Outcome = String
  typealias Failure = any Error
  private let deadline = Deadline.after(.seconds(20))
  private let sent = Array("hello".utf8)

  /// Any address is not one to connect to; its loopback is.
  private func reachable<S: NamedTransport & ~Copyable>(_: S.Type, _ address: S.Address) throws -> S.Location {
    let text = S.text(of: address).replacing("*", with: "localhost").replacing("//any:", with: "//local:")
    return try S.Location(endpointBody: EndpointText(parsing: text).body)
  }

  func stream<S: NamedConnectionTransport & StreamSocket & ~Copyable>(_: S.Type, at location: S.Location) throws
    -> String
  {
    let listener = try S.listen(at: location, until: deadline)
    let bound = try listener.localAddress()
    let client = try S.connect(at: reachable(S.self, bound), until: deadline)
    let server = try listener.accept(until: deadline)
    try client.writeAll(sent.span, until: deadline)
    var bytes = [UInt8](repeating: 0, count: sent.count)
    try server.readExactly(into: bytes.mutableSpan, until: deadline)
    #expect(bytes == sent)
    return S.text(of: bound)
  }

  func packets<S: NamedConnectionTransport & SequencedPacketSocket & ~Copyable>(
    _: S.Type, at location: S.Location
  ) throws -> String {
    let listener = try S.listen(at: location, until: deadline)
    let bound = try listener.localAddress()
    let client = try S.connect(at: reachable(S.self, bound), until: deadline)
    let server = try listener.accept(until: deadline)
    var bytes = [UInt8](repeating: 0, count: 16)
    var info = MessageInfo()
    for count in [5, 1] {
      try client.send(sent.span.extracting(first: count), until: deadline)
      let outcome = try server.receive(into: bytes.mutableSpan, &info, until: deadline)
      #expect(outcome == .bytes(count) && Array(bytes[..<count]) == Array(sent[..<count]))
    }
    try server.send(sent.span, until: deadline)
    try server.shutdown(.write)
    let back = try client.receive(into: bytes.mutableSpan, &info, until: deadline)
    let end = try client.receive(into: bytes.mutableSpan, &info, until: deadline)
    #expect(back == .bytes(5) && end == .endOfStream)
    return S.text(of: bound)
  }

  func datagrams<S: NamedTransport & DatagramSocket & ~Copyable>(_: S.Type, at location: S.Location) throws -> String {
    let server = try S.bind(at: location, until: deadline)
    let bound = try server.localAddress()
    let client = try S.connect(at: reachable(S.self, bound), until: deadline)
    var bytes = [UInt8](repeating: 0, count: 16)
    var info = MessageInfo()
    for count in [5, 1] {
      try client.send(sent.span.extracting(first: count), to: nil, until: deadline)
      let received = try server.receive(into: bytes.mutableSpan, &info, until: deadline)
      #expect(received == count && Array(bytes[..<count]) == Array(sent[..<count]))
    }
    return S.text(of: bound)
  }
}
