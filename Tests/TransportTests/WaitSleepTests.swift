import Glibc
import SocketKit
import Synchronization
import TestSupport
import Testing

/// Waits in states that poll(2) reports again and again, although the call would block: each must sleep, and must end
/// as soon as something comes.
@Suite(.exclusive) struct WaitSleepTests {
  private func expectSleep(_ what: Comment, _ body: () throws -> Void) rethrows {
    let (began, used) = (milliseconds(), threadCPUTime())
    try body()
    let (elapsed, burned) = (milliseconds() - began, threadCPUTime() - used)
    #expect(elapsed >= 149, what)
    #expect(burned < elapsed / 20 + 2, "\(what): \(burned) ms of CPU in \(elapsed) ms")
  }

  private func expectTimeout(_ what: Comment, _ body: () throws -> Void) {
    expectSleep(what) {
      do {
        try body()
        Issue.record("\(what): ended without an error")
      } catch {
        #expect((error as? SocketError)?.code == .timedOut, "\(what): \(error)")
      }
    }
  }

  private var soonOver: Deadline { .after(.milliseconds(150)) }

  /// A socket with an unread entry in its error queue, whose pending error has been taken.
  private func withUnreadError() throws -> UDPSocket {
    let nowhere = IPSocketAddress.loopback(port: try UDPSocket.bind(to: .loopback(port: 0)).port())
    let socket = try UDPSocket.bind(to: .loopback(port: 0))
    try socket.setOption(.receiveErrors, to: true)
    #expect(try socket.send([1].span, to: nowhere) == 1)
    #expect(throws: SocketError(.failure(errno: ECONNREFUSED), .receive)) { _ = try receive(socket, .after(soon)) }
    return socket
  }

  private func receive(
    _ socket: borrowing UDPSocket, _ deadline: Deadline, _ control: WaitControl? = nil
  ) throws(SocketError) -> Int {
    var bytes = [UInt8](repeating: 0, count: 64)
    var info = MessageInfo()
    return try socket.receive(into: bytes.mutableSpan, &info, until: deadline.cancellable(by: control))
  }

  @Test func anUnreadErrorQueueEntryCostsNoCPU() throws {
    let socket = try withUnreadError()
    expectTimeout("a receive") { _ = try receive(socket, soonOver) }
    expectTimeout("with a control") { _ = try receive(socket, soonOver, WaitControl()) }
    var batch = MessageBatch(capacity: 2, messageCapacity: 64)
    expectTimeout("a batch") { _ = try batch.receive(from: socket, until: soonOver) }
    #expect(try socket.nextQueuedError()?.error.errno == ECONNREFUSED, "the entry is still there")
  }

  @Test func withAnUnreadErrorQueueEntryADatagramWakesAtOnce() throws {
    let socket = Shared(try withUnreadError())
    let name = try socket.value.localAddress()
    for control in [nil, WaitControl()] {
      let sender = ThreadResult { () -> Double in
        sleep(milliseconds: 40)
        let client = try? UDPSocket.bind(to: .loopback(port: 0))
        let sent = milliseconds()
        _ = try? client?.send([1, 2].span, to: name)
        return sent
      }
      #expect(try receive(socket.value, .after(soon), control) == 2)
      let received = milliseconds()
      #expect(received - sender.join() < 2000)
    }
  }

