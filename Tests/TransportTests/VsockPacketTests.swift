import Glibc
import SocketKit
import TestSupport
import Testing

@testable import SocketKitVsock

/// Sequenced packets over vsock: whole, or the connection ends.
@Suite(.exclusive, .guestOnly) struct VsockPacketTests {
  /// What a reader finds: numbered records, one after the other, until the end. Slow, so that the sender meets the
  /// limit of the peer's buffer again and again, at every place of a record.
  private struct Reading: Sendable {
    var records = 0
    var wrong: [String] = []
    var end: String = ""
  }

  private func read(
    _ socket: borrowing VsockSequencedPacketSocket, sizes: [Int], pause: Int = 0
  ) -> Reading {
    var found = Reading()
    var buffer = [UInt8](repeating: 0, count: 1 << 19)
    var info = MessageInfo()
    while true {
      do throws(SocketError) {
        guard case .bytes(let count) = try socket.receive(into: buffer.mutableSpan, &info, until: .after(patience))
        else {
          found.end = "end"
          return found
        }
        let expected = found.records < sizes.count ? vsockRecord(found.records, sizes[found.records]) : []
        if info.length != expected.count || !areSame(buffer, count, expected) {
          found.wrong.append("record \(found.records): \(info.length) bytes instead of \(expected.count)")
        }
        found.records += 1
        if pause > 0 && found.records.isMultiple(of: pause) { sleep(milliseconds: 1) }
      } catch {
        found.end = "\(error)"
        return found
      }
    }
  }

  /// Sizes at and around everything that the kernel counts in: its fragments of 64 KiB, and the buffer.
  private static let sizes: [Int] = {
    var random = SeededNumbers(7)
    let edges = [1000, 4096, 65_535, 65_536, 65_537, 131_072, 150_000, 200_000, 262_143, 262_144]
    return (0..<60).map { index in
      index % 3 == 0 ? edges[index / 3 % edges.count] : 600 + Int(random.next() % 70_000)
    }
  }()

  @Test func noRecordIsTornGluedOrLostUnderBackPressure() throws {
    let ends = try vsockPair(VsockSequencedPacketSocket.self)
    try ends.split { (near, far) throws(SocketError) in
      let shared = Shared(far)
      let reader = ThreadResult { read(shared.value, sizes: Self.sizes, pause: 2) }
      for (index, size) in Self.sizes.enumerated() {
        try near.send(vsockRecord(index, size).span, until: .after(patience))
      }
      try near.close()
      let found = reader.join()
      #expect(found.wrong.isEmpty && found.records == Self.sizes.count && found.end == "end", "\(found)")
    }
  }

  /// The same without waiting: tries and a poller, which must neither lose the readiness nor report it without end.
  @Test func aLoopMeetsBackPressure() throws {
    let ends = try vsockPair(VsockSequencedPacketSocket.self)
    try ends.split { (near, far) throws(SocketError) in
      let shared = Shared(far)
      let reader = ThreadResult { read(shared.value, sizes: Self.sizes, pause: 2) }
      var poller = try EpollPoller()
      try poller.register(near, for: [.readable, .writable], trigger: .edge, token: Token(index: 0))
      var blocked = 0
      var events = 0
      for (index, size) in Self.sizes.enumerated() {
        let record = vsockRecord(index, size)
        while try near.send(record.span) == nil {
          blocked += 1
          let count = try poller.wait(until: .after(patience))
          #expect(count > 0, "readiness was lost at record \(index)")
          events += count
        }
      }
      #expect(blocked > 0 && blocked < 1000 && events < 1000, "blocked \(blocked) times, \(events) events")
      try near.flush(until: .after(patience))
      try poller.deregister(near)
      try near.close()
      let found = reader.join()
      #expect(found.wrong.isEmpty && found.records == Self.sizes.count && found.end == "end", "\(found)")
    }
  }

