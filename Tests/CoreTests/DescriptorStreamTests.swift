import Glibc
import SocketKit
import TestSupport
import Testing

/// Descriptors that are not sockets: read, written, waited for and watched.
@Suite(.exclusive) struct DescriptorStreamTests {
  private typealias Streams = SocketPair<DescriptorStream>

  /// A pipe's ends: the first reads, the second writes.
  private func pipe(capacity: Int? = nil) throws -> Streams {
    try Pipe(capacity: capacity).split { (reading, writing) throws(SocketError) in
      Streams(try DescriptorStream(adopting: reading), try DescriptorStream(adopting: writing))
    }
  }

  private func stream(_ number: Int32, _ location: SourceLocation = #_sourceLocation) throws -> DescriptorStream {
    try #require(number >= 0, "errno \(errno)", sourceLocation: location)
    return try DescriptorStream(adopting: owning(number))
  }

  private func word(_ stream: borrowing DescriptorStream) throws -> UInt64? {
    var bytes = [UInt8](repeating: 0, count: 8)
    switch try stream.read(into: bytes.mutableSpan) {
    case .bytes(let count):
      #expect(count == 8)
      return bytes.span.integerBytes.integer(as: UInt64.self)
    default: return nil
    }
  }

  @Test func aPipeIsReadWrittenAndEnds() throws {
    let pipe = try pipe()
    try pipe.split { (reading, writing) in
      var buffer = [UInt8](repeating: 0, count: 8)
      let nothing = try reading.read(into: buffer.mutableSpan)
      let written = try writing.write([1, 2, 3].span)
      let queued = try reading.option(.queuedInputBytes)
      let read = try reading.read(into: buffer.mutableSpan, until: .after(.seconds(5)))
      #expect(nothing == nil && written == 3 && queued == 3 && read == .bytes(3))
      #expect(buffer.prefix(3) == [1, 2, 3])
      let gathered = try writing.write(gathering: GatherList([4, 5].span, [6].span))
      var front: [UInt8] = [0]
      var rest: [UInt8] = [0, 0, 0]
      let scattered = try reading.read(scattering: ScatterList(front.mutableSpan, rest.mutableSpan))
      #expect(gathered == 3 && scattered == .bytes(3) && front == [4] && rest == [5, 6, 0])
      try writing.close()
      let end = try reading.read(into: buffer.mutableSpan)
      #expect(end == .endOfStream)
    }
  }

  @Test func aWaitEndsByDeadlineCancelAndData() throws {
    let pipe = try pipe()
    try pipe.split { (reading, writing) in
      let source = Shared(reading)
      let late = failure(SocketError.self) { () throws(SocketError) in
        var byte: [UInt8] = [0]
        _ = try source.value.read(into: byte.mutableSpan, until: .after(.milliseconds(20)))
      }
      #expect(late == SocketError(code: .timedOut, .read))
      let control = WaitControl()
      let waiting = ThreadResult {
        failure(SocketError.self) { () throws(SocketError) in
          var byte: [UInt8] = [0]
          _ = try source.value.read(into: byte.mutableSpan, until: .never.cancellable(by: control))
        }
      }
      control.cancel()
      #expect(waiting.join() == SocketError(code: .cancelled, .read))
      let reader = ThreadResult { () -> [UInt8] in
        var bytes = [UInt8](repeating: 0, count: 200_000)
        let error = failure(SocketError.self) { () throws(SocketError) in
          try source.value.readExactly(into: bytes.mutableSpan, until: .after(.seconds(10)))
        }
        #expect(error == nil)
        return bytes
      }
      // More than a pipe holds: the writer waits too.
      let sent = (0..<200_000).map { UInt8(truncatingIfNeeded: $0 / 7) }
      try writing.writeAll(sent.span, until: .after(.seconds(10)))
      #expect(reader.join() == sent)
    }
  }

