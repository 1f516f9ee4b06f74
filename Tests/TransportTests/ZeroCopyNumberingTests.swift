import Glibc
import SocketKit
import TestSupport
import Testing

/// Which failed sends of datagrams use up a completion number of the kernel.
@Suite(.exclusive) struct ZeroCopyNumberingTests {
  private func buffer(_ size: Int, _ seed: UInt8) throws -> PinnedBuffer {
    var buffer = try PinnedBuffer(capacity: size)
    buffer.fill { span in
      for index in 0..<size { span[index] = seed &+ UInt8(truncatingIfNeeded: index >> 4) }
      return size
    }
    return buffer
  }

  private func expected(_ size: Int, _ seed: UInt8) -> [UInt8] {
    (0..<size).map { seed &+ UInt8(truncatingIfNeeded: $0 >> 4) }
  }

  /// Queues a buffer that cannot be sent, and gives the error; the buffer comes back unsent.
  private func failingSend(
    _ sender: inout ZeroCopySender, _ socket: borrowing UDPSocket, _ size: Int, to address: IPSocketAddress
  ) throws -> SocketError? {
    let id = sender.enqueue(try buffer(size, 99), to: address)
    let error = failure(SocketError.self) { () throws(SocketError) in _ = try sender.flush(to: socket) }
    let isBack = sender.takeUnsent()?.id == id
    #expect(isBack)
    return error
  }

  /// Sends three buffers, of which each must come back once, in order, and only when its own send is completed.
  private func threeComeBack(
    _ sender: inout ZeroCopySender, _ socket: borrowing UDPSocket, _ receiver: borrowing UDPSocket, size: Int = 5000
  ) throws {
    for seed: UInt8 in 1...3 {
      let id = sender.enqueue(try buffer(size, seed), to: try receiver.localAddress())
      let outcome = try sender.flush(to: socket)
      // Only a send with MSG_ZEROCOPY is in flight until its completion has been read.
      let begun = sender.sendsInFlight
      let bytes = try receiver.next(room: 10_000).bytes
      #expect(outcome == .done && begun == 1 && bytes == expected(size, seed))
      let count = try sender.waitForCompletions(from: socket, until: .after(.seconds(5)))
      #expect(count == 1)
      let done = sender.takeCompletion()?.id
      #expect(done == id)
      let (inFlight, more) = (sender.sendsInFlight, sender.completedCount)
      #expect(inFlight == 0 && more == 0)
    }
  }

  @Test(arguments: [UDPWay.v4, .v6]) func aFirewallsRefusalUsesUpANumber(_ way: UDPWay) throws {
    try inNamespaceWithLoopback {
      let receiver = try UDPSocket.bind(to: way.any)
      let refused = try UDPSocket.bind(to: way.any)
      let socket = try UDPSocket.open(for: way.any)
      var sender = try ZeroCopySender(for: socket, capacity: 4)
      guard try dropUDP(toPort: refused.port()) else { return }
      for _ in 0..<3 {
        let error = try failingSend(&sender, socket, 5000, to: refused.localAddress())
        #expect(error?.code == .permissionDenied && error?.errno == EPERM && error?.operation == .send)
      }
      try threeComeBack(&sender, socket, receiver)
      let again = try failingSend(&sender, socket, 5000, to: refused.localAddress())
      #expect(again?.code == .permissionDenied)
      try threeComeBack(&sender, socket, receiver)
    }
  }