  @Test func aSmallBufferOfAFewPackets() throws {
    // Packets below 576 bytes are not tried: some kernels reset a connection on which too many of those wait.
    let ends = try vsockPair(VsockSequencedPacketSocket.self) { (socket) throws(SocketError) in
      try socket.setOption(.bufferSize, to: 8192)
    }
    let sizes = (0..<200).map { 1000 + $0 * 37 % 7000 }
    try ends.split { (near, far) throws(SocketError) in
      let shared = Shared(far)
      let reader = ThreadResult { read(shared.value, sizes: sizes, pause: 50) }
      for (index, size) in sizes.enumerated() {
        try near.send(vsockRecord(index, size).span, until: .after(patience))
      }
      try near.shutdown(.write)
      let found = reader.join()
      #expect(found.wrong.isEmpty && found.records == sizes.count && found.end == "end", "\(found)")
    }
  }

  @Test func whatWasSentBeforeClosingArrives() throws {
    // Four records of which the peer has room for two: the rest is sent after the socket is gone.
    let sizes = [100_000, 100_000, 100_000, 64_000]
    let ends = try vsockPair(VsockSequencedPacketSocket.self)
    try ends.split { (near, far) throws(SocketError) in
      var taken = 0
      for (index, size) in sizes.enumerated() {
        while taken == index {
          let outcome = try near.send(vsockRecord(index, size).span)
          if outcome != nil { taken += 1 } else if index > 2 { break } else { sleep(milliseconds: 1) }
        }
      }
      #expect(taken >= 3)
      try near.close()
      sleep(milliseconds: 50)
      let found = read(far, sizes: sizes)
      #expect(found.wrong.isEmpty && found.records == taken && found.end == "end", "\(found)")
    }
  }

  /// The last of them waits for room when the socket closes, and its number must stay the connection's until it is
  /// sent.
  @Test func closingBesideASendLosesNothing() throws {
    let sizes = [Int](repeating: 4096, count: 66)
    for _ in 0..<25 {
      let ends = try vsockPair(VsockSequencedPacketSocket.self)
      try ends.split { (near, far) throws(SocketError) in
        for (index, size) in sizes.enumerated() {
          try near.send(vsockRecord(index, size).span, until: .after(patience))
        }
        try near.close()
        // Whoever comes next gets the number, once it is free.
        let others = (0..<4).map { _ in socket(AF_INET, Int32(SOCK_DGRAM.rawValue), 0) }
        let found = read(far, sizes: sizes)
        #expect(found.wrong.isEmpty && found.records == sizes.count && found.end == "end", "\(found)")
        for other in others { close(other) }
      }
    }
  }

  @Test func shuttingDownWakesWhoWaitsForRoom() throws {
    let ends = try vsockPair(VsockSequencedPacketSocket.self)
    try ends.split { (near, far) throws(SocketError) in
      for index in 0..<5 { try near.send(vsockRecord(index, 60_000).span, until: .after(patience)) }
      let shared = Shared(near)
      let sender = ThreadResult {
        failure { () throws(SocketError) in
          try shared.value.send(vsockRecord(5, 60_000).span, until: .after(patience))
        }
      }
      sleep(milliseconds: 100)
      try shared.value.shutdown(.write)
      #expect(sender.join()?.code == .brokenPipe)
      // What was queued before goes out.
      let found = read(far, sizes: [Int](repeating: 60_000, count: 5))
      #expect(found.wrong.isEmpty && found.records == 5 && found.end == "end", "\(found)")
    }
  }

