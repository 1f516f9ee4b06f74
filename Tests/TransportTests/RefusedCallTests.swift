import CSocketKit
import Glibc
import SocketKit
import TestSupport
import Testing

/// Sandboxes (seccomp(2)) and older kernels refuse system calls. The library then uses another call, or fails with an
/// error that says so.
@Suite(.exclusive) struct RefusedCallTests {
  private static let errors = [ENOSYS, EPERM, EACCES]

  /// The helper itself: refused here, and nowhere else.
  @Test func aFilterRefusesOneThread() throws {
    let inside = try whileRefused([Int(SYS_getppid)], with: EPERM) { csk_syscall(Int(SYS_getppid), 0, 0, 0, 0, 0, 0) }
    #expect(inside == -Int(EPERM) && csk_syscall(Int(SYS_getppid), 0, 0, 0, 0, 0, 0) == Int(getppid()))
  }

  @Test(arguments: errors) func withoutStatxAListenerRemovesItsFile(_ error: Int32) throws {
    let path = temporaryPath()
    let address = try UnixAddress(path: path)
    try whileRefused([332], with: error) {
      for _ in 0..<2 {
        try UnixStreamSocket.listen(on: address).close()
        #expect(!Files.exists(path), "its file is left behind")
        try UnixDatagramSocket.bind(to: address).close()
        #expect(!Files.exists(path))
        do { _ = try UnixStreamSocket.listen(on: address).release() }
      }
    }
    // One that was made before the filter came, and one that was made under it.
    var listener: Listener<UnixStreamSocket>? = try UnixStreamSocket.listen(on: address)
    #expect(Files.exists(path))
    try whileRefused([332], with: error) { try listener.take()?.close() }
    #expect(!Files.exists(path))
  }

  @Test(arguments: errors) func withoutUnlinkatAFileIsRemoved(_ error: Int32) throws {
    let path = temporaryPath()
    try whileRefused([Int(SYS_unlinkat)], with: error) {
      try UnixStreamSocket.listen(on: UnixAddress(path: path)).close()
    }
    #expect(!Files.exists(path))
  }

  /// Either of two calls can tell whether another process is just making the file. Without both the library removes
  /// nothing.
  @Test func withoutLinkatADesertedPathIsCleared() throws {
    let path = temporaryPath()
    let address = try UnixAddress(path: path)
    do { _ = try UnixStreamSocket.listen(on: address).release() }
    let code = try whileRefused([Int(SYS_linkat), 316], with: EPERM) {
      endpointFailure { () throws(SocketError) in _ = try UnixStreamSocket.listen(on: address) }
    }
    #expect(code == .addressInUse && Files.exists(path))
    try whileRefused([Int(SYS_linkat)], with: EPERM) { try UnixStreamSocket.listen(on: address).close() }
    #expect(!Files.exists(path))
  }

  @Test(arguments: errors) func withoutAccept4AListenerAccepts(_ error: Int32) throws {
    let listener = try TCPSocket.listen(on: .loopback(port: 0))
    let address = try listener.localAddress()
    try whileRefused([Int(SYS_accept4)], with: error) {
      if let _ = try listener.accept() { Issue.record("accepted what is not there") }
      let client = try TCPSocket.connect(to: address, until: .after(patience))
      let server = try listener.accept(until: .after(patience))
      #expect(fcntl(server.descriptor.value, F_GETFL) & O_NONBLOCK != 0 && isCloseOnExec(server.descriptor))
      try client.writeAll([1].span, until: .after(patience))
      var buffer: [UInt8] = [0]
      try server.readExactly(into: buffer.mutableSpan, until: .after(patience))
      var peer = AnySocketAddress()
      _ = try TCPSocket.connect(to: address, until: .after(patience))
      guard let _ = try listener.accept(reporting: &peer) else { throw SocketError(code: .other, .accept) }
      #expect(IPSocketAddress(peer) != nil)
    }
    let closed = failure { () throws(SocketError) in
      _ = try Listener<TCPSocket>(unsafe Descriptor(unsafeOwning: RawDescriptor(9999)), context: ()).accept()
    }
    #expect(closed?.code == .closed)
  }

