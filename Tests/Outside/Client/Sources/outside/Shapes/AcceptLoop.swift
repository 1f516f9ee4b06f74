import SocketKitCore

/// Accepts so many connections, answers the message that each has sent, and closes it; the number of messages.
func acceptLoop<S: StreamSocket & ~Copyable, P: Poller & ~Copyable>(
  _ listener: borrowing Listener<S>, _ poller: inout P, _ connections: Int
) throws(SocketError) -> Int {
  var buffer = InlineArray<64, UInt8>(repeating: 0)
  var accepted = 0
  var answered = 0
  while accepted < connections {
    _ = try poller.wait()
    while let socket = try listener.accept() {
      accepted &+= 1
      if case .bytes(let count) = try socket.read(into: buffer.mutableSpan) {
        _ = try socket.write(buffer.span.extracting(first: count))
        answered &+= 1
      }
    }
  }
  return answered
}
