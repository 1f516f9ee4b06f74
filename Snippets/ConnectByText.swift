// A client for any stream transport. The user specifies an endpoint: tcp://localhost:7, unix:/run/echo.sock,
// vsock://host:7.
import SocketKit

// snippet.connect-by-text
struct Greeting: EndpointVisitor {
  /// Compiled for every stream transport; other kinds are rejected with an explanation.
  func stream<S: Transport & StreamSocket & Acceptable<Void> & ~Copyable>(
    _: S.Type, at endpoint: S.Endpoint
  ) throws(SocketError) {
    let deadline = Deadline.after(.seconds(5))
    let socket = try S.connect(to: endpoint, until: deadline)
    do throws(SocketError) {
      try socket.writeAll("hello".utf8.span, until: deadline)
    } catch {
      throw error.with(address: S.endpointFormat.text(of: endpoint))
    }
  }
}

do {
  var greeting = Greeting()
  try AnyEndpoint(parsing: CommandLine.arguments.last ?? "").visit(with: &greeting)
} catch {
  // parse "vsock:4711": not an address. "4711" may be a context ID or a port: write vsock://4711:PORT for a …
  print(error)
}
// snippet.end