  @Test func withAnUnreadErrorQueueEntryAnotherErrorAndACancelEndTheWait() throws {
    let socket = Shared(try withUnreadError())
    let nowhere = IPSocketAddress.loopback(port: try UDPSocket.bind(to: .loopback(port: 0)).port())
    let sender = spawn {
      sleep(milliseconds: 40)
      _ = try? socket.value.send([1].span, to: nowhere)
    }
    #expect(throws: SocketError(.failure(errno: ECONNREFUSED), .receive)) {
      _ = try receive(socket.value, .after(soon))
    }
    sender.join()
    let control = WaitControl()
    let canceller = spawn {
      sleep(milliseconds: 40)
      control.cancel()
    }
    let began = milliseconds()
    #expect(throws: SocketError(code: .cancelled, .receive)) { _ = try receive(socket.value, .after(soon), control) }
    #expect(milliseconds() - began < 2000)
    canceller.join()
  }

  @Test func anUnreadTransmitTimestampCostsNoCPU() throws {
    let server = try UDPSocket.bind(to: .loopback(port: 0))
    let socket = try UDPSocket.bind(to: .loopback(port: 0))
    // SOF_TIMESTAMPING_TX_SOFTWARE, SOF_TIMESTAMPING_SOFTWARE.
    try socket.setOption(.timestampingFlags, to: 0x2 | 0x10)
    var events: Int32 = 0
    for _ in 0..<100 where events == 0 {
      #expect(try socket.send([1].span, to: server.localAddress()) == 1)
      events = polledEvents(socket.descriptor.value, milliseconds: 20) ?? 0
    }
    #expect(events & POLLERR != 0, "no timestamp is in the queue")
    expectTimeout("a receive") { _ = try receive(socket, soonOver) }
  }

  @Test func anUnreadZeroCopyCompletionCostsNoCPU() throws {
    let listener = try TCPSocket.listen(on: .loopback(port: 0))
    let near = Shared(try TCPSocket.connect(to: listener.localAddress(), until: .after(soon)))
    let far = Shared(try listener.accept(until: .after(soon)))
    try near.value.setOption(.zeroCopy, to: true)
    let bytes = [UInt8](repeating: 7, count: 20_000)
    // MSG_ZEROCOPY.
    #expect(CLibrary.send(near.value.descriptor.value, bytes[...], flags: 0x400_0000) == bytes.count)
    var received = [UInt8](repeating: 0, count: bytes.count)
    try far.value.readExactly(into: received.mutableSpan, until: .after(soon))
    let events = polledEvents(near.value.descriptor.value, milliseconds: 5000) ?? 0
    #expect(events & POLLERR != 0, "no completion is in the queue")
    var byte: [UInt8] = [0]
    expectTimeout("a read") { _ = try near.value.read(into: byte.mutableSpan, until: soonOver) }
    let writer = spawn {
      sleep(milliseconds: 40)
      _ = try? far.value.write([5].span)
    }
    let began = milliseconds()
    #expect(try near.value.read(into: byte.mutableSpan, until: .after(soon)) == .bytes(1))
    #expect(byte == [5] && milliseconds() - began < 2000)
    writer.join()
  }

  @Test func aBatchToAFullUnixReceiverCostsNoCPU() throws {
    let name = try UnixAddress(abstract: "socketkit-sleep-\(UInt64.random(in: 0 ... .max))")
    let receiver = Shared(try UnixDatagramSocket.bind(to: name))
    let other = try UnixAddress(abstract: "socketkit-sleep-\(UInt64.random(in: 0 ... .max))")
    let sender = try UnixDatagramSocket.bind(to: other)
    while try sender.send([1].span, to: name) != nil {}
    var batch = MessageBatch(capacity: 3, messageCapacity: 8)
    for byte in 2...4 as ClosedRange<UInt8> { try batch.append([byte].span, to: name) }
    expectTimeout("a batch") { try batch.send(on: sender, until: soonOver) }
    #expect(batch.sent == 0)
    let reader = spawn {
      sleep(milliseconds: 40)
      var byte: [UInt8] = [0]
      for _ in 0..<3 { CLibrary.receive(receiver.value.descriptor.value, into: &byte) }
    }
    try batch.send(on: sender, until: .after(soon))
    #expect(batch.sent == 3)
    reader.join()
  }

  /// The batch does not first try many times, as other waits do.
  @Test func aBatchToAFullUnixReceiverPausesAtOnce() throws {
    let receiver = try UnixDatagramSocket.bind(
      to: UnixAddress(abstract: "socketkit-sleep-\(UInt64.random(in: 0 ... .max))"))
    let name = try receiver.localAddress()
    let own = try UnixAddress(abstract: "socketkit-sleep-\(UInt64.random(in: 0 ... .max))")
    let sender = CountingSender(base: try UnixDatagramSocket.bind(to: own))
    while try sender.base.send([1].span, to: name) != nil {}
    var batch = MessageBatch(capacity: 1, messageCapacity: 8)
    try batch.append([2].span, to: name)
    #expect(throws: SocketError(code: .timedOut, .send)) {
      try batch.send(on: sender, until: .after(.milliseconds(10)))
    }
    #expect(sender.tries.load(ordering: .relaxed) <= 14, "\(sender.tries.load(ordering: .relaxed)) tries in 10 ms")
  }

  /// poll(2) does not report this shutdown on a Unix socket whose buffer is full.
  @Test(arguments: [5, 60] as [UInt32], [false, true])
  func shuttingTheWritingDownEndsAWriteToAFullUnixStream(_ delay: UInt32, _ controlled: Bool) throws {
    let pair = try UnixStreamSocket.pair()
    let near = pair.split { near, far in (Shared(near), Shared(far)) }
    let bytes = [UInt8](repeating: 0, count: 65536)
    while try near.0.value.write(bytes.span) != nil {}
    let other = spawn {
      sleep(milliseconds: delay)
      try? near.0.value.shutdown(.write)
    }
    let began = milliseconds()
    #expect(throws: SocketError(.failure(errno: EPIPE), .write)) {
      _ = try near.0.value.write(bytes.span, until: .after(soon).cancellable(by: controlled ? WaitControl() : nil))
    }
    #expect(milliseconds() - began < 2000)
    other.join()
  }

  /// The socket is the same one, whichever descriptor it is shut down by.
  @Test func shuttingACopyDownEndsAWriteToAFullUnixStream() throws {
    let pair = try UnixStreamSocket.pair()
    let near = pair.split { near, far in (Shared(near), Shared(far)) }
    let copy = try near.0.value.descriptor.duplicate()
    let bytes = [UInt8](repeating: 0, count: 65536)
    while try near.0.value.write(bytes.span) != nil {}
    let number = copy.raw
    let other = spawn {
      sleep(milliseconds: 100)
      _ = number.attemptShutdown(.write)
    }
    #expect(throws: SocketError(.failure(errno: EPIPE), .write)) {
      _ = try near.0.value.write(bytes.span, until: .after(soon))
    }
    other.join()
    try copy.close()
  }

  /// Such a wait uses an event descriptor. Without a free descriptor it must work all the same.
  @Test func aWriteWithoutFreeDescriptorsSleepsAndEndsToo() throws {
    let pair = try UnixStreamSocket.pair()
    let ends = pair.split { near, far in (Shared(near), Shared(far)) }
    let bytes = [UInt8](repeating: 0, count: 65536)
    while try ends.0.value.write(bytes.span) != nil {}
    let free = dup(0)
    close(free)
    withDescriptorLimit(free) {
      expectTimeout("a write") { _ = try ends.0.value.write(bytes.span, until: soonOver) }
      let other = spawn {
        sleep(milliseconds: 50)
        try? ends.0.value.shutdown(.write)
      }
      #expect(throws: SocketError(.failure(errno: EPIPE), .write)) {
        _ = try ends.0.value.write(bytes.span, until: .after(soon))
      }
      other.join()
    }
  }

  @Test func aDatagramSocketIsShutDownConnectedOrNot() throws {
    let socket = try UDPSocket.bind(to: .loopback(port: 0))
    try socket.shutdown(.both)
    #expect(throws: SocketError(code: .shutDown, .receive)) { _ = try receive(socket, .never) }
    #expect(throws: SocketError(.failure(errno: EPIPE), .send)) {
      _ = try socket.send([1].span, to: .loopback(port: 9))
    }
    let name = try UnixAddress(abstract: "socketkit-down-\(UInt64.random(in: 0 ... .max))")
    let unix = try UnixDatagramSocket.bind(to: name)
    try unix.shutdown(.read)
    var bytes = [UInt8](repeating: 0, count: 8)
    var descriptors = ReceivedDescriptors<1>()
    #expect(try unix.receiveDescriptors(&descriptors, into: bytes.mutableSpan, until: .never) == .endOfStream)
  }
}