  @Test func flagsThatWouldTearAreKeptFromTheKernel() throws {
    let ends = try vsockPair(VsockSequencedPacketSocket.self)
    let urgent = failure { () throws(SocketError) in
      _ = try ends.first.send([1].span, flags: SendFlags(rawValue: 0x1))  // MSG_OOB
    }
    #expect(urgent?.code == .notSupported)
    let dontWait = SendFlags(rawValue: 0x40)  // MSG_DONTWAIT
    let sizes = [Int](repeating: 60_000, count: 12)
    try ends.split { (near, far) throws(SocketError) in
      let shared = Shared(far)
      let reader = ThreadResult { read(shared.value, sizes: sizes, pause: 1) }
      for (index, size) in sizes.enumerated() {
        let record = vsockRecord(index, size)
        while try near.send(record.span, flags: dontWait) == nil {
          sleep(milliseconds: 1)
        }
      }
      try near.close()
      let found = reader.join()
      #expect(found.wrong.isEmpty && found.records == sizes.count && found.end == "end", "\(found)")
    }
  }

  @Test func whatNobodyReceivesIsGivenUp() throws {
    ForgottenSender.patience = .milliseconds(300)
    defer { ForgottenSender.patience = .seconds(60) }
    let before = settledThreadCount()
    let ends = try vsockPair(VsockSequencedPacketSocket.self)
    try ends.split { (near, far) throws(SocketError) in
      // The peer has room for four, and a part of the fifth.
      let sizes = [Int](repeating: 60_000, count: 5)
      for (index, size) in sizes.enumerated() {
        try near.send(vsockRecord(index, size).span, until: .after(patience))
      }
      try near.close()
      let deadline = Deadline.after(patience)
      while threadCount() != before && !deadline.hasPassed { sleep(milliseconds: 5) }
      #expect(threadCount() == before)
      let found = read(far, sizes: sizes)
      #expect(found.wrong.isEmpty && found.records == 4 && found.end == "end", "\(found)")
    }
  }

