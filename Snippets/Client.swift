// A client that blocks its thread. One deadline limits all calls.
import SocketKit

// snippet.client
let deadline = Deadline.after(.seconds(5))
do {
  let socket = try TCPSocket.connect(to: .host("localhost", port: 7777), until: deadline)
  try socket.setOption(.noDelay, to: true)
  try socket.writeAll("hello\n".utf8.span, until: deadline)
  var line: [UInt8] = []
  var buffer = [UInt8](repeating: 0, count: 4096)
  while line.last != UInt8(ascii: "\n") {
    try deadline.check(.read)  // a read that does not wait ignores the deadline
    guard case .bytes(let count) = try socket.read(into: buffer.mutableSpan, until: deadline) else { break }
    line += buffer[..<count]
  }
  print(String(decoding: line, as: UTF8.self), terminator: "")
} catch {
  // connect localhost: connection refused (ECONNREFUSED, errno 111). Nothing is listening at that address: start …
  print(error)
}
// snippet.end
