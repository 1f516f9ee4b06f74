import Glibc
import SocketKit
import TestSupport
import Testing

/// Zero-copy sends over loopback, where the kernel always copies after all and says so.
@Suite(.exclusive) struct ZeroCopyTests {
  private func tcpPair() throws -> SocketPair<TCPSocket> {
    let listener = try TCPSocket.listen(on: .loopback(port: 0))
    let client = try TCPSocket.connect(to: listener.localAddress(), until: .after(.seconds(5)))
    return SocketPair(client, try listener.accept(until: .after(.seconds(5))))
  }

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

  private func take<S: StreamSocket & ~Copyable>(_ socket: borrowing S, into received: inout [UInt8]) throws {
    var chunk = [UInt8](repeating: 0, count: 1 << 16)
    while case .bytes(let count) = try socket.read(into: chunk.mutableSpan) { received += chunk.prefix(count) }
  }

  @Test func aBufferIsWholePagesAndKeepsItsBytes() throws {
    var buffer = try PinnedBuffer(capacity: 5000)
    let (capacity, empty) = (buffer.capacity, buffer.count)
    buffer.copy([1, 2, 3].span)
    let bytes = buffer.withBytes { Array($0.indices).count }
    let second = buffer.withBytes { $0[1] }
    #expect(capacity == 8192 && empty == 0 && bytes == 3 && second == 2)
    for size in [0, -1, Int.max] {
      let error = failure(SocketError.self) { () throws(SocketError) in _ = try PinnedBuffer(capacity: size) }
      #expect(error?.code == .invalidArgument)
    }
    let huge = failure(SocketError.self) { () throws(SocketError) in _ = try PinnedBuffer(capacity: 1 << 60) }
    #expect(huge?.code == .outOfMemory)
  }

  @Test func streamsGiveEveryBufferBackOnce() throws {
    let pair = try tcpPair()
    var sender = try ZeroCopySender(for: pair.first, capacity: 8)
    let size = 1 << 20
    var ids: [ZeroCopyID] = []
    for seed: UInt8 in 0..<6 { ids.append(sender.enqueue(try buffer(size, seed))) }
    ids.append(sender.enqueue(try PinnedBuffer(capacity: 1)))  // nothing to send
    var received: [UInt8] = []
    var completed: [ZeroCopyID] = []
    var blocked = 0
    var copied = 0
    let deadline = Deadline.after(.seconds(20))
    while completed.count < ids.count && !deadline.hasPassed {
      if try sender.flush(to: pair.first) == nil { blocked += 1 }
      try take(pair.second, into: &received)
      _ = try sender.readCompletions(from: pair.first)
      while let done = sender.takeCompletion() {
        completed.append(done.id)
        if done.wasCopied { copied += 1 }
        let sent = done.bytesSent
        #expect(sent == (done.id == ids[6] ? 0 : size))
        _ = done.takeBuffer()
      }
    }
    let (unsent, inFlight, full) = (sender.unsentCount, sender.sendsInFlight, sender.isFull)
    #expect(completed.sorted { $0.rawValue < $1.rawValue } == ids && blocked > 0 && copied == 6)
    #expect(unsent == 0 && inFlight == 0 && !full)
    try take(pair.second, into: &received)
    #expect(received == (0..<6).flatMap { expected(size, $0) })
  }

  @Test func buffersComeBackInManyRoundsThroughFewPlaces() throws {
    let pair = try tcpPair()
    var sender = try ZeroCopySender(for: pair.first, capacity: 2, sends: 3)
    var spare: PinnedBuffer? = try buffer(20_000, 1)
    var received: [UInt8] = []
    var rounds = 0
    let deadline = Deadline.after(.seconds(20))
    while rounds < 50 && !deadline.hasPassed {
      if let next = spare.take() { _ = try sender.send(next, to: pair.first) }
      _ = try sender.flush(to: pair.first)
      try take(pair.second, into: &received)
      _ = try sender.readCompletions(from: pair.first)
      if let done = sender.takeCompletion() {
        spare = done.takeBuffer()
        rounds += 1
      }
    }
    let last = sender.takeCompletion() == nil
    #expect(rounds == 50 && last && received.count == 50 * 20_000)
  }

  @Test func datagramsOverBothVersions() throws {
    for address in [IPSocketAddress.loopback(port: 0), .loopbackIPv6(port: 0)] {
      let receiver = try UDPSocket.bind(to: address)
      try receiver.setOption(.receiveBuffer, to: 1 << 20)
      let socket = try UDPSocket.open(for: address)
      var sender = try ZeroCopySender(for: socket, capacity: 16)
      for seed: UInt8 in 0..<10 { _ = sender.enqueue(try buffer(9000, seed), to: try receiver.localAddress()) }
      let outcome = try sender.flush(to: socket)
      #expect(outcome == .done)
      var bytes = [UInt8](repeating: 0, count: 10_000)
      var info = MessageInfo()
      for seed: UInt8 in 0..<10 {
        let count = try receiver.receive(into: bytes.mutableSpan, &info, until: .after(.seconds(5)))
        #expect(Array(bytes.prefix(count)) == expected(9000, seed))
      }
      var completed = 0
      let deadline = Deadline.after(.seconds(5))
      while completed < 10 && !deadline.hasPassed {
        _ = try sender.readCompletions(from: socket)
        while let done = sender.takeCompletion() {
          #expect(done.wasCopied && done.bytesSent == 9000 && done.id.rawValue == UInt64(completed))
          completed += 1
        }
      }
      #expect(completed == 10)
    }
  }

