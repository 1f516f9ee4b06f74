internal import Glibc
internal import SocketKit

/// Many associations on one socket.
func manyAssociations() throws {
  step("listen")
  let server = Held(try SCTPOneToManySocket.listen(on: .loopback(port: 0)))
  try server.with { try $0.setOption(.event(.associationChange), of: .all, to: true) }
  let here = try server.with { try $0.localAddress() }
  step("open another")
  let client = Held(
    try SCTPOneToManySocket.bind(to: .loopback(port: 0)) { (endpoint) throws(SocketError) in
      try endpoint.setOption(.noDelay, to: true)
    })
  var buffer = [UInt8](repeating: 0, count: 512)
  step("receive, nothing there") { words(try server.with { try $0.receive(into: buffer.mutableSpan) }, buffer) }
  step("receive, nothing there, with a time limit") {
    words(try server.with { try $0.receive(into: buffer.mutableSpan, until: .after(shortTime)) }, buffer)
  }
  cancelledStep("receive, nothing there") { control in
    words(
      try server.with { try $0.receive(into: buffer.mutableSpan, until: longTime.cancellable(by: control)) }, buffer)
  }
  step("send a message without saying to whom") {
    words(try client.with { try $0.send("x".utf8.span, info: SCTPSendInfo()) })
  }
  step("send a first message on stream 2") {
    let info = SCTPSendInfo(stream: 2, payloadProtocol: 60)
    return words(try client.with { try $0.send("hello".utf8.span, to: here, info: info) })
  }
  server.awaitSomething()
  step("hear of the association") {
    words(try server.with { try $0.receive(into: buffer.mutableSpan, until: longTime) }, buffer)
  }
  server.awaitSomething()
  var association = SCTPAssociationID.future
  step("receive the message") {
    let arrival = try server.with { try $0.receive(into: buffer.mutableSpan, until: longTime) }
    if case .message(let message) = arrival { association = message.association }
    return words(arrival, buffer)
  }
  step("answer by the association") {
    words(try server.with { try $0.send("answer".utf8.span, info: SCTPSendInfo(stream: 1, association: association)) })
  }
  client.awaitSomething()
  step("receive the answer with room for four bytes") {
    var little: [UInt8] = [0, 0, 0, 0]
    return words(try client.with { try $0.receive(into: little.mutableSpan, until: longTime) }, little)
  }
  step("receive its rest") {
    words(try client.with { try $0.receive(into: buffer.mutableSpan, until: longTime) }, buffer)
  }
  step("send on a stream that there is not") {
    let info = SCTPSendInfo(stream: 9999, association: association)
    return words(try server.with { try $0.send("x".utf8.span, info: info) })
  }
  step("peel the association off")
  let peeled = Held(try server.with { try $0.peelOff(association) })
  step("shut it down") {
    try peeled.with { try $0.shutdown(.write) }
    return "shut down"
  }
  step("close all")
  peeled.close()
  client.close()
  server.close()
}

private func words(_ arrival: SCTPArrival?, _ bytes: [UInt8]) -> String {
  switch arrival {
  case .message(let message):
    "\(counted(message.count, bytes)), stream \(message.info?.stream ?? 99), "
      + (message.isComplete ? "whole" : "in part")
  case .notification(.associationChange): "an association has changed"
  case .notification: "another notification"
  case .endOfStream: "the end"
  case nil: "would block"
  }
}
