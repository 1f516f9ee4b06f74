import CSocketKit
import DatagramMeter
import SocketKitBusySpin
import SocketKitCore
import SocketKitEpoll
import SocketKitIP
import SocketKitPoll
import SocketKitUDP

/// A datagram socket that can be tried on this host: UDP, or a wrapper over it.
protocol LoopbackDatagrams: DatagramSocket, ~Copyable where Address == IPSocketAddress {
  init(wrapping socket: consuming UDPSocket)
}

extension UDPSocket: LoopbackDatagrams {
  init(wrapping socket: consuming UDPSocket) { self = socket }
}

extension MeteredDatagrams: LoopbackDatagrams where Base: LoopbackDatagrams & ~Copyable {
  init(wrapping socket: consuming UDPSocket) { self.init(Base(wrapping: socket)) }
}

/// The three roots of one datagram socket with one poller.
struct DatagramRoots<S: LoopbackDatagrams & ~Copyable, P: Poller & ~Copyable> {
  typealias Batch = (borrowing S, inout P, inout MessageBatch, Int) throws(SocketError) -> Int
  let name: String
  let datagram: (borrowing S, inout P, Int) throws(SocketError) -> Int
  let batch: Batch
  let offload: Batch
}

func udp_epoll() -> DatagramRoots<UDPSocket, EpollPoller> {
  DatagramRoots(
    name: "udp epoll", datagram: hot_datagram_udp_epoll, batch: hot_batch_udp_epoll, offload: hot_offload_udp_epoll)
}

func udp_poll() -> DatagramRoots<UDPSocket, PollPoller> {
  DatagramRoots(
    name: "udp poll", datagram: hot_datagram_udp_poll, batch: hot_batch_udp_poll, offload: hot_offload_udp_poll)
}

func udp_spin() -> DatagramRoots<UDPSocket, BusySpinPoller> {
  DatagramRoots(
    name: "udp spin", datagram: hot_datagram_udp_spin, batch: hot_batch_udp_spin, offload: hot_offload_udp_spin)
}

func metered_epoll() -> DatagramRoots<MeteredDatagrams<UDPSocket>, EpollPoller> {
  DatagramRoots(
    name: "metered epoll", datagram: hot_datagram_metered_epoll, batch: hot_batch_metered_epoll,
    offload: hot_offload_metered_epoll)
}

func metered_poll() -> DatagramRoots<MeteredDatagrams<UDPSocket>, PollPoller> {
  DatagramRoots(
    name: "metered poll", datagram: hot_datagram_metered_poll, batch: hot_batch_metered_poll,
    offload: hot_offload_metered_poll)
}

func metered_spin() -> DatagramRoots<MeteredDatagrams<UDPSocket>, BusySpinPoller> {
  DatagramRoots(
    name: "metered spin", datagram: hot_datagram_metered_spin, batch: hot_batch_metered_spin,
    offload: hot_offload_metered_spin)
}

/// Runs the 18 compositions of datagrams; how many failed.
func runAllDatagrams() -> Int {
  DatagramCompositionRun(roots: udp_epoll()).all() + DatagramCompositionRun(roots: udp_poll()).all()
    + DatagramCompositionRun(roots: udp_spin()).all() + DatagramCompositionRun(roots: metered_epoll()).all()
    + DatagramCompositionRun(roots: metered_poll()).all() + DatagramCompositionRun(roots: metered_spin()).all()
}

/// Runs the roots over loopback, one thread on both sides: datagrams are sent first, and wait in the kernel.
struct DatagramCompositionRun<S: LoopbackDatagrams & ~Copyable, P: Poller & ~Copyable> {
  let roots: DatagramRoots<S, P>
  let rounds = 20
  let burst = 10

  func all() -> Int {
    var failed = 0
    for (shape, body) in [("datagram", datagram), ("batch", batch), ("offload", offload)] {
      do {
        try body()
        print("ok   \(shape) \(roots.name)")
      } catch {
        print("FAIL \(shape) \(roots.name): \(error)")
        failed += 1
      }
    }
    return failed
  }

  private func withServer(
    coalescing: Bool = false, _ body: (borrowing UDPSocket, borrowing S, inout P) throws -> Void
  ) throws {
    let bound = try UDPSocket.bind(to: .loopback(port: 0))
    if coalescing { try coalesce(bound) }
    let client = try UDPSocket.connect(to: try bound.localAddress())
    let server = S(wrapping: bound)
    var poller = try P(P.configuration(capacity: 16))
    try poller.register(server, for: .readable, token: Token(index: 1))
    try body(client, server, &poller)
    try poller.deregister(server)
  }

  private func check(_ client: borrowing UDPSocket, _ number: Int) throws {
    var bytes = [UInt8](repeating: 0, count: 65)
    var info = MessageInfo()
    let count = try client.receive(into: bytes.mutableSpan, &info, until: .after(patience))
    try expect(Array(bytes[..<count]) == message(number), "datagram \(number) came back changed")
  }

  func datagram() throws {
    try withServer { client, server, poller in
      for number in 0..<rounds { try client.send(message(number).span, to: nil, until: .after(patience)) }
      try expect(try roots.datagram(server, &poller, rounds) == rounds, "not all were echoed")
      for number in 0..<rounds { try check(client, number) }
    }
  }

  func batch() throws {
    try withServer { client, server, poller in
      var batch = MessageBatch(capacity: 8, messageCapacity: 64)
      for number in 0..<rounds { try client.send(message(number).span, to: nil, until: .after(patience)) }
      try expect(try roots.batch(server, &poller, &batch, rounds) == rounds, "not all were echoed")
      for number in 0..<rounds { try check(client, number) }
    }
  }

  func offload() throws {
    try withServer(coalescing: true) { client, server, poller in
      var batch = MessageBatch(capacity: 4, messageCapacity: 65535, ancillaryCapacity: 64)
      var ancillary = AncillaryBuffer<24>()
      try ancillary.append(level: CSK_IPPROTO_UDP, type: CSK_UDP_SEGMENT, value: UInt16(64))
      for round in 0..<rounds {
        let bytes = (0..<burst).flatMap { message(round * burst + $0) }
        _ = try client.send(bytes.span, ancillary: ancillary.bytes)
      }
      // And one alone, which does not come coalesced.
      try client.send(message(burst * rounds).span, to: nil, until: .after(patience))
      let all = burst * rounds + 1
      try expect(try roots.offload(server, &poller, &batch, all) == all, "not all were echoed")
      for number in 0..<all { try check(client, number) }
    }
  }
}

/// Has a UDP socket receive many datagrams as one (UDP_GRO).
func coalesce(_ socket: borrowing UDPSocket) throws(SocketError) {
  try socket.setOption(SocketOption(flag: CSK_UDP_GRO, level: CSK_IPPROTO_UDP), to: true)
}
