// An echo server that is generic over its transport and its poller. It runs over TCP with epoll.
import SocketKit

// snippet.serve
func serve<S: StreamSocket & ~Copyable, P: Poller & ~Copyable>(
  _ listener: borrowing Listener<S>, with poller: inout P, capacity: Int = 1024
) throws(SocketError) {
  let listening = Token(index: .max)
  var connections = Slab<S>(capacity: capacity)
  var buffer = InlineArray<4096, UInt8>(repeating: 0)
  try poller.register(listener, for: .readable, token: listening)
  while true {
    let count = try poller.wait()
    for index in 0..<count {
      let token = poller[event: index].token
      if token == listening {
        while let next = connections.nextToken, let socket = try listener.accept() {
          try poller.register(socket, for: .readable, token: next)
          _ = connections.insert(socket)
        }
        continue
      }
      let isOpen = connections.withElement(token) { (socket: borrowing S) in
        do throws(SocketError) {
          repeat {
            switch try socket.read(into: buffer.mutableSpan) {
            case .bytes(let n): try socket.writeAll(buffer.span.extracting(first: n), until: .after(.seconds(1)))
            case nil: return true
            case .endOfStream: return false
            }
          } while socket.pending.contains(.readable)
          return true
        } catch {
          return false  // a failing connection closes only itself
        }
      }
      if isOpen == false {
        try connections.withElement(token) { (socket: borrowing S) throws(SocketError) in
          try poller.deregister(socket)
        }
        _ = connections.remove(token)
      }
    }
  }
}
// snippet.end

// snippet.run
let listener = try TCPSocket.listen(on: .any(port: 7777))
var poller = try EpollPoller()
try serve(listener, with: &poller)
// snippet.end
