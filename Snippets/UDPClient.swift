// Sends a datagram and prints the length and the sender of the reply.
import SocketKit

// snippet.udpClient
let deadline = Deadline.after(.seconds(5))
let socket = try UDPSocket.connect(to: .host("localhost", port: 7777), until: deadline)
try socket.send("hello".utf8.span, until: deadline)
var buffer = [UInt8](repeating: 0, count: 2048)
var sender: IPSocketAddress?
let count = try socket.receive(into: buffer.mutableSpan, from: &sender, until: deadline)
print(count, "bytes from", sender.map { "\($0.unmapped)" } ?? "an unknown address")
// snippet.end
