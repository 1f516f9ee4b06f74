import SocketKitCore

/// Waits, reads, writes back, until so many messages went or the peer ended; the number of messages.
func readWrite<S: StreamSocket & ~Copyable, P: Poller & ~Copyable>(
  _ socket: borrowing S, _ poller: inout P, _ messages: Int
) throws(SocketError) -> Int {
  var buffer = InlineArray<64, UInt8>(repeating: 0)
  var done = 0
  while done < messages {
    let count = try poller.wait()
    var index = 0
    while index < count {
      if poller[event: index].isReadable {
        switch try socket.read(into: buffer.mutableSpan) {
        case .bytes(let count):
          _ = try socket.write(buffer.span.extracting(first: count))
          done &+= 1
        case nil: break
        case .endOfStream: return done
        }
      }
      index &+= 1
    }
  }
  return done
}

/// What a loop that catches came to.
struct LoopCount: BitwiseCopyable {
  var echoed = 0
  var failures = 0
  var lastFailure: Int32 = 0
}

/// The same, but failures are caught inside the loop, counted, and the loop goes on.
func catching<S: StreamSocket & ~Copyable, P: Poller & ~Copyable>(
  _ socket: borrowing S, _ poller: inout P, _ messages: Int
) -> LoopCount {
  var buffer = InlineArray<64, UInt8>(repeating: 0)
  var total = LoopCount()
  while total.echoed < messages {
    do throws(SocketError) {
      let count = try poller.wait()
      var index = 0
      while index < count {
        switch try socket.read(into: buffer.mutableSpan) {
        case .bytes(let count):
          _ = try socket.write(buffer.span.extracting(first: count))
          total.echoed &+= 1
        case nil: break
        case .endOfStream: return total
        }
        index &+= 1
      }
    } catch {
      total.failures &+= 1
      total.lastFailure = error.errno
      if error.operation == .wait { return total }
    }
  }
  return total
}
