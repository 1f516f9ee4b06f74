import SocketKitCore
import SocketKitSCTP

// Inlined into the roots: see DatagramLoops.swift.

/// Waits, receives one message of any association, sends it back by the same association, stream and payload protocol,
/// until so many went; their number. Notifications are passed over.
@inline(__always)
func endpointLoop<P: Poller & ~Copyable>(
  _ endpoint: borrowing SCTPOneToManySocket, _ poller: inout P, _ messages: Int
) throws(SocketError) -> Int {
  var buffer = InlineArray<64, UInt8>(repeating: 0)
  var done = 0
  while done < messages {
    let count = try poller.wait()
    var index = 0
    while index < count {
      if case .message(let message) = try endpoint.receive(into: buffer.mutableSpan), let info = message.info {
        let reply = SCTPSendInfo(
          stream: info.stream, payloadProtocol: info.payloadProtocol, association: info.association)
        _ = try endpoint.send(buffer.span.extracting(first: message.count), info: reply)
        done &+= 1
      }
      index &+= 1
    }
  }
  return done
}

/// The same for one association, by whatever socket it has.
@inline(__always)
func messagingLoop<S: SCTPMessaging & ~Copyable, P: Poller & ~Copyable>(
  _ socket: borrowing S, _ poller: inout P, _ messages: Int
) throws(SocketError) -> Int {
  var buffer = InlineArray<64, UInt8>(repeating: 0)
  var done = 0
  while done < messages {
    let count = try poller.wait()
    var index = 0
    while index < count {
      switch try socket.receive(into: buffer.mutableSpan) {
      case .message(let message):
        let info = SCTPSendInfo(stream: message.info?.stream ?? 0, payloadProtocol: message.info?.payloadProtocol ?? 0)
        _ = try socket.send(buffer.span.extracting(first: message.count), info: info)
        done &+= 1
      case .endOfStream: return done
      case .notification, nil: break
      }
      index &+= 1
    }
  }
  return done
}