  /// The signal has its default disposition here, which would end the process.
  @Test func writingWhereNobodyReadsIsAnErrorAndNoSignal() throws {
    let old = signal(SIGPIPE, SIG_DFL)
    defer { _ = signal(SIGPIPE, old) }
    let pipe = try pipe()
    try pipe.split { (reading, writing) in
      try reading.close()
      let error = failure(SocketError.self) { () throws(SocketError) in _ = try writing.write([1].span) }
      let gathered = failure(SocketError.self) { () throws(SocketError) in
        _ = try writing.write(gathering: GatherList([1].span, [2].span))
      }
      #expect(error?.code == .brokenPipe && error?.errno == EPIPE && error?.operation == .write)
      #expect(gathered?.code == .brokenPipe)
    }
    // Both functions use the set only during the call.
    var pending = sigset_t()
    unsafe sigpending(&pending)
    let isPending = unsafe sigismember(&pending, SIGPIPE)
    #expect(isPending == 0)
  }

  @Test func aPollerWatchesATimer() throws {
    let timer = try stream(timerfd_create(CLOCK_MONOTONIC, O_CLOEXEC))
    var poller = try EpollPoller()
    try poller.register(timer, for: .readable, token: Token(index: 5))
    let early = try poller.wait(until: .past)
    let before = try word(timer)
    var time = itimerspec()
    time.it_value.tv_nsec = 2_000_000
    // The kernel reads the time only during the call.
    let result = unsafe timerfd_settime(timer.descriptor.value, 0, &time, nil)
    try #require(result == 0)
    let count = try poller.wait(until: .after(.seconds(10)))
    let token = count > 0 ? poller[event: 0].token : nil
    let expirations = try word(timer)
    #expect(early == 0 && before == nil && count == 1 && token == Token(index: 5) && expirations == 1)
    var short: [UInt8] = [0, 0]
    let error = failure(SocketError.self) { () throws(SocketError) in _ = try timer.read(into: short.mutableSpan) }
    #expect(error?.code == .invalidArgument)
    try poller.deregister(timer)
  }

  /// Runs on a thread of its own, which blocks the signal.
  @Test func aSignalIsRead() throws {
    let number = try onThread { () -> Result<UInt32?, any Error> in
      Result {
        // The functions use the set only during the call.
        var mask = sigset_t()
        unsafe sigemptyset(&mask)
        unsafe sigaddset(&mask, SIGUSR2)
        unsafe pthread_sigmask(SIG_BLOCK, &mask, nil)
        let signals = try unsafe stream(signalfd(-1, &mask, O_CLOEXEC))
        var record = [UInt8](repeating: 0, count: 128)
        let before = try signals.read(into: record.mutableSpan)
        pthread_kill(pthread_self(), SIGUSR2)
        let after = try signals.read(into: record.mutableSpan, until: .after(.seconds(5)))
        guard before == nil, after == .bytes(128) else { return nil }
        return record.span.integerBytes.integer(as: UInt32.self)
      }
    }.get()
    #expect(number == UInt32(SIGUSR2))
  }

  @Test func anEventCounterAddsUp() throws {
    let counter = try stream(eventfd(0, O_CLOEXEC))
    for number: UInt64 in [3, 4] {
      let outcome = try counter.write([UInt8](copying: [number].span.integerBytes).span)
      #expect(outcome == 8)
    }
    let sum = try word(counter)
    let empty = try word(counter)
    #expect(sum == 7 && empty == nil)
  }

  @Test func aTerminalGivesLines() throws {
    let number = posix_openpt(O_RDWR | O_NOCTTY)
    let master = try stream(number)
    try #require(grantpt(number) == 0 && unlockpt(number) == 0)
    // The name is valid until the next call of ptsname(3).
    let name = unsafe String(cString: ptsname(number))
    let terminal = try stream(CLibrary.open(name, O_RDWR | O_NOCTTY))
    // Both functions use the settings only during the call.
    var settings = termios()
    let wasRead = unsafe tcgetattr(terminal.descriptor.value, &settings) == 0
    settings.c_lflag &= ~UInt32(ECHO)
    let wasSet = unsafe tcsetattr(terminal.descriptor.value, TCSANOW, &settings) == 0
    try #require(wasRead && wasSet)
    var line = [UInt8](repeating: 0, count: 16)
    try master.writeAll("half".utf8.span, until: .after(.seconds(5)))
    let half = try terminal.read(into: line.mutableSpan)
    try master.writeAll(" and half\n".utf8.span, until: .after(.seconds(5)))
    let whole = try terminal.read(into: line.mutableSpan, until: .after(.seconds(5)))
    #expect(half == nil && whole == .bytes(14) && line.prefix(14) == Array("half and half\n".utf8)[...])
    try terminal.writeAll("ok".utf8.span, until: .after(.seconds(5)))
    var poller = try PollPoller(PollPoller.configuration(capacity: 2))
    try poller.register(master, for: .readable, token: Token(index: 1))
    let ready = try poller.wait(until: .after(.seconds(5)))
    let waiting = try master.option(.queuedInputBytes)
    let answer = try master.read(into: line.mutableSpan)
    #expect(ready == 1 && waiting == 2 && answer == .bytes(2) && line.prefix(2) == Array("ok".utf8)[...])
    try poller.deregister(master)
  }

