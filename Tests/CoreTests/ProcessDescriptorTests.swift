import Glibc
import SocketKit
import TestSupport
import Testing

@Suite(.exclusive) struct ProcessDescriptorTests {
  /// Starts a child that runs a shell command. Its standard input is `gate`, or /dev/null, and its standard output is
  /// `output`, or that of this process.
  private func child(_ command: String, gate: Int32? = nil, output: Int32? = nil) throws -> Int32 {
    var descriptors: [(number: Int32, source: Int32?)] = [(0, gate)]
    if let output { descriptors.append((1, output)) }
    return try #require(startProgram(["/bin/sh", "-c", command], descriptors, withoutSignalMask: true))
  }

  @Test(arguments: [0, 7, 255] as [Int32])
  func aChildsStatusIsWaitedFor(_ status: Int32) throws {
    let process = try ProcessDescriptor(of: child("exit \(status)"))
    let exit = try process.waitForExit(until: .after(.seconds(10)))
    #expect(exit == .exited(status))
    // The first wait collected the status, so it cannot be read again.
    let again = try process.takeExit()
    #expect(again == .unknown)
    let gone = failure(SocketError.self) { () throws(SocketError) in try process.send(signal: SIGTERM) }
    #expect(gone?.code == .noSuchProcess && gone?.errno == ESRCH && gone?.operation == .controlProcess)
  }

  @Test func aSignalEndsTheProcessThatItNames() throws {
    let process = try ProcessDescriptor(of: child("exec sleep 100"))
    let running = try process.takeExit()
    try process.send(signal: 0)
    try process.send(signal: SIGTERM)
    let exit = try process.waitForExit(until: .after(.seconds(10)))
    #expect(running == nil && exit == .killed(signal: SIGTERM, dumpedCore: false))
    let invalid = try ProcessDescriptor(of: getpid())
    let error = failure(SocketError.self) { () throws(SocketError) in try invalid.send(signal: 9999) }
    #expect(error?.code == .invalidArgument)
  }

  @Test func theWaitEndsByDeadlineAndCancel() throws {
    let process = Shared(try ProcessDescriptor(of: child("exec sleep 100")))
    let late = failure(SocketError.self) { () throws(SocketError) in
      _ = try process.value.waitForExit(until: .after(.milliseconds(20)))
    }
    #expect(late == SocketError(code: .timedOut, .controlProcess))
    let control = WaitControl()
    let waiting = ThreadResult { () -> SocketError? in
      let before = threadCPUTime()
      let error = failure(SocketError.self) { () throws(SocketError) in
        _ = try process.value.waitForExit(until: .never.cancellable(by: control))
      }
      #expect(threadCPUTime() - before < 20)
      return error
    }
    sleep(milliseconds: 100)
    control.cancel()
    #expect(waiting.join() == SocketError(code: .cancelled, .controlProcess))
    try process.value.send(signal: SIGKILL)
    let exit = try process.value.waitForExit(until: .after(.seconds(10)))
    #expect(exit == .killed(signal: SIGKILL, dumpedCore: false))
  }

  @Test func aPollerReportsTheEnd() throws {
    let (read, write) = CLibrary.pipe()
    let process = try ProcessDescriptor(of: child("read line; exit 3", gate: read))
    close(read)
    var poller = try EpollPoller()
    try poller.register(process.descriptor, for: .readable, token: Token(index: 9))
    let early = try poller.wait(until: .past)
    close(write)
    let count = try poller.wait(until: .after(.seconds(10)))
    let exit = try process.takeExit()
    #expect(early == 0 && count == 1 && exit == .exited(3))
    try poller.deregister(source: process.descriptor)
  }