  @Test(arguments: [UDPWay.v4, .v6]) func aFullQueueUsesUpANumber(_ way: UDPWay) throws {
    try inNamespaceWithLoopback {
      let receiver = try UDPSocket.bind(to: way.any)
      let socket = try UDPSocket.open(for: way.any)
      try socket.setOption(.receiveErrors, to: true)
      var sender = try ZeroCopySender(for: socket, capacity: 4)
      try threeComeBack(&sender, socket, receiver)
      guard runTool("tc", "qdisc add dev lo root pfifo limit 0") else { return }
      for _ in 0..<2 {
        let error = try failingSend(&sender, socket, 5000, to: receiver.localAddress())
        #expect(error?.code == .outOfMemory && error?.errno == ENOBUFS)
      }
      // The next buffer waits in a queue, behind a datagram that uses up what the queue lets through at once. The
      // completions of the failed sends are not its own.
      guard runTool("tc", "qdisc replace dev lo root tbf rate 8kbit burst 6000 limit 20000") else { return }
      let other = try UDPSocket.open(for: way.any)
      try other.send([UInt8](repeating: 0, count: 5000).span, to: receiver.localAddress(), until: .after(.seconds(5)))
      _ = try receiver.next(room: 10_000)
      let id = sender.enqueue(try buffer(5000, 1), to: try receiver.localAddress())
      let outcome = try sender.flush(to: socket)
      let early = try sender.readCompletions(from: socket)
      let (inFlight, isFirst) = (sender.sendsInFlight, sender.takeCompletion() == nil)
      #expect(outcome == .done && early == 0 && inFlight == 1 && isFirst)
      guard runTool("tc", "qdisc del dev lo root") else { return }
      let completed = try sender.waitForCompletions(from: socket, until: .after(.seconds(5)))
      let done = sender.takeCompletion()?.id
      #expect(completed == 1 && done == id)
      try threeComeBack(&sender, socket, receiver)
    }
  }

  /// A message of several fragments, of which the first ones wait in a slow queue and the last does not fit: its number
  /// is used up, and its completion comes much later than the failure.
  @Test func fragmentsOnTheirWayUseUpANumberThatCompletesLater() throws {
    try inNamespaceWithLoopback {
      guard runTool("ip", "link set lo mtu 1500"),
        runTool("tc", "qdisc add dev lo root tbf rate 8kbit burst 1600 limit 3200")
      else { return }
      let receiver = try UDPSocket.bind(to: .loopback(port: 0))
      let socket = try UDPSocket.open(for: .loopback(port: 0))
      try socket.setOption(.receiveErrors, to: true)
      var sender = try ZeroCopySender(for: socket, capacity: 4)
      let error = try failingSend(&sender, socket, 8000, to: receiver.localAddress())
      #expect(error?.code == .outOfMemory && error?.errno == ENOBUFS)
      // What waits in the queue is dropped, and completed, with it.
      guard runTool("tc", "qdisc del dev lo root") else { return }
      try threeComeBack(&sender, socket, receiver)
    }
  }

  /// The kernel takes back the number of a message that it did not build: one that is too long, that has no route or no
  /// port, or whose send reports the pending error of an earlier one.
  @Test func otherFailuresUseUpNoNumber() throws {
    try inNamespaceWithLoopback {
      let receiver = try UDPSocket.bind(to: .loopback(port: 0))
      let closed = IPSocketAddress.loopback(port: try UDPSocket.bind(to: .loopback(port: 0)).port())
      let socket = try UDPSocket.connect(to: closed)
      var sender = try ZeroCopySender(for: socket, capacity: 8)
      let first = sender.enqueue(try buffer(100, 0))
      _ = try sender.flush(to: socket)
      let pending = try failingSend(&sender, socket, 100, to: closed)
      #expect(pending?.code == .connectionRefused)
      let count = try sender.readCompletions(from: socket)
      let done = sender.takeCompletion()?.id
      #expect(count == 1 && done == first)
      try socket.disconnect()
      let address = try receiver.localAddress()
      let tooLong = try failingSend(&sender, socket, 70_000, to: address)
      #expect(tooLong?.code == .messageTooLarge)
      let noPort = try failingSend(&sender, socket, 5000, to: address.with(port: 0))
      #expect(noPort?.code == .invalidArgument)
      let noRoute = try failingSend(&sender, socket, 5000, to: IPSocketAddress(IPv4Address(10, 9, 8, 7), port: 9))
      #expect(noRoute?.code == .unreachable)
      try threeComeBack(&sender, socket, receiver)
    }
  }