  @Test func aFileIsReadyAndCannotBeWatched() throws {
    let path = temporaryPath("file")
    let file = try stream(CLibrary.open(path, O_RDWR | O_CREAT | O_EXCL | O_CLOEXEC, mode: 0o600))
    CLibrary.unlink(path)
    let written = try file.write([1, 2].span)
    try #require(lseek(file.descriptor.value, 0, SEEK_SET) == 0)
    var buffer: [UInt8] = [0, 0, 0]
    let read = try file.read(into: buffer.mutableSpan, until: .after(.seconds(5)))
    let end = try file.read(into: buffer.mutableSpan)
    #expect(written == 2 && read == .bytes(2) && end == .endOfStream && buffer == [1, 2, 0])
    var poller = try EpollPoller()
    let refused: SocketError?
    do throws(SocketError) {
      try poller.register(file, for: .readable, token: Token(index: 1))
      refused = nil
    } catch {
      refused = error
    }
    #expect(refused?.code == .notSupported)
  }

  @Test func whatBelongsToSocketsIsRefused() throws {
    let pipe = try pipe()
    let shut = failure(SocketError.self) { () throws(SocketError) in try pipe.first.shutdown(.both) }
    let address = failure(SocketError.self) { () throws(SocketError) in _ = try pipe.first.localAddress() }
    let option = failure(SocketError.self) { () throws(SocketError) in _ = try pipe.first.option(.keepAlive) }
    #expect(shut?.code == .notASocket && address?.code == .notASocket && option?.code == .notASocket)
    var byte: [UInt8] = [0]
    let wrongEnd = failure(SocketError.self) { () throws(SocketError) in
      _ = try pipe.second.read(into: byte.mutableSpan)
    }
    #expect(wrongEnd?.code == .closed)
    let queued = failure(SocketError.self) { () throws(SocketError) in _ = try pipe.second.option(.queuedOutputBytes) }
    #expect(queued?.code == .notSupported)
    let pair = try UnixStreamSocket.pair()
    let socket = failure(SocketError.self) { () throws(SocketError) in
      _ = try DescriptorStream(adopting: pair.first.descriptor.duplicate())
    }
    #expect(socket == SocketError(code: .wrongSocketKind, .adopt))
  }

  @Test func aBlockingDescriptorBecomesNonBlocking() throws {
    let (readEnd, writeEnd) = CLibrary.pipe()
    defer { close(writeEnd) }
    let reading = try DescriptorStream(adopting: owning(readEnd))
    // Otherwise the read below would block for ever.
    try #require(fcntl(readEnd, F_GETFL) & O_NONBLOCK != 0)
    var byte: [UInt8] = [0]
    let nothing = try reading.read(into: byte.mutableSpan)
    #expect(nothing == nil)
  }

  @Test func aRelayTakesDescriptorsToo() throws {
    let pipe = try pipe()
    let pair = try UnixStreamSocket.pair()
    var relay = try Pipe()
    _ = try pipe.second.write([1, 2, 3].span)
    let outcome = try relay.relay(from: pipe.first, to: pair.first, count: 100)
    var buffer: [UInt8] = [0, 0, 0]
    let read = try pair.second.read(into: buffer.mutableSpan)
    #expect(outcome == .moved(3) && read == .bytes(3) && buffer == [1, 2, 3])
  }
}