  /// Completions show as an error without being asked for, for as long as they are not read.
  @Test func pollersReportCompletionsAsError() throws {
    try reports(with: EpollPoller())
    try reports(with: PollPoller())
  }

  private func reports<P: Poller & ~Copyable>(with poller: consuming P) throws {
    let receiver = try UDPSocket.bind(to: .loopback(port: 0))
    let socket = try UDPSocket.connect(to: receiver.localAddress())
    var sender = try ZeroCopySender(for: socket)
    try poller.register(socket, for: .readable, token: Token(index: 5))
    let before = try poller.wait(until: .past)
    _ = try sender.send(try buffer(8000, 0), to: socket)
    var bytes = [UInt8](repeating: 0, count: 8000)
    var info = MessageInfo()
    _ = try receiver.receive(into: bytes.mutableSpan, &info, until: .after(.seconds(5)))
    let first = try poller.wait(until: .after(.seconds(5)))
    let readiness = first == 1 ? poller[event: 0].readiness : []
    let second = try poller.wait(until: .after(.seconds(5)))
    #expect(before == 0 && first == 1 && second == 1 && readiness.contains(.error) && !readiness.contains(.readable))
    let completed = try sender.readCompletions(from: socket)
    let after = try poller.wait(until: .past)
    #expect(completed == 1 && after == 0)
    try poller.deregister(socket)
  }

  /// The peer reads what was sent, whatever this process does with its memory afterwards.
  @Test func droppingWithSendsInFlightIsSafe() throws {
    let pair = try tcpPair()
    let size = 256 << 10
    var count = 0
    do {
      var sender = try ZeroCopySender(for: pair.first)
      for seed: UInt8 in 0..<4 { _ = sender.enqueue(try buffer(size, seed)) }
      _ = try sender.flush(to: pair.first)
      count = 4 - sender.unsentCount
      let inFlight = sender.sendsInFlight
      #expect(inFlight > 0 && count > 0)
    }
    var later = try PinnedBuffer(capacity: 4 * size)
    later.fill { span in
      for index in 0..<span.count { span[index] = 0xee }
      return 0
    }
    try pair.first.shutdown(.write)
    var received: [UInt8] = []
    var chunk = [UInt8](repeating: 0, count: 1 << 16)
    while case .bytes(let number) = try pair.second.read(into: chunk.mutableSpan, until: .after(.seconds(5))) {
      received += chunk.prefix(number)
    }
    let all = (0..<4).flatMap { expected(size, $0) }
    #expect(received.count >= count * size && received == Array(all.prefix(received.count)))
  }

  @Test func aThreadCanWaitForCompletions() throws {
    let pair = try tcpPair()
    var sender = try ZeroCopySender(for: pair.first)
    let nothing = try sender.waitForCompletions(from: pair.first, until: .after(.seconds(5)))
    let size = 1 << 18
    _ = try sender.send(try buffer(size, 3), to: pair.first)
    let number = pair.second.descriptor.value
    let reader = spawn {
      sleep(milliseconds: 30)
      var bytes = [UInt8](repeating: 0, count: size)
      var left = size
      for _ in 0..<1000 where left > 0 {
        left -= max(0, CLibrary.receive(number, into: &bytes))
        sleep(milliseconds: 1)
      }
    }
    let one = try sender.waitForCompletions(from: pair.first, until: .after(.seconds(10)))
    reader.join()
    #expect(nothing == 0 && one == 1)
    let done = sender.takeCompletion()?.takeBuffer().count
    #expect(done == size)
  }

