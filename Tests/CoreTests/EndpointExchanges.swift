import SocketKit
import Testing

/// What the body throws; nil when it throws nothing.
func endpointError(_ body: () throws(SocketError) -> Void) -> SocketError? {
  do throws(SocketError) {
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
  private func reachable<S: Transport & ~Copyable>(_: S.Type, _ address: S.Address) throws -> S.Endpoint {
    let text = S.endpointFormat.text(of: address).replacing("*", with: "localhost").replacing(
      "//any:", with: "//local:")
    return try S.endpointFormat.parse(EndpointText(parsing: text).body)
  }

  func stream<S: Transport & StreamSocket & Acceptable<Void> & ~Copyable>(_: S.Type, at endpoint: S.Endpoint) throws
    -> String
  {
    let listener = try S.listen(on: endpoint, until: deadline)
    let bound = try listener.localAddress()
    let client = try S.connect(to: reachable(S.self, bound), until: deadline)
    let server = try listener.accept(until: deadline)
    try client.writeAll(sent.span, until: deadline)
    var bytes = [UInt8](repeating: 0, count: sent.count)
    try server.readExactly(into: bytes.mutableSpan, until: deadline)
    #expect(bytes == sent)
    return S.endpointFormat.text(of: bound)
  }

  func packets<S: Transport & SequencedPacketSocket & Acceptable<Void> & ~Copyable>(
    _: S.Type, at endpoint: S.Endpoint
  ) throws -> String {
    let listener = try S.listen(on: endpoint, until: deadline)
    let bound = try listener.localAddress()
    let client = try S.connect(to: reachable(S.self, bound), until: deadline)
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
    return S.endpointFormat.text(of: bound)
  }

  func datagrams<S: Transport & DatagramSocket & ~Copyable>(_: S.Type, at endpoint: S.Endpoint) throws -> String {
    let server = try S.bind(to: endpoint, until: deadline)
    let bound = try server.localAddress()
    let client = try S.connect(to: reachable(S.self, bound), until: deadline)
    var bytes = [UInt8](repeating: 0, count: 16)
    var info = MessageInfo()
    for count in [5, 1] {
      try client.send(sent.span.extracting(first: count), to: nil, until: deadline)
      let received = try server.receive(into: bytes.mutableSpan, &info, until: deadline)
      #expect(received == count && Array(bytes[..<count]) == Array(sent[..<count]))
    }
    return S.endpointFormat.text(of: bound)
  }
}
