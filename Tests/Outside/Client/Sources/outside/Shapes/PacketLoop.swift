import SocketKitCore

/// Waits, receives one packet, sends it back, until so many went or the peer ended; their number.
@inline(__always)
func packetLoop<S: SequencedPacketSocket & ~Copyable, P: Poller & ~Copyable>(
  _ socket: borrowing S, _ poller: inout P, _ packets: Int
) throws(SocketError) -> Int {
  var buffer = InlineArray<64, UInt8>(repeating: 0)
  var info = MessageInfo()
  var done = 0
  while done < packets {
    let count = try poller.wait()
    var index = 0
    while index < count {
      switch try socket.receive(into: buffer.mutableSpan, &info) {
      case .bytes(let length):
        _ = try socket.send(buffer.span.extracting(first: length))
        done &+= 1
      case nil: break
      case .endOfStream: return done
      }
      index &+= 1
    }
  }
  return done
}
