import LengthPrefixed
import SocketKitCore

/// Two wrappers of another package over a transport: frames over a counted stream, both with state from their listener.
typealias Wrapped<S: StreamSocket & ~Copyable> = FramedSocket<MeteredSocket<S>>

/// Echoes so many frames, through the wrappers; their number.
func wrappedLoop<S: StreamSocket & ~Copyable, P: Poller & ~Copyable>(
  _ socket: inout Wrapped<S>, _ poller: inout P, _ frames: Int
) throws(SocketError) -> Int {
  var buffer = InlineArray<64, UInt8>(repeating: 0)
  var done = 0
  while done < frames {
    let count = try poller.wait()
    var index = 0
    while index < count {
      index &+= 1
      if socket.hasUnsent { _ = try socket.flush() }
      repeat {
        switch try socket.receive(into: buffer.mutableSpan) {
        case .bytes(let count):
          _ = try socket.send(buffer.span.extracting(first: count))
          done &+= 1
        case nil: break
        case .endOfStream: return done
        }
      } while socket.hasFrame
    }
  }
  return done
}