  @Test(arguments: errors) func withoutRecvmmsgAndSendmmsgBatchesGoOneByOne(_ error: Int32) throws {
    try whileRefused([Int(SYS_recvmmsg), Int(SYS_sendmmsg)], with: error) {
      let server = try UDPSocket.bind(to: .loopback(port: 0))
      let client = try UDPSocket.connect(to: server.localAddress())
      var batch = MessageBatch(capacity: 8, messageCapacity: 16)
      batch.mostJoined = 1
      for index in 0..<5 as Range<UInt8> { try batch.append([index, 1].span) }
      let sent = try batch.send(on: client)
      #expect(sent == 5)
      let count = try batch.receive(from: server, until: .after(patience))
      #expect(count == 5 && batch[4].bytes[0] == 4 && batch[4].fullLength == 2)
      let nothing = try batch.receive(from: server)
      #expect(nothing == nil)
      let pair = try UnixSequencedPacketSocket.pair()
      try batch.append([9].span)
      let packets = try batch.send(on: pair.first)
      let received = try batch.receive(from: pair.second)
      #expect(packets == 1 && received == 1)
    }
  }

  /// A refusal by the kernel itself is the result of the call. The library does not try another call.
  @Test func broadcastWithoutTheOptionIsStillRefused() throws {
    let socket = try UDPSocket.open(for: .loopback(port: 0))
    var batch = MessageBatch(capacity: 2, messageCapacity: 16)
    try batch.append([1].span, to: IPSocketAddress(IPv4Address(bits: .max), port: 9))
    let error = failure { () throws(SocketError) in _ = try batch.send(on: socket) }
    #expect(error?.code == .permissionDenied && error?.errno == EACCES)
  }

  @Test(arguments: errors) func withoutPpollWaitsEnd(_ error: Int32) throws {
    try whileRefused([Int(SYS_ppoll)], with: error) {
      let pair = try UnixStreamSocket.pair()
      var buffer: [UInt8] = [0]
      let (began, used) = (milliseconds(), threadCPUTime())
      let late = failure { () throws(SocketError) in
        _ = try pair.first.read(into: buffer.mutableSpan, until: .after(.milliseconds(60)))
      }
      #expect(late?.code == .timedOut && milliseconds() - began >= 59 && threadCPUTime() - used < 30)
      _ = try pair.second.write([7].span)
      #expect(try pair.first.read(into: buffer.mutableSpan, until: .never) == .bytes(1))
      var poller = try PollPoller()
      try poller.register(pair.first, for: .readable, token: Token(index: 1))
      #expect(try poller.wait(until: .after(.milliseconds(5))) == 0)
      _ = try pair.second.write([7].span)
      #expect(try poller.wait(until: .after(patience)) == 1)
      try poller.deregister(pair.first)
    }
  }

