// Sends each datagram back to its sender.
import SocketKit

// snippet.udp
let socket = try UDPSocket.bind(to: .any(port: 7777))
var buffer = [UInt8](repeating: 0, count: 2048)
var sender: IPSocketAddress?
while true {
  let count = try socket.receive(into: buffer.mutableSpan, from: &sender, until: .never)
  if let sender {
    try socket.send(buffer.span.extracting(first: count), to: sender, until: .after(.seconds(1)))
  }
}
// snippet.end