  /// The sender neither sends its remaining buffers to another socket that has the descriptor's number now, nor reads
  /// that socket's error queue.
  @Test func aReusedDescriptorNumberIsAnotherSocket() throws {
    let receiver = try UDPSocket.bind(to: .loopback(port: 0))
    func connected() throws -> UDPSocket { try UDPSocket.connect(to: receiver.localAddress()) }
    let first = try connected()
    let number = first.descriptor
    var sender = try ZeroCopySender(for: first, capacity: 4)
    let tooLong = sender.enqueue(try buffer(70_000, 1))
    _ = sender.enqueue(try buffer(5000, 2))
    let error = failure(SocketError.self) { () throws(SocketError) in _ = try sender.flush(to: first) }
    // The second one could be sent.
    let unsent = sender.takeUnsent()?.id
    #expect(error?.code == .messageTooLarge && unsent == tooLong)
    try first.close()
    let second = try connected()
    let reused = second.descriptor
    #expect(reused == number)
    let sent = failure(SocketError.self) { () throws(SocketError) in _ = try sender.flush(to: second) }
    let read = failure(SocketError.self) { () throws(SocketError) in _ = try sender.readCompletions(from: second) }
    let waited = failure(SocketError.self) { () throws(SocketError) in
      _ = try sender.waitForCompletions(from: second, until: .past.orSoon)
    }
    #expect(sent == SocketError(code: .invalidArgument, .send))
    #expect(read == SocketError(code: .invalidArgument, .receive))
    #expect(waited == SocketError(code: .invalidArgument, .receive))
    #expect(try isQuiet(receiver))
    // The number's new socket has a sender of its own.
    var other = try ZeroCopySender(for: second, capacity: 4)
    _ = try other.send(try buffer(5000, 7), to: second)
    let bytes = try receiver.next(room: 10_000).bytes
    let stolen = failure(SocketError.self) { () throws(SocketError) in _ = try sender.readCompletions(from: second) }
    let completed = try other.readCompletions(from: second)
    #expect(bytes == expected(5000, 7) && stolen?.code == .invalidArgument && completed == 1)
  }

  /// Both directions have ended and the peer acknowledges nothing: every sleep ends at once, and yet no processor time
  /// goes.
  @Test func waitingForCompletionsAfterTheEndUsesNoProcessorTime() throws {
    let listener = try TCPSocket.listen(on: .loopback(port: 0))
    let client = try TCPSocket.connect(to: listener.localAddress(), until: .after(.seconds(5)))
    let server = try listener.accept(until: .after(.seconds(5)))
    var sender = try ZeroCopySender(for: client, capacity: 8)
    for seed: UInt8 in 0..<8 { _ = sender.enqueue(try buffer(1 << 20, seed)) }
    let outcome = try sender.flush(to: client)
    try client.shutdown(.both)
    _ = try sender.readCompletions(from: client)
    while sender.takeCompletion() != nil {}
    let inFlight = sender.sendsInFlight
    #expect(outcome == nil && inFlight > 0)
    let before = threadCPUTime()
    let error = failure(SocketError.self) { () throws(SocketError) in
      _ = try sender.waitForCompletions(from: client, until: .after(.milliseconds(400)))
    }
    let used = threadCPUTime() - before
    #expect(error?.code == .timedOut && used < 40, "\(used) ms of 400")
    _ = consume server
  }

  /// net.core.optmem_max: a stream's failed send uses up no number.
  @Test func aStreamsFailedSendUsesUpNoNumber() throws {
    try inNamespaceWithLoopback {
      let path = "/proc/sys/net/core/optmem_max"
      let listener = try TCPSocket.listen(on: .loopback(port: 0))
      let client = try TCPSocket.connect(to: listener.localAddress(), until: .after(.seconds(5)))
      let server = try listener.accept(until: .after(.seconds(5)))
      var sender = try ZeroCopySender(for: client, capacity: 8)
      guard writeFile(path, "1000") else { return unavailable("\(path) is not a namespace's own: Linux 6.8") }
      for seed: UInt8 in 0..<8 { _ = sender.enqueue(try buffer(20_000, seed)) }
      var waits = 0
      var completed: [UInt64] = []
      var received = 0
      var bytes = [UInt8](repeating: 0, count: 1 << 16)
      let deadline = Deadline.after(.seconds(10))
      while completed.count < 8 && !deadline.hasPassed {
        if try sender.flush(to: client) == .waitForCompletions { waits += 1 }
        while case .bytes(let count) = try server.read(into: bytes.mutableSpan) { received += count }
        _ = try sender.readCompletions(from: client)
        while let done = sender.takeCompletion() { completed.append(done.id.rawValue) }
      }
      #expect(completed == Array(0..<8) && received == 160_000 && waits > 0)
    }
  }
}

extension Deadline {
  /// Not the past itself, which ends a wait before it begins.
  fileprivate var orSoon: Deadline { .after(.seconds(1)) }
}