  /// Any process can see that another has ended. Only the parent gets the status.
  @Test func theEndOfAGrandchildIsSeen() throws {
    let (read, write) = CLibrary.pipe()
    let output = try Pipe()
    // A command in the background has /dev/null for its standard input.
    let script = "exec 3<&0; (read line <&3; exit 4) & echo $!; wait"
    let parent = try ProcessDescriptor(of: child(script, gate: read, output: output.writeEnd.value))
    close(read)
    var text = [UInt8](repeating: 0, count: 32)
    let count = try output.split { (reading, _) in
      let stream = try DescriptorStream(adopting: reading)
      let outcome = try stream.read(into: text.mutableSpan, until: .after(.seconds(10)))
      return if case .bytes(let count) = outcome { count } else { 0 }
    }
    let line = String(decoding: text.prefix(count), as: UTF8.self)
    let grandchild = try ProcessDescriptor(of: try #require(Int32(line.dropLast())))
    let running = try grandchild.takeExit()
    close(write)
    let exit = try grandchild.waitForExit(until: .after(.seconds(10)))
    #expect(running == nil && exit == .unknown)
    let status = try parent.waitForExit(until: .after(.seconds(10)))
    #expect(status == .exited(0))
  }

  @Test func aDescriptorIsCopiedOutOfAnotherProcess() throws {
    let (read, write) = CLibrary.pipe()
    let process = try ProcessDescriptor(of: child("exec sleep 100", gate: read))
    // Closes this process's own copy of the read end: only the child still has it.
    close(read)
    let copy = try process.duplicate(RawDescriptor(0))
    #expect(fcntl(copy.raw.value, F_GETFD) & FD_CLOEXEC != 0)
    let stream = try DescriptorStream(adopting: copy)
    #expect(CLibrary.write(write, [1, 2]) == 2)
    var bytes: [UInt8] = [0, 0]
    try stream.readExactly(into: bytes.mutableSpan, until: .after(.seconds(5)))
    #expect(bytes == [1, 2])
    close(write)
    let missing = failure(SocketError.self) { () throws(SocketError) in _ = try process.duplicate(RawDescriptor(99)) }
    #expect(missing?.code == .closed && missing?.operation == .controlProcess)
    try process.send(signal: SIGKILL)
    _ = try process.waitForExit(until: .after(.seconds(10)))
    let ended = failure(SocketError.self) { () throws(SocketError) in _ = try process.duplicate(RawDescriptor(0)) }
    #expect(ended?.code == .noSuchProcess)
  }

  @Test func aPeersProcessIsOne() throws {
    let pair = try UnixStreamSocket.pair()
    let descriptor: Descriptor
    do throws(SocketError) {
      descriptor = try pair.first.option(.peerProcess)
    } catch {
      #expect(error.code == .notSupported && (GuestKernel.isLinux61 || !mustBeAvailable), "unavailable: \(error)")
      return
    }
    let process = try ProcessDescriptor(adopting: descriptor)
    let exit = try process.takeExit()
    #expect(exit == nil)
    let copy = try process.duplicate(pair.first.descriptor)
    let socket = try UnixStreamSocket(adopting: copy)
    _ = try socket.write([1].span)
    var byte: [UInt8] = [0]
    let read = try pair.second.read(into: byte.mutableSpan)
    #expect(read == .bytes(1) && byte == [1])
  }

  @Test func whatIsNoProcessIsATypedError() throws {
    let absent = failure(SocketError.self) { () throws(SocketError) in _ = try ProcessDescriptor(of: Int32.max) }
    #expect(absent?.code == .noSuchProcess && absent?.operation == .controlProcess)
    for number in [0, -1] as [Int32] {
      let error = failure(SocketError.self) { () throws(SocketError) in _ = try ProcessDescriptor(of: number) }
      #expect(error?.code == .invalidArgument, "\(number)")
    }
    let inner = onThread {
      failure(SocketError.self) { () throws(SocketError) in _ = try ProcessDescriptor(of: gettid()) }
    }
    #expect(inner?.code == .invalidArgument)
    let pipe = try Pipe()
    let wrong = failure(SocketError.self) { () throws(SocketError) in
      _ = try ProcessDescriptor(adopting: pipe.readEnd.duplicate())
    }
    #expect(wrong?.code == .invalidArgument && wrong?.operation == .adopt)
  }

  @Test func withoutPermissionTheRemedySaysWhatIsNeeded() throws {
    let process = Shared(try ProcessDescriptor(of: child("exec sleep 100")))
    let errors = onThread { () -> [SocketError?] in
      // The bare system call changes the user of this thread only; libc's function changes all threads. The thread
      // loses its capabilities with its user, and ends here.
      guard systemCall(setresuid, 65534, 65534, 65534) == 0 else { return [] }
      return [
        failure(SocketError.self) { () throws(SocketError) in try process.value.send(signal: SIGTERM) },
        failure(SocketError.self) { () throws(SocketError) in _ = try process.value.duplicate(RawDescriptor(0)) },
      ]
    }
    try process.value.send(signal: SIGKILL)
    _ = try process.value.waitForExit(until: .after(.seconds(10)))
    guard errors.count == 2 else {
      #expect(!mustBeAvailable, "unavailable: this process cannot change its user")
      return
    }
    for error in errors {
      #expect(error?.code == .permissionDenied && error?.remedy?.contains("CAP_SYS_PTRACE") == true)
    }
  }
}

@_silgen_name("gettid") private func gettid() -> Int32
#if arch(x86_64)
  private let setresuid = 117
#else
  private let setresuid = 147
#endif
@_silgen_name("syscall") private func systemCall(_ number: Int, _ a: Int, _ b: Int, _ c: Int) -> Int