/// Counts the tries to send.
private struct CountingSender: ~Copyable, DatagramSocket {
  let base: UnixDatagramSocket
  let tries = Atomic<Int>(0)

  init(base: consuming UnixDatagramSocket) { self.base = base }

  static var capabilities: SocketCapabilities { UnixDatagramSocket.capabilities }
  var readSource: RawDescriptor { base.readSource }
  var writeSource: RawDescriptor { base.writeSource }
  borrowing func attemptReceive(
    into buffer: inout MutableSpan<UInt8>, ancillary: inout MutableRawSpan, flags: ReceiveFlags,
    _ info: inout MessageInfo
  ) -> IOResult { base.attemptReceive(into: &buffer, ancillary: &ancillary, flags: flags, &info) }
  borrowing func attemptSend(_ bytes: Span<UInt8>, ancillary: RawSpan, to address: RawSpan, flags: SendFlags)
    -> IOResult
  {
    tries.add(1, ordering: .relaxed)
    return base.attemptSend(bytes, ancillary: ancillary, to: address, flags: flags)
  }
  borrowing func attemptShutdown(_ direction: ShutdownDirection) -> IOResult { base.attemptShutdown(direction) }
  consuming func attemptClose() -> IOResult { base.attemptClose() }
  borrowing func localAddress() throws(SocketError) -> UnixAddress { try base.localAddress() }
  borrowing func connectedAddress() throws(SocketError) -> UnixAddress? { try base.connectedAddress() }
}