  /// What is in flight when the peer resets the connection is done with.
  @Test func aResetGivesTheBuffersBack() throws {
    let listener = try TCPSocket.listen(on: .loopback(port: 0))
    let client = try TCPSocket.connect(to: listener.localAddress(), until: .after(.seconds(5)))
    let server = try listener.accept(until: .after(.seconds(5)))
    var sender = try ZeroCopySender(for: client)
    for seed: UInt8 in 0..<8 { _ = sender.enqueue(try buffer(1 << 20, seed)) }
    let outcome = try sender.flush(to: client)
    let sent = 8 - sender.unsentCount
    try server.setOption(.linger, to: .zero)
    try server.close()
    var completed = 0
    let deadline = Deadline.after(.seconds(5))
    while completed < sent && !deadline.hasPassed {
      _ = try sender.waitForCompletions(from: client, until: deadline)
      while sender.takeCompletion() != nil { completed += 1 }
    }
    // The kernel reports the reset once. Afterwards the connection has no peer.
    let errors = (0..<2).map { _ in
      failure(SocketError.self) { () throws(SocketError) in _ = try sender.flush(to: client) }
    }
    #expect(outcome == nil && completed == sent)
    #expect(errors.map { $0?.code } == [.connectionReset, .brokenPipe] && errors.allSatisfy { $0?.operation == .send })
    var rest = 0
    while sender.takeUnsent() != nil { rest += 1 }
    _ = try sender.readCompletions(from: client)
    while sender.takeCompletion() != nil { rest += 1 }
    let full = sender.isFull
    #expect(rest + completed == 8 && !full)
  }

  @Test func whatCannotBeSentComesBack() throws {
    let pair = try tcpPair()
    var sender = try ZeroCopySender(for: pair.first)
    try pair.first.shutdown(.write)
    let packet = try buffer(10, 0)
    let id = sender.enqueue(packet)
    let error = failure(SocketError.self) { () throws(SocketError) in _ = try sender.flush(to: pair.first) }
    #expect(error?.code == .brokenPipe && error?.operation == .send)
    if let back = sender.takeUnsent() {
      #expect(back.id == id && back.bytesSent == 0 && !back.wasCopied)
    } else {
      Issue.record("the buffer is lost")
    }
    let none = sender.takeUnsent() == nil && sender.takeCompletion() == nil
    let unsent = sender.unsentCount
    #expect(none && unsent == 0)
    let other = failure(SocketError.self) { () throws(SocketError) in _ = try sender.flush(to: pair.second) }
    #expect(other?.code == .invalidArgument)
    let unix = try UnixStreamSocket.pair()
    let unsupported = failure(SocketError.self) { () throws(SocketError) in
      _ = try ZeroCopySender(for: unix.first)
    }
    #expect(unsupported?.code == .notSupported && unsupported?.operation == .setOption)
  }

  /// net.core.optmem_max bounds the kernel's notes (each namespace has its own since Linux 6.8).
  @Test func outOfNotesIsNeverAStop() throws {
    try inNamespaceWithLoopback {
      let path = "/proc/sys/net/core/optmem_max"
      let receiver = try UDPSocket.bind(to: .loopback(port: 0))
      let socket = try UDPSocket.connect(to: receiver.localAddress())
      var sender = try ZeroCopySender(for: socket, capacity: 8)
      // Room for one note, which a datagram's completion frees when the sender reads it.
      guard writeFile(path, "1000") else { return unavailable("\(path) is not a namespace's own: Linux 6.8") }
      for seed: UInt8 in 0..<8 { _ = sender.enqueue(try buffer(5000, seed)) }
      var completed = 0
      let deadline = Deadline.after(.seconds(10))
      var bytes = [UInt8](repeating: 0, count: 5000)
      var info = MessageInfo()
      while completed < 8 && !deadline.hasPassed {
        _ = try sender.flush(to: socket)
        while try receiver.receive(into: bytes.mutableSpan, &info) != nil {}
        _ = try sender.readCompletions(from: socket)
        while sender.takeCompletion() != nil { completed += 1 }
      }
      #expect(completed == 8)
      // Not even one note: the bytes go plainly.
      guard writeFile(path, "0") else { return unavailable("\(path) takes no 0") }
      let id = try sender.send(try buffer(5000, 9), to: socket)
      let count = try receiver.receive(into: bytes.mutableSpan, &info, until: .after(.seconds(5)))
      #expect(count == 5000 && bytes == expected(5000, 9))
      if let done = sender.takeCompletion() {
        #expect(done.id == id && done.wasCopied)
      } else {
        Issue.record("the buffer did not come back")
      }
    }
  }

  @Test(arguments: [Int.min, -1, 0, 1_048_577, .max]) func capacitiesOutOfRangeAreTypedErrors(_ number: Int) throws {
    let pair = try TCPSocket.pair(until: .after(.seconds(5)))
    let datagrams = try UDPSocket.bind(to: .loopback(port: 0))
    let errors = [
      failure(SocketError.self) { () throws(SocketError) in _ = try ZeroCopySender(for: pair.first, capacity: number) },
      failure(SocketError.self) { () throws(SocketError) in _ = try ZeroCopySender(for: datagrams, capacity: number) },
      failure(SocketError.self) { () throws(SocketError) in
        _ = try ZeroCopySender(for: pair.first, capacity: 1, sends: number == 1_048_577 ? 4_194_305 : number)
      },
    ]
    for error in errors { #expect(error == SocketError(code: .invalidArgument, .setOption)) }
    #expect(try !pair.first.option(.zeroCopy))
    #expect(try ZeroCopySender(for: pair.first, capacity: 1, sends: 1).capacity == 1)
  }
}
