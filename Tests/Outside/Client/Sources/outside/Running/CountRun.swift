import CounterLoop
import Glibc
import LengthPrefixed
import MultipathTCP
import SocketKitBusySpin
import SocketKitCore
import SocketKitEpoll
import SocketKitPoll
import SocketKitTCP
import SocketKitUnix

/// `count LOOP TRANSPORT POLLER MESSAGES`: serves one connection in this process, the peer in another, so that what
/// counts this one counts the server's side only. LOOP is `c`, `readWrite`, `wrapper`, or `wasteful`,
/// which the gates must report; over datagrams see DatagramCountRun.swift.
func countRun(_ arguments: [String]) throws {
  guard arguments.count == 4, let messages = Int(arguments[3]) else {
    throw Mismatch(description: "count: 4 arguments")
  }
  switch (arguments[1], arguments[2]) {
  case ("tcp", "epoll"): try count(arguments[0], "tcp", hot_readWrite_tcp_epoll, hot_wrapper_tcp_epoll, messages)
  case ("tcp", "poll"): try count(arguments[0], "tcp", hot_readWrite_tcp_poll, hot_wrapper_tcp_poll, messages)
  case ("tcp", "spin"): try count(arguments[0], "tcp", hot_readWrite_tcp_spin, hot_wrapper_tcp_spin, messages)
  case ("unix", "epoll"): try count(arguments[0], "unix", hot_readWrite_unix_epoll, hot_wrapper_unix_epoll, messages)
  case ("unix", "poll"): try count(arguments[0], "unix", hot_readWrite_unix_poll, hot_wrapper_unix_poll, messages)
  case ("unix", "spin"): try count(arguments[0], "unix", hot_readWrite_unix_spin, hot_wrapper_unix_spin, messages)
  case ("mptcp", "epoll"):
    try count(arguments[0], "mptcp", hot_readWrite_mptcp_epoll, hot_wrapper_mptcp_epoll, messages)
  case ("mptcp", "poll"): try count(arguments[0], "mptcp", hot_readWrite_mptcp_poll, hot_wrapper_mptcp_poll, messages)
  case ("mptcp", "spin"): try count(arguments[0], "mptcp", hot_readWrite_mptcp_spin, hot_wrapper_mptcp_spin, messages)
  default: try datagramCountRun(arguments[0], arguments[1], arguments[2], messages)
  }
}

private func count<S: LoopbackTransport & ~Copyable, P: Poller & ~Copyable>(
  _ loop: String, _ transport: String, _ plain: (borrowing S, inout P, Int) throws(SocketError) -> Int,
  _ wrapper: (inout Wrapped<S>, inout P, Int) throws(SocketError) -> Int, _ messages: Int
) throws {
  let listener = try S.listen(on: S.place())
  let address = S.text(try listener.localAddress())
  let peer = try spawn(["peer", transport, address, String(messages), loop == "wrapper" ? "framed" : "plain"])
  let socket = try listener.accept(until: .after(patience))
  var poller = try P(P.configuration(capacity: 256))
  let token = Token(index: 1)
  var done = 0
  switch loop {
  case "c": done = counter_loop(socket.descriptor.value, messages)
  case "readWrite":
    try poller.register(socket, for: .readable, token: token)
    done = try plain(socket, &poller, messages)
  case "wrapper":
    var wrapped = FramedSocket(MeteredSocket(socket), maximumLength: 64)
    try poller.register(wrapped, for: .readable, token: token)
    done = try wrapper(&wrapped, &poller, messages)
  case "wasteful":
    try poller.register(socket, for: .readable, token: token)
    done = try wasteful(socket, &poller, messages)
  default: throw Mismatch(description: "count: no such loop")
  }
  try expect(done == messages, "\(done) of \(messages) messages were echoed")
  var status: Int32 = 0
  waitpid(peer, &status, 0)
  try expect(status == 0, "the peer got other bytes back")
}

/// The loop that every gate must report: an allocation, a system call and some hundred instructions more a message.
@inline(never)
private func wasteful<S: StreamSocket & ~Copyable, P: Poller & ~Copyable>(
  _ socket: borrowing S, _ poller: inout P, _ messages: Int
) throws(SocketError) -> Int {
  var done = 0
  while done < messages {
    let memory = UnsafeMutablePointer<pid_t>.allocate(capacity: 64)
    memory.initialize(repeating: getppid(), count: 64)
    done += try readWrite(socket, &poller, memory[done % 64] >= 0 ? 1 : 2)
    memory.deallocate()
  }
  return done
}

/// This program again, without what is preloaded into this process to watch it.
func spawn(_ arguments: [String]) throws -> pid_t {
  var list: [UnsafeMutablePointer<CChar>?] = ([CommandLine.arguments[0]] + arguments).map { strdup($0) } + [nil]
  defer { for item in list { free(item) } }
  var environment: [UnsafeMutablePointer<CChar>?] = [nil]
  var child: pid_t = 0
  let failure = posix_spawn(&child, CommandLine.arguments[0], nil, nil, &list, &environment)
  try expect(failure == 0, "the peer did not start: errno \(failure)")
  return child
}

/// `peer TRANSPORT ADDRESS MESSAGES plain|framed`: sends a message, waits for its echo, and so on.
func peerRun(_ arguments: [String]) throws {
  guard arguments.count == 4, let messages = Int(arguments[2]) else { throw Mismatch(description: "peer: 4 arguments") }
  let framed = arguments[3] == "framed"
  switch arguments[0] {
  case "tcp": try pingPong(TCPSocket.self, arguments[1], messages, framed)
  case "unix": try pingPong(UnixStreamSocket.self, arguments[1], messages, framed)
  default: try pingPong(MultipathTCPSocket.self, arguments[1], messages, framed)
  }
}

private func pingPong<S: LoopbackTransport & ~Copyable>(
  _ type: S.Type, _ text: String, _ messages: Int, _ framed: Bool
) throws {
  guard let address = S.address(text) else { throw Mismatch(description: "peer: \(text) is no address") }
  let socket = try S.connect(to: address, until: .after(patience))
  var bytes = [UInt8](repeating: 0, count: 64)
  if framed {
    var frames = FramedSocket(socket)
    for number in 0..<messages {
      try frames.send(message(number).span, until: .after(patience))
      _ = try frames.receive(into: bytes.mutableSpan, until: .after(patience))
      try expect(bytes == message(number), "frame \(number) came back changed")
    }
  } else {
    for number in 0..<messages {
      try socket.writeAll(message(number).span, until: .after(patience))
      try socket.readExactly(into: bytes.mutableSpan, until: .after(patience))
      try expect(bytes == message(number), "message \(number) came back changed")
    }
  }
}
