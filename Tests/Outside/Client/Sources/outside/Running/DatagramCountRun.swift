import CounterLoop
import Glibc
import SocketKitCore
import SocketKitEpoll
import SocketKitIP
import SocketKitUDP

// `count LOOP udp|metered POLLER DATAGRAMS`: LOOP is `datagram`, `batch`, `joined` (a batch whose datagrams are sent as
// one), `offload`, or the same in C: `c-datagram` …
// Both processes share a CPU and take turns, so that what is sent at once is received at once: the counts are the same
// on every run.

/// Datagrams that are sent at once: to batches one by one but with one call, coalesced where the loop is for that.
private let burst = 50
/// Room for more than that.
private let batchCapacity = 64
private let datagramSize = 64

func datagramCountRun(_ loop: String, _ transport: String, _ poller: String, _ datagrams: Int) throws {
  try expect(counter_take_turns() == 0, "the processes cannot take turns")
  switch (transport, poller) {
  case ("udp", "epoll"): try count(loop, udp_epoll(), datagrams)
  case ("udp", "poll"): try count(loop, udp_poll(), datagrams)
  case ("udp", "spin"): try count(loop, udp_spin(), datagrams)
  case ("metered", "epoll"): try count(loop, metered_epoll(), datagrams)
  case ("metered", "poll"): try count(loop, metered_poll(), datagrams)
  case ("metered", "spin"): try count(loop, metered_spin(), datagrams)
  default: throw Mismatch(description: "count: no such transport or poller")
  }
}

private func count<S: LoopbackDatagrams & ~Copyable, P: Poller & ~Copyable>(
  _ loop: String, _ roots: DatagramRoots<S, P>, _ datagrams: Int
) throws {
  let bound = try UDPSocket.bind(to: .loopback(port: 0))
  let offloads = loop.hasSuffix("offload")
  if offloads { try coalesce(bound) }
  let shape = loop.hasPrefix("c-") ? String(loop.dropFirst(2)) : loop
  let peer = try spawn(["datagram-peer", shape, try bound.localAddress().description, String(datagrams)])
  let size = offloads ? 65535 : datagramSize
  let number = bound.descriptor.value
  let capacity = UInt32(batchCapacity)
  var batch = MessageBatch(capacity: batchCapacity, messageCapacity: size, ancillaryCapacity: offloads ? 64 : 0)
  if loop == "joined" { batch.mostJoined = batchCapacity }
  let server = S(wrapping: bound)
  var poller = try P(P.configuration(capacity: 256))
  if !loop.hasPrefix("c-") { try poller.register(server, for: .readable, token: Token(index: 1)) }
  let done =
    switch loop {
    case "datagram": try roots.datagram(server, &poller, datagrams)
    case "batch", "joined": try roots.batch(server, &poller, &batch, datagrams)
    case "offload": try roots.offload(server, &poller, &batch, datagrams)
    case "c-datagram": counter_datagrams(number, COUNTER_PLAIN, capacity, size, datagrams)
    case "c-batch", "c-joined": counter_datagrams(number, COUNTER_BATCH, capacity, size, datagrams)
    case "c-offload": counter_datagrams(number, COUNTER_OFFLOAD, capacity, size, datagrams)
    default: throw Mismatch(description: "count: no such loop")
    }
  try expect(done == datagrams, "\(done) of \(datagrams) datagrams were echoed")
  var status: Int32 = 0
  waitpid(peer, &status, 0)
  try expect(status == 0, "the peer got other bytes back")
}

/// `datagram-peer SHAPE ADDRESS DATAGRAMS`: sends what the loop is for, waits for all of it, and so on.
func datagramPeerRun(_ arguments: [String]) throws {
  guard arguments.count == 3, let datagrams = Int(arguments[2]), let address = IPSocketAddress(arguments[1]) else {
    throw Mismatch(description: "datagram-peer: 3 arguments")
  }
  try expect(counter_take_turns() == 0, "the processes cannot take turns")
  let socket = try UDPSocket.connect(to: address)
  let perTurn = arguments[0] == "datagram" ? 1 : arguments[0] == "offload" ? 4 * burst : burst
  var bytes = [UInt8](repeating: 0, count: datagramSize + 1)
  var next = 0
  while next < datagrams {
    let turn = next..<min(next + perTurn, datagrams)
    if arguments[0] == "offload" { try sendCoalesced(socket, turn) } else { try sendAll(socket, turn) }
    for number in turn {
      var info = MessageInfo()
      let count = try socket.receive(into: bytes.mutableSpan, &info, until: .after(patience))
      try expect(Array(bytes[..<count]) == message(number), "datagram \(number) came back changed")
    }
    next = turn.upperBound
  }
}

private func sendAll(_ socket: borrowing UDPSocket, _ numbers: Range<Int>) throws {
  var batch = MessageBatch(capacity: burst, messageCapacity: datagramSize)
  for number in numbers {
    let bytes = message(number)
    try batch.append(bytes.span)
  }
  while batch.sent < batch.count {
    try expect(try batch.send(on: socket) != nil, "the peer's socket is full")
  }
}

private func sendCoalesced(_ socket: borrowing UDPSocket, _ numbers: Range<Int>) throws {
  var batch = MessageBatch(capacity: 4, messageCapacity: burst * datagramSize, ancillaryCapacity: 24)
  for first in stride(from: numbers.lowerBound, to: numbers.upperBound, by: burst) {
    let slot = batch.count
    // In a name of its own: the span of what a call returned crashes the compiler (6.3.1) here.
    let bytes = (first..<min(first + burst, numbers.upperBound)).flatMap { message($0) }
    try batch.append(bytes.span)
    try batch.setSegmentSize(UInt16(datagramSize), at: slot)
  }
  while batch.sent < batch.count {
    try expect(try batch.send(on: socket) != nil, "the peer's socket is full")
  }
}