  @Test(arguments: errors) func withoutItsNewerCallsEpollWaits(_ error: Int32) throws {
    let pair = try UnixStreamSocket.pair()
    // Made before the filter: what the poller found out then no longer holds.
    var early = try EpollPoller()
    try early.register(pair.first, for: .readable, token: Token(index: 1))
    func wait(_ poller: inout EpollPoller) throws {
      let began = milliseconds()
      #expect(try poller.wait(until: .after(.milliseconds(30))) == 0)
      #expect(milliseconds() - began >= 29)
      #expect(try poller.wait(until: .past) == 0)
      _ = try pair.second.write([7].span)
      #expect(try poller.wait(until: .never) == 1)
      var buffer: [UInt8] = [0]
      _ = try pair.first.read(into: buffer.mutableSpan)
    }
    func waitBoth() throws {
      try wait(&early)
      var poller = try EpollPoller()
      try poller.register(pair.first, for: .readable, token: Token(index: 1))
      try wait(&poller)
    }
    try whileRefused([441], with: error, waitBoth)
    try whileRefused([441, Int(SYS_epoll_pwait), Int(SYS_epoll_create1)], with: error, waitBoth)
    func waitAndWake(_ poller: inout EpollPoller) throws {
      try wait(&poller)
      poller.waker.wake()
      #expect(try poller.wait(until: .after(patience)) == 0 && poller.wasWoken)
      _ = try pair.second.write([7].span)
      #expect(try poller.wait(until: .after(patience)) == 1 && !poller.wasWoken)
      var buffer: [UInt8] = [0]
      _ = try pair.first.read(into: buffer.mutableSpan)
    }
    func waitAndWakeBoth() throws {
      try waitAndWake(&early)
      var poller = try EpollPoller()
      try poller.register(pair.first, for: .readable, token: Token(index: 1))
      try waitAndWake(&poller)
    }
    try whileRefused([Int(SYS_epoll_wait)], with: error, waitAndWakeBoth)
    try whileRefused([Int(SYS_epoll_wait), 441], with: error, waitAndWakeBoth)
    let none = try whileRefused([Int(SYS_epoll_wait), Int(SYS_epoll_pwait), 441], with: error) {
      failure { () throws(SocketError) in _ = try early.wait(until: .past) }
    }
    #expect(none?.errno == error && none?.operation == .wait)
    let code = try whileRefused([Int(SYS_epoll_create1), Int(SYS_epoll_create)], with: error) {
      failure { () throws(SocketError) in _ = try EpollPoller() }
    }
    #expect(code?.errno == error && code?.operation == .open)
  }

  @Test(arguments: errors) func withoutEventfd2ThereAreBells(_ error: Int32) throws {
    try whileRefused([Int(SYS_eventfd2)], with: error) {
      let pair = try UnixStreamSocket.pair()
      let control = WaitControl()
      let canceller = spawn {
        sleep(milliseconds: 20)
        control.cancel()
      }
      var buffer: [UInt8] = [0]
      let ended = failure { () throws(SocketError) in
        _ = try pair.first.read(into: buffer.mutableSpan, until: .after(patience).cancellable(by: control))
      }
      canceller.join()
      #expect(ended?.code == .cancelled)
      var poller = try EpollPoller()
      poller.waker.wake()
      #expect(try poller.wait(until: .after(patience)) == 0 && poller.wasWoken)
    }
    let refused = try whileRefused([Int(SYS_eventfd2), Int(SYS_eventfd)], with: error) {
      failure { () throws(SocketError) in _ = try EpollPoller() }
    }
    #expect(refused?.errno == error && refused?.operation == .open)
  }

  @Test(arguments: errors) func withoutPipe2ThereArePipes(_ error: Int32) throws {
    try whileRefused([Int(SYS_pipe2)], with: error) {
      let pipe = try Pipe()
      try pipe.split { (readEnd, writeEnd) in
        for number in [readEnd.raw, writeEnd.raw] {
          #expect(isCloseOnExec(number) && fcntl(number.value, F_GETFL) & O_NONBLOCK != 0)
        }
        try readEnd.close()
        try writeEnd.close()
      }
    }
  }

  /// glibc tries clone(2) when clone3(2) is unknown (ENOSYS), and nothing else otherwise.
  @Test func whereNoThreadCanBeMadeTheErrorSaysSo() throws {
    let here = try NetworkNamespace.current()
    let (looking, entering) = try whileRefused([435, Int(SYS_clone)], with: EPERM) {
      let looking = failure(SocketError.self) { () throws(SocketError) in
        _ = try NameLookup("localhost", port: 1)
      }
      let entering = failure { try here.perform {} }
      return (looking, entering as? SocketError)
    }
    let refused = SocketError(code: .permissionDenied, .resolve, errno: EPERM).with(address: "localhost")
    #expect(looking == refused && looking?.remedy != nil)
    #expect(entering == SocketError(code: .permissionDenied, .enterNamespace, errno: EPERM))
  }