@Suite(.exclusive) struct DuplicateTests {
  @Test func aBorrowedDescriptorIsDuplicated() throws {
    let (readEnd, writeEnd) = CLibrary.pipe()
    let copy = try RawDescriptor(readEnd).duplicate()
    #expect(copy.raw.value != readEnd && fcntl(copy.raw.value, F_GETFD) & FD_CLOEXEC != 0)
    // The owner closes the original. The copy stays open and refers to the same open file.
    close(readEnd)
    #expect(CLibrary.write(writeEnd, [7]) == 1)
    var byte: [UInt8] = [0]
    #expect(CLibrary.read(copy.raw.value, into: &byte) == 1 && byte == [7])
    close(writeEnd)
    let closed = RawDescriptor(writeEnd)
    let error = failure(SocketError.self) { () throws(SocketError) in _ = try closed.duplicate() }
    #expect(error?.code == .closed && error?.errno == EBADF)
  }

  /// The counterparts of sock's SetNonBlock and SetCloseOnExec.
  @Test func theFlagsOfADescriptorThatGoesElsewhere() throws {
    let pair = try UnixStreamSocket.pair()
    let raw = pair.first.descriptor
    var flags = [fcntl(raw.value, F_GETFL) & O_NONBLOCK != 0, fcntl(raw.value, F_GETFD) & FD_CLOEXEC != 0]
    #expect(flags == [true, true])
    try raw.setBlocking(true)
    try raw.setCloseOnExec(false)
    flags = [fcntl(raw.value, F_GETFL) & O_NONBLOCK != 0, fcntl(raw.value, F_GETFD) & FD_CLOEXEC != 0]
    #expect(flags == [false, false])
    try raw.setBlocking(false)
    try raw.setCloseOnExec(true)
    flags = [fcntl(raw.value, F_GETFL) & O_NONBLOCK != 0, fcntl(raw.value, F_GETFD) & FD_CLOEXEC != 0]
    #expect(flags == [true, true])
    let closed = failure(SocketError.self) { () throws(SocketError) in try RawDescriptor(9999).setBlocking(true) }
    let gone = failure(SocketError.self) { () throws(SocketError) in try RawDescriptor(9999).setCloseOnExec(true) }
    #expect(closed?.code == .closed && gone?.code == .closed)
  }

  /// As mdlayher/socket's FileConn: the copy is adopted, and closes independently of the original.
  @Test func aSocketIsMadeOfACopy() throws {
    let pair = try UnixStreamSocket.pair()
    let copy = try UnixStreamSocket(adopting: pair.first.descriptor.duplicate())
    _ = try copy.write([5].span)
    try copy.close()
    var byte: [UInt8] = [0]
    let first = try pair.second.read(into: byte.mutableSpan)
    _ = try pair.first.write([6].span)
    let second = try pair.second.read(into: byte.mutableSpan)
    #expect(first == .bytes(1) && second == .bytes(1) && byte == [6])
  }
}

// What the Glibc module leaves out.
@_silgen_name("timerfd_create") private func timerfd_create(_ clock: Int32, _ flags: Int32) -> Int32
@_silgen_name("timerfd_settime")
private func timerfd_settime(
  _ timer: Int32, _ flags: Int32, _ time: UnsafePointer<itimerspec>, _ old: UnsafeMutablePointer<itimerspec>?
) -> Int32
@_silgen_name("signalfd")
private func signalfd(_ number: Int32, _ mask: UnsafePointer<sigset_t>, _ flags: Int32) -> Int32
@_silgen_name("eventfd") func eventfd(_ count: UInt32, _ flags: Int32) -> Int32
@_silgen_name("posix_openpt") private func posix_openpt(_ flags: Int32) -> Int32
@_silgen_name("grantpt") private func grantpt(_ master: Int32) -> Int32
@_silgen_name("unlockpt") private func unlockpt(_ master: Int32) -> Int32
@_silgen_name("ptsname") private func ptsname(_ master: Int32) -> UnsafePointer<CChar>
