import SocketKitCore

// Inlined into the roots: of two roots with equal parameters that only call another function each, the compiler makes
// one that gets the function as a pointer.

/// Waits, receives one datagram, sends it back to whom it came from, until so many went; their number.
@inline(__always)
func datagramLoop<S: DatagramSocket & ~Copyable, P: Poller & ~Copyable>(
  _ socket: borrowing S, _ poller: inout P, _ datagrams: Int
) throws(SocketError) -> Int {
  var buffer = InlineArray<64, UInt8>(repeating: 0)
  var sender: S.Address?
  var done = 0
  while done < datagrams {
    let count = try poller.wait()
    var index = 0
    while index < count {
      if let length = try socket.receive(into: buffer.mutableSpan, from: &sender), let sender {
        _ = try socket.send(buffer.span.extracting(first: length), to: sender)
        done &+= 1
      }
      index &+= 1
    }
  }
  return done
}

/// The same with all that has come at once.
@inline(__always)
func batchLoop<S: DatagramSocket & ~Copyable, P: Poller & ~Copyable>(
  _ socket: borrowing S, _ poller: inout P, _ batch: inout MessageBatch, _ datagrams: Int
) throws(SocketError) -> Int {
  var done = 0
  while done < datagrams {
    let count = try poller.wait()
    var index = 0
    while index < count {
      if let number = try batch.receive(from: socket) {
        while batch.sent < number, try batch.send(on: socket) != nil {}
        done &+= batch.sent
      }
      index &+= 1
    }
  }
  return done
}

/// The same with datagrams that the kernel has coalesced: what came as one goes back as one.
@inline(__always)
func offloadLoop<S: DatagramSocket & ~Copyable, P: Poller & ~Copyable>(
  _ socket: borrowing S, _ poller: inout P, _ batch: inout MessageBatch, _ datagrams: Int
) throws(SocketError) -> Int {
  var done = 0
  while done < datagrams {
    let count = try poller.wait()
    var index = 0
    while index < count {
      if let number = try batch.receive(from: socket) {
        done &+= try keepSegments(&batch)
        while batch.sent < number, try batch.send(on: socket) != nil {}
      }
      index &+= 1
    }
  }
  return done
}

/// Has each message sent as it came; how many datagrams they all are.
@inline(__always)
private func keepSegments(_ batch: inout MessageBatch) throws(SocketError) -> Int {
  var datagrams = 0
  var slot = 0
  while slot < batch.count {
    let size = batch[slot].segmentSize
    if let size, size > 0 {
      try batch.setSegmentSize(UInt16(truncatingIfNeeded: size), at: slot)
      datagrams &+= (batch[slot].byteCount &+ size &- 1) / size
    } else {
      datagrams &+= 1
    }
    slot &+= 1
  }
  return datagrams
}
