// A client that waits on its thread, with a deadline for everything.
import SocketKit

// snippet.client
let deadline = Deadline.after(.seconds(5))
do {
  let socket = try TCPSocket.connect(to: .host("localhost", port: 7777), until: deadline)
  try socket.setOption(.noDelay, to: true)
  try socket.writeAll("hello".utf8.span, until: deadline)
  var reply = [UInt8](repeating: 0, count: 5)
  try socket.readExactly(into: reply.mutableSpan, until: deadline)
  print(String(decoding: reply, as: UTF8.self))
} catch {
  // connect localhost: connection refused (ECONNREFUSED, errno 111). Nothing is listening at that address: start …
  print(error)
}
// snippet.end
