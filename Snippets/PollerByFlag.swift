// Prints the datagrams that arrive at two ports. The command line chooses the poller.
import SocketKit

// snippet.monitor
func monitor<P: Poller & ~Copyable>(_ ports: [UInt16], with _: P.Type) throws {
  var poller = try P()
  var sockets = Slab<UDPSocket>(capacity: ports.count)
  for port in ports {
    let socket = try UDPSocket.bind(to: .any(port: port))
    let source = socket.readSource  // its descriptor, because insert consumes the socket
    try poller.register(source, for: .readable, token: sockets.insert(socket))
  }
  var buffer = [UInt8](repeating: 0, count: 2048)
  while true {
    for index in 0..<(try poller.wait()) {
      try sockets.withElement(poller[event: index].token) { (socket: borrowing UDPSocket) in
        var sender: IPSocketAddress?
        while let count = try socket.receive(into: buffer.mutableSpan, from: &sender) {
          print(count, "bytes from", sender.map { "\($0.unmapped)" } ?? "an unknown address")
        }
      }
    }
  }
}

switch CommandLine.arguments.last {
case "poll": try monitor([7001, 7002], with: PollPoller.self)
case "spin": try monitor([7001, 7002], with: BusySpinPoller.self)
default: try monitor([7001, 7002], with: EpollPoller.self)
}
// snippet.end
