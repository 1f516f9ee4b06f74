import Glibc
import SocketKit
import TestSupport
import Testing

/// Long enough for an emulated kernel.
let sctpPatience = Duration.seconds(20)

/// An endpoint on loopback that accepts associations and tells of them.
func listeningEndpoint(
  _ events: [SCTPEvent] = [.associationChange], on address: IPSocketAddress = .loopback(port: 0),
  configure: (borrowing SCTPOneToManySocket) throws -> Void = { _ in }
) throws -> SCTPOneToManySocket {
  try SCTPOneToManySocket.listen(on: address) { endpoint in
    try endpoint.setOption(.noDelay, to: true)
    for event in events { try endpoint.setOption(.event(event), of: .all, to: true) }
    try configure(endpoint)
  }
}

extension SCTPMessaging where Self: ~Copyable {
  /// What comes next, with its bytes.
  borrowing func next(_ room: Int = 4096, within limit: Duration = sctpPatience) throws -> (SCTPArrival, [UInt8]) {
    var buffer = [UInt8](repeating: 0, count: room)
    let arrival = try receive(into: buffer.mutableSpan, until: .after(limit))
    return (arrival, buffer)
  }

  /// The next message; notifications are passed over.
  borrowing func nextMessage(
    _ room: Int = 4096, within limit: Duration = sctpPatience
  ) throws -> (message: SCTPMessage, bytes: [UInt8]) {
    while true {
      let (arrival, buffer) = try next(room, within: limit)
      switch arrival {
      case .message(let message): return (message, Array(buffer.prefix(message.count)))
      case .notification: continue
      case .endOfStream: throw Surprise("an end instead of a message")
      }
    }
  }

  /// The next notification that the body wants; messages and others are passed over.
  borrowing func nextNotification<R>(
    _ room: Int = 4096, _ wanted: (SCTPNotification, [UInt8]) -> R?
  ) throws -> R {
    var others: [String] = []
    do {
      while true {
        let (arrival, buffer) = try next(room)
        guard case .notification(let notification) = arrival else {
          others.append("\(arrival)")
          if case .endOfStream = arrival { throw Surprise("an end, after \(others)") }
          continue
        }
        if let result = wanted(notification, buffer) { return result }
        others.append("\(notification)")
      }
    } catch let error as SocketError {
      throw Surprise("\(error), after \(others)")
    }
  }

  /// The next change of an association.
  borrowing func nextChange(_ state: SCTPAssociationChange.State) throws -> SCTPAssociationChange {
    let change = try nextNotification { notification, _ -> SCTPAssociationChange? in
      if case .associationChange(let change) = notification { return change }
      return nil
    }
    #expect(change.state == state)
    return change
  }

  /// Nothing may be there.
  borrowing func expectNothing(_ location: SourceLocation = #_sourceLocation) throws {
    var buffer = [UInt8](repeating: 0, count: 64)
    let outcome = try receive(into: buffer.mutableSpan)
    guard case nil = outcome else {
      Issue.record("unexpected: \(outcome)", sourceLocation: location)
      return
    }
  }

  /// Sends now, which must work.
  borrowing func sendNow(_ bytes: [UInt8], _ info: SCTPSendInfo) throws {
    try send(bytes.span, info: info, until: .after(sctpPatience))
  }
}

struct Surprise: Error, CustomStringConvertible {
  let description: String
  init(_ description: String) { self.description = description }
}

/// Two endpoints with an association between them.
struct EndpointPair: ~Copyable {
  let near: SCTPOneToManySocket
  let far: SCTPOneToManySocket
  /// The association's number at each.
  let nearID: SCTPAssociationID
  let farID: SCTPAssociationID

  /// - Parameter events: switched on at both, besides association changes.
  init(
    _ events: [SCTPEvent] = [], near nearAddress: IPSocketAddress = .loopback(port: 0),
    far farAddress: IPSocketAddress = .loopback(port: 0),
    configure: (borrowing SCTPOneToManySocket) throws -> Void = { _ in }
  ) throws {
    let first = try listeningEndpoint([.associationChange] + events, on: nearAddress, configure: configure)
    let second = try listeningEndpoint([.associationChange] + events, on: farAddress, configure: configure)
    let begun = try first.connect(to: second.localAddress())
    let up = try first.nextChange(.up).association
    #expect(up == begun)
    let accepted = try second.nextChange(.up).association
    self.init(first, second, up, accepted)
  }

  private init(
    _ near: consuming SCTPOneToManySocket, _ far: consuming SCTPOneToManySocket, _ nearID: SCTPAssociationID,
    _ farID: SCTPAssociationID
  ) {
    self.near = near
    self.far = far
    self.nearID = nearID
    self.farID = farID
  }

  /// The two endpoints by themselves, and the association's number at the far one: for what consumes one.
  consuming func split(
    _ body: (consuming SCTPOneToManySocket, consuming SCTPOneToManySocket, SCTPAssociationID) throws -> Void
  ) throws { try body(near, far, farID) }

  /// Peels it off at both ends.
  func peel() throws -> SocketPair<SCTPAssociationSocket> {
    SocketPair(try near.peelOff(nearID), try far.peelOff(farID))
  }
}

/// The code of the error that the body throws; nil when it throws none.
func failureCode(_ body: () throws -> Void) -> SocketError.Code? {
  do {
    try body()
    return nil
  } catch let error as SocketError {
    return error.code
  } catch {
    return .other
  }
}
