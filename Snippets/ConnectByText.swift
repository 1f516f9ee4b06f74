// A client of any stream, which its user names by an address: tcp://localhost:7, unix:/run/echo.sock, vsock://host:7.
import SocketKit

// snippet.connect-by-text
struct Greeting: EndpointVisitor {
  /// Compiled for every stream transport; other kinds are rejected with an explanation.
  func stream<S: NamedConnectionTransport & StreamSocket & ~Copyable>(
    _: S.Type, at location: S.Location
  ) throws(EndpointError) {
    let deadline = Deadline.after(.seconds(5))
    let socket = try S.connect(at: location, until: deadline)
    do throws(SocketError) {
      try socket.writeAll("hello".utf8.span, until: deadline)
    } catch {
      throw EndpointError(error, address: S.text(of: location))
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
