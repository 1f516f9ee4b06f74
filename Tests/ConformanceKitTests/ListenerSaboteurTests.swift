import Glibc
import SocketKit
import SocketKitConformance
import TestSupport
import Testing

private func listeners<F: StreamFault>(_ fault: F.Type) -> ListenerSuite<FaultySocket<F>> {
  ListenerSuite("faulty") {
    try TCPSocket.listen(on: .loopback(port: 0)).accepting(FaultySocket<F>.self, context: ())
  } connect: {
    FaultySocket(try TCPSocket.connect(to: $0, until: .after(.seconds(5))))
  }
}

private func saboteur<F: StreamFault>(_ crime: String, _ fault: F.Type, _ rule: String) -> Saboteur {
  Saboteur(crime, rule, listeners(F.self), listeners(Faultless.self))
}

/// Opens something for each attempt, and forgets it when the attempt fails.
private let leakingConnector = ListenerSuite<TCPSocket>("leaking") {
  try TCPSocket.listen(on: .loopback(port: 0))
} connect: { address in
  let extra = dup(0)
  do {
    let socket = try TCPSocket.connect(to: address, until: .after(.seconds(5)))
    close(extra)
    return socket
  } catch {
    Leaks.add(extra)
    throw error
  }
}

/// Its accept waits for a connection itself, which no deadline and no control ends.
private let blockingListener = ListenerSuite<TCPSocket>("blocking") {
  let listener = try TCPSocket.listen(on: .loopback(port: 0))
  _ = fcntl(listener.descriptor.value, F_SETFL, 0)
  let time = timeval(tv_sec: 0, tv_usec: Int(tooLong / .microseconds(1)))
  _ = listener.descriptor.writeOption(SOL_SOCKET, SO_RCVTIMEO, time)
  return listener
} connect: { address in
  try TCPSocket.connect(to: address, until: .after(.seconds(5)))
}

private func accomplices<F: AcceptFault>(_ fault: F.Type) -> ListenerSuite<AccompliceSocket<F>> {
  ListenerSuite("accomplices") {
    let listener = try TCPSocket.listen(on: .loopback(port: 0))
    let number = listener.descriptor.value
    return listener.accepting(AccompliceSocket<F>.self, context: number)
  } connect: {
    AccompliceSocket(try TCPSocket.connect(to: $0, until: .after(.seconds(5))))
  }
}

private func accomplice<F: AcceptFault>(_ crime: String, _ fault: F.Type, _ rule: String) -> Saboteur {
  Saboteur(crime, rule, accomplices(F.self), accomplices(NoAcceptFault.self))
}

/// A copy of its descriptor stays open when it closes.
private let lingeringListener = ListenerSuite<TCPSocket>("lingering") {
  let listener = try TCPSocket.listen(on: .loopback(port: 0))
  Leaks.add(dup(listener.descriptor.value))
  return listener
} connect: { address in
  try TCPSocket.connect(to: address, until: .after(.milliseconds(300)))
}

/// Has a backlog too short for what the suite asks for.
private let deafListener = ListenerSuite<TCPSocket>("deaf") {
  try TCPSocket.listen(on: .loopback(port: 0), backlog: 1)
} connect: { address in
  try TCPSocket.connect(to: address, until: .after(.milliseconds(300)))
}

@Suite(.exclusive) struct ListenerSaboteurTests {
  static let saboteurs = [
    saboteur("does not set close-on-exec", ForgetsCloseOnExec.self, "listener.accept.flags"),
    saboteur("does not set non-blocking", ForgetsNonBlocking.self, "listener.accept.flags"),
    saboteur("reports a wrong address", MistakesThePeer.self, "listener.accept.connects"),
    saboteur("reports a wrong address", MistakesThePeer.self, "listener.accept.reporting"),
    Saboteur(
      "leaks a descriptor when a connect fails", "listener.close.refuses", leakingConnector, listeners(Faultless.self)),
    Saboteur("blocks in an accept attempt", "listener.accept.nobody", blockingListener, listeners(Faultless.self)),
    saboteur("reports a wrong address", MistakesThePeer.self, "listener.address.bound"),
    saboteur("reports a wrong address", MistakesThePeer.self, "listener.accept.waits"),
    Saboteur("blocks in an accept attempt", "listener.accept.timed-out", blockingListener, listeners(Faultless.self)),
    Saboteur("blocks in an accept attempt", "listener.accept.cancelled", blockingListener, listeners(Faultless.self)),
    Saboteur(
      "blocks in an accept attempt", "listener.accept.cancelled-any-moment", blockingListener, listeners(Faultless.self)
    ),
    Saboteur(
      "blocks in an accept attempt",
      "listener.accept.deadline-any-moment", blockingListener, listeners(Faultless.self)),
    saboteur("reports a wrong address", MistakesThePeer.self, "listener.accept.descriptors-exhausted"),
    saboteur("reports a wrong address", MistakesThePeer.self, "listener.close.keeps-accepted"),
    Saboteur("keeps a copy of its descriptor", "listener.close.waiting", lingeringListener, listeners(Faultless.self)),
    saboteur("reports a wrong address", MistakesThePeer.self, "listener.shutdown.keeps-accepted"),
    accomplice(
      "stops listening after a connection is reset", StopsAfterAReset.self, "listener.accept.reset-connection"),
    accomplice("closes some of the connections", StealsConnections.self, "listener.accept.threads"),
    Saboteur("has a backlog that is too short", "listener.accept.many", deafListener, listeners(Faultless.self)),
  ]

  @Test(arguments: saboteurs) func caught(_ saboteur: Saboteur) throws {
    try saboteur.mustBeCaught()
  }
}