  @Test(arguments: errors) func withoutTheCallsForProcessesTheErrorSaysSo(_ error: Int32) throws {
    let code = error == ENOSYS ? SocketError.Code.notSupported : .permissionDenied
    let process = try ProcessDescriptor(of: getpid())
    // pidfd_send_signal(2), pidfd_open(2), pidfd_getfd(2).
    let errors = try whileRefused([424, 434, 438, Int(SYS_waitid)], with: error) {
      [
        failure { () throws(SocketError) in _ = try ProcessDescriptor(of: getpid()) },
        failure { () throws(SocketError) in try process.send(signal: 0) },
        failure { () throws(SocketError) in _ = try process.duplicate(RawDescriptor(0)) },
        failure { () throws(SocketError) in _ = try process.takeExit() },
      ]
    }
    for failure in errors {
      #expect(failure?.code == code && failure?.operation == .controlProcess && failure?.errno == error)
    }
  }

  @Test(arguments: errors, [424, Int(SYS_waitid)])
  func whatIsNoProcessIsSeenWithoutPidfdSendSignalOrWaitid(_ error: Int32, _ call: Int) throws {
    let (wrong, right) = try whileRefused([call], with: error) {
      let pipe = try Pipe()
      let wrong = failure { () throws(SocketError) in _ = try ProcessDescriptor(adopting: pipe.readEnd.duplicate()) }
      let right = failure { () throws(SocketError) in
        _ = try ProcessDescriptor(adopting: ProcessDescriptor(of: getpid()).releaseDescriptor())
      }
      return (wrong, right)
    }
    #expect(wrong == SocketError(code: .invalidArgument, .adopt, errno: EBADF) && right == nil)
  }

  @Test(arguments: errors) func withoutSpliceAndSendfileTheErrorSaysSo(_ error: Int32) throws {
    let code = error == ENOSYS ? SocketError.Code.notSupported : .permissionDenied
    let file = makeFile("a text")
    defer { close(file) }
    let errors = try whileRefused([Int(SYS_splice), Int(SYS_sendfile)], with: error) {
      let pair = try UnixStreamSocket.pair()
      var pipe = try Pipe()
      var offset: Int64? = 0
      return [
        failure { () throws(SocketError) in
          _ = try RawDescriptor(file).sendFile(to: pair.first, offset: &offset, count: 4)
        },
        failure { () throws(SocketError) in _ = try pipe.fill(from: pair.first, count: 4) },
      ]
    }
    for failure in errors {
      #expect(failure?.code == code && failure?.operation == .transfer && failure?.errno == error)
    }
  }

  /// These calls can raise SIGPIPE, which would end the process. The library does not make them where it cannot block
  /// the signal.
  @Test(arguments: errors) func whereSIGPIPECannotBeKeptAwayNothingIsSent(_ error: Int32) throws {
    let file = makeFile("a text")
    defer { close(file) }
    let refused = try whileRefused([Int(SYS_rt_sigprocmask)], with: error) {
      let pair = try UnixStreamSocket.pair()
      var offset: Int64? = 0
      return failure { () throws(SocketError) in
        _ = try RawDescriptor(file).sendFile(to: pair.first, offset: &offset, count: 4)
      }
    }
    #expect(refused?.errno == error && refused?.operation == .transfer)
    let written = try whileRefused([Int(SYS_rt_sigprocmask)], with: error) {
      try Pipe().split { (readEnd, writeEnd) throws -> SocketError? in
        try readEnd.close()
        let stream = try DescriptorStream(adopting: writeEnd)
        return failure { () throws(SocketError) in _ = try stream.write([1].span) }
      }
    }
    #expect(written?.errno == error && written?.operation == .write)
    // The library cannot take the signal that was raised, so it stays blocked in that thread.
    let broken = try whileRefused([Int(SYS_rt_sigtimedwait)], with: error) {
      let pair = try UnixStreamSocket.pair()
      return try pair.split { (first, second) throws(SocketError) -> SocketError? in
        try second.close()
        var offset: Int64? = 0
        return failure { () throws(SocketError) in
          _ = try RawDescriptor(file).sendFile(to: first, offset: &offset, count: 4)
        }
      }
    }
    #expect(broken?.code == .brokenPipe)
  }
}