  @Test func theEndOfWritingComesBehindTheQueue() throws {
    let ends = try vsockPair(VsockSequencedPacketSocket.self)
    try ends.split { (near, far) throws(SocketError) in
      let sizes = [200_000, 200_000]
      for (index, size) in sizes.enumerated() {
        try near.send(vsockRecord(index, size).span, until: .after(patience))
      }
      try near.shutdown(.write)
      let refused = failure { () throws(SocketError) in _ = try near.send([1].span) }
      #expect(refused?.code == .brokenPipe)
      #expect(
        failure { () throws(SocketError) in try near.flush(until: .after(.milliseconds(20))) }?.code == .timedOut)
      let found = read(far, sizes: sizes)
      #expect(found.wrong.isEmpty && found.records == 2 && found.end == "end", "\(found)")
      try near.flush(until: .after(patience))
      // The other direction goes on.
      try far.send([1, 2].span, until: .after(patience))
      var buffer: [UInt8] = [0, 0, 0]
      var info = MessageInfo()
      let back = try near.receive(into: buffer.mutableSpan, &info, until: .after(patience))
      #expect(back == .bytes(2))
    }
  }

  @Test func aStoppedProcessEndsTheConnectionRatherThanGlueRecords() throws {
    let ends = try vsockPair(VsockSequencedPacketSocket.self)
    try ends.split { (near, far) throws(SocketError) in
      // The second one is under way when the process stops: 62 144 bytes of it are out.
      let sizes = [200_000, 100_000, 1000]
      for (index, size) in sizes.prefix(2).enumerated() {
        try near.send(vsockRecord(index, size).span, until: .after(patience))
      }
      sleep(milliseconds: 50)
      let own = getpid()
      let stopper = PeerProcess(["sh", "-c", "kill -STOP \(own); sleep 0.1; kill -CONT \(own)"])
      #expect(stopper?.finish().status == 0)
      let deadline = Deadline.after(patience)
      var error: SocketError?
      while error == nil && !deadline.hasPassed {
        error = failure { () throws(SocketError) in _ = try near.send(vsockRecord(2, 1000).span) }
      }
      #expect(error?.code == .connectionReset && error?.errno == ECONNABORTED)
      let found = read(far, sizes: sizes)
      #expect(found.wrong.isEmpty && found.records == 1 && found.end == "end", "\(found)")
    }
  }

  @Test func longPackets() throws {
    let ends = try vsockPair(VsockSequencedPacketSocket.self)
    let long = [UInt8](repeating: 1, count: 262_145)
    let error = failure { () throws(SocketError) in _ = try ends.first.send(long.span) }
    #expect(error?.code == .messageTooLarge && error?.operation == .send)
    // It cost nothing.
    try ends.first.send(long.span.extracting(first: 262_144), until: .after(patience))
    var buffer = [UInt8](repeating: 0, count: 300_000)
    var info = MessageInfo()
    let outcome = try ends.second.receive(into: buffer.mutableSpan, &info, until: .after(patience))
    #expect(outcome == .bytes(262_144))
  }

  @Test func aPacketLongerThanThePeersBufferEndsTheConnection() throws {
    let listener = try VsockSequencedPacketSocket.listen(on: .local(port: .any)) { (socket) throws(SocketError) in
      try socket.setOption(.bufferSize, to: 4096)
    }
    let client = try VsockSequencedPacketSocket.connect(to: listener.localAddress(), until: .after(patience))
    let server = try listener.accept(until: .after(patience))
    try client.send(vsockRecord(0, 4096).span, until: .after(patience))
    // With no room at all the kernel would wait before it looks at the length.
    var buffer = [UInt8](repeating: 0, count: 5000)
    var info = MessageInfo()
    let first = try server.receive(into: buffer.mutableSpan, &info, until: .after(patience))
    #expect(first == .bytes(4096))
    try client.send(vsockRecord(1, 4097).span, until: .after(patience))
    let error = failure { () throws(SocketError) in try client.flush(until: .after(patience)) }
    #expect(error?.code == .messageTooLarge)
    #expect(failure { () throws(SocketError) in _ = try client.send([1].span) }?.code == .messageTooLarge)
    let end = try server.receive(into: buffer.mutableSpan, &info, until: .after(patience))
    #expect(end == .endOfStream)
  }

  @Test func biggerBuffersTakeLongerPackets() throws {
    let ends = try vsockPair(VsockSequencedPacketSocket.self) { (socket) throws(SocketError) in
      try socket.setOption(.bufferMaximum, to: 1 << 20)
      try socket.setOption(.bufferSize, to: 1 << 19)
    }
    try ends.split { (near, far) throws(SocketError) in
      let sizes = [1 << 19, 600, 500_000]
      let shared = Shared(far)
      let reader = ThreadResult { read(shared.value, sizes: sizes) }
      for (index, size) in sizes.enumerated() {
        try near.send(vsockRecord(index, size).span, until: .after(patience))
      }
      try near.close()
      let found = reader.join()
      #expect(found.wrong.isEmpty && found.records == 3, "\(found)")
    }
  }

  @Test func emptyPacketsAreRefused() throws {
    let ends = try vsockPair(VsockSequencedPacketSocket.self)
    let nothing: [UInt8] = []
    #expect(failure { () throws(SocketError) in _ = try ends.first.send(nothing.span) }?.code == .invalidArgument)
    try ends.first.send([1].span, until: .after(patience))
    var buffer: [UInt8] = [0, 0]
    var info = MessageInfo()
    let outcome = try ends.second.receive(into: buffer.mutableSpan, &info, until: .after(patience))
    #expect(outcome == .bytes(1))
  }

  @Test func recordsEndAndPeeking() throws {
    let ends = try vsockPair(VsockSequencedPacketSocket.self)
    var buffer: [UInt8] = [0, 0, 0, 0]
    var info = MessageInfo()
    _ = try ends.first.send([1, 2].span, flags: .endOfRecord)
    try ends.first.send([3].span, until: .after(patience))
    _ = try ends.second.receive(into: buffer.mutableSpan, &info, until: .after(patience))
    #expect(info.flags == .endOfRecord && info.length == 2)
    try ends.first.flush(until: .after(patience))
    // By kernel, which says it itself; never "out of memory".
    let peeks = GuestKernel.peeks(ends.second.descriptor.value)
    do throws(SocketError) {
      var outcome: ReadOutcome?
      while outcome == nil { outcome = try ends.second.receive(into: buffer.mutableSpan, &info, flags: .peek) }
      #expect(outcome == .bytes(1) && buffer[0] == 3 && peeks)
      buffer[0] = 0
    } catch {
      #expect(error.code == .notSupported && !peeks)
    }
    let last = try ends.second.receive(into: buffer.mutableSpan, &info, until: .after(patience))
    #expect(last == .bytes(1) && buffer[0] == 3 && info.flags.isEmpty)
    let elsewhere = failure { () throws(SocketError) in
      let address = AnySocketAddress(VsockAddress.local(port: 1))
      let result = address.withBytes {
        ends.first.attemptSend([UInt8(1)].span, ancillary: RawSpan(), to: $0, flags: [])
      }
      throw SocketError(result, .send)
    }
    #expect(elsewhere?.code == .alreadyConnected)
  }

  @Test func aReleasedDescriptorHasSentEverything() throws {
    let ends = try vsockPair(VsockSequencedPacketSocket.self)
    try ends.split { (near, far) throws(SocketError) in
      let sizes = [150_000, 150_000]
      let shared = Shared(far)
      for (index, size) in sizes.enumerated() {
        try near.send(vsockRecord(index, size).span, until: .after(patience))
      }
      let reader = ThreadResult { read(shared.value, sizes: sizes) }
      let number = near.releaseDescriptor().release()
      #expect(fcntl(number.value, F_GETFL) & O_NONBLOCK != 0)
      let again = try VsockSequencedPacketSocket(adopting: owning(number))
      try again.shutdown(.write)
      let found = reader.join()
      #expect(found.wrong.isEmpty && found.records == 2 && found.end == "end", "\(found)")
    }
  }

  @Test func threadsEndWithTheirWork() throws {
    let before = settledThreadCount()
    do {
      let ends = try vsockPair(VsockSequencedPacketSocket.self)
      try ends.first.send([1].span, until: .after(patience))
      try ends.first.flush(until: .after(patience))
      #expect(threadCount() == before + 1)
    }
    let deadline = Deadline.after(patience)
    while threadCount() != before && !deadline.hasPassed { sleep(milliseconds: 5) }
    #expect(threadCount() == before)
  }

  /// How many there are when those that earlier tests left behind are gone.
  private func settledThreadCount() -> Int {
    var count = threadCount()
    var steady = 0
    while steady < 10 {
      sleep(milliseconds: 10)
      let now = threadCount()
      steady = now == count ? steady + 1 : 0
      count = now
    }
    return count
  }

  // Without "." and "..".
  private func threadCount() -> Int { entries(of: "/proc/self/task").count - 2 }

  // The way through recvfrom(2) that kernel sockets inherit waited as long as the descriptor blocked.
  @Test func receivingDoesNotWaitWhilePacketsAreUnderWay() throws {
    let ends = try vsockPair(VsockSequencedPacketSocket.self)
    let packet = [UInt8](repeating: 1, count: 60_000)
    // The peer has room for four of them and a part of the fifth.
    for _ in 0..<5 { try ends.first.send(packet.span, until: .after(patience)) }
    sleep(milliseconds: 50)
    #expect(fcntl(ends.first.descriptor.value, F_GETFL) & O_NONBLOCK == 0, "nothing is under way")
    var buffer = [UInt8](repeating: 0, count: 64)
    var bytes = buffer.mutableSpan
    var none = MutableRawSpan()
    var info = MessageInfo()
    // Should it wait all the same, this ends it: with an end.
    let number = ends.second.descriptor.value
    let rescue = spawn {
      sleep(milliseconds: 500)
      shutdown(number, Int32(SHUT_RDWR))
    }
    let result = ends.first.attemptReceive(into: &bytes, ancillary: &none, flags: [], &info)
    rescue.join()
    #expect(result.isWouldBlock)
  }
}
