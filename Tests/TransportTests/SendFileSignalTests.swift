import Glibc
import SocketKit
import TestSupport
import Testing

/// sendfile(2) and splice(2) raise SIGPIPE at a closed peer, which would end the process: the signal's disposition is
/// the default one here, so a test that passes has met none.
@Suite(.exclusive) struct SendFileSignalTests {
  private func withDefaultDisposition(_ body: () throws -> Void) throws {
    let old = signal(SIGPIPE, SIG_DFL)
    defer { _ = signal(SIGPIPE, old) }
    try body()
  }

  private func file() -> Descriptor {
    owning(Files.unnamed(holding: [UInt8](repeating: 7, count: 1 << 20)))
  }

  /// A TCP connection that the peer has reset.
  private func resetTCP() throws -> TCPSocket {
    let listener = try TCPSocket.listen(on: .loopback(port: 0))
    let client = try TCPSocket.connect(to: listener.localAddress(), until: .after(.seconds(5)))
    let server = try listener.accept(until: .after(.seconds(5)))
    try server.setOption(.linger, to: .zero)
    try server.close()
    var byte: [UInt8] = [0]
    // Taking the reset leaves EPIPE for what is sent afterwards.
    _ = failure(SocketError.self) { () throws(SocketError) in
      _ = try client.read(into: byte.mutableSpan, until: .after(.seconds(5)))
    }
    return client
  }

  private func closedUnix() throws -> UnixStreamSocket {
    let pair = try UnixStreamSocket.pair()
    return try pair.split { (first, second) throws(SocketError) in
      try second.close()
      return first
    }
  }

  private func expectBrokenPipe<S: StreamSocket & KernelSocket & ~Copyable>(_ socket: borrowing S) throws {
    let source = file()
    var offset: Int64? = 0
    let sent = failure(SocketError.self) { () throws(SocketError) in
      _ = try source.raw.sendFile(to: socket, offset: &offset, count: 1000)
    }
    #expect(sent?.code == .brokenPipe && sent?.operation == .transfer && offset == 0)
    let number = socket.descriptor
    let feeder = try UnixStreamSocket.pair()
    _ = try feeder.first.write([1, 2, 3].span)
    var pipe = try Pipe()
    _ = try pipe.fill(from: feeder.second, count: 3)
    let spliced = failure(SocketError.self) { () throws(SocketError) in
      _ = try pipe.readEnd.splice(to: number, count: 3)
    }
    #expect(spliced?.code == .brokenPipe)
    let inside = pipe.byteCount
    #expect(inside == 3)
  }

  @Test func aClosedPeerIsAnErrorAndNoSignal() throws {
    try withDefaultDisposition {
      try expectBrokenPipe(try resetTCP())
      try expectBrokenPipe(try closedUnix())
    }
  }

  @Test func aPipeWithoutReaderIsAnErrorAndNoSignal() throws {
    try withDefaultDisposition {
      let feeder = try UnixStreamSocket.pair()
      _ = try feeder.first.write([1, 2, 3].span)
      let source = feeder.second.descriptor
      let error = try Pipe().split { (reading, writing) throws(SocketError) -> SocketError? in
        try reading.close()
        let end = writing.raw
        return failure(SocketError.self) { () throws(SocketError) in _ = try source.splice(to: end, count: 3) }
      }
      #expect(error?.code == .brokenPipe)
    }
  }

  /// A call that sends a part and then meets the closed peer returns the part, and leaves a signal too.
  @Test func aPeerThatClosesInTheMiddleIsAnErrorAndNoSignal() throws {
    try withDefaultDisposition {
      let source = file()
      for round in 0..<200 {
        try UnixStreamSocket.pair().split { (first, second) throws(SocketError) in
          let reader = second.releaseDescriptor().release()
          let thread = spawn {
            // Keeps up with the sender for a while, so that it is inside one long call when the end comes.
            var bytes = [UInt8](repeating: 0, count: 1 << 16)
            var left = round * 8192
            while left > 0 {
              left -= max(0, CLibrary.receive(reader.value, into: &bytes, flags: Int32(MSG_DONTWAIT)))
            }
            close(reader.value)
          }
          let error = failure(SocketError.self) { () throws(SocketError) in
            let deadline = Deadline.after(.seconds(10))
            var offset: Int64? = 0
            while !deadline.hasPassed {
              if case .endOfStream = try source.raw.sendFile(to: first, offset: &offset, count: 1 << 20) {
                offset = 0
              }
            }
          }
          thread.join()
          #expect(error?.code == .brokenPipe || error?.code == .connectionReset)
        }
      }
    }
  }

  /// What the program has blocked stays blocked, and what it has pending stays pending.
  @Test func theProgramsOwnMaskAndSignalsStay() throws {
    let source = file()
    let socket = try closedUnix().releaseDescriptor().release()
    // The C library accesses a set of signals only during the call.
    let results = onThread { () -> [Bool] in
      let stream = unsafe UnixStreamSocket(owning: Descriptor(unsafeOwning: socket))
      func isBlocked() -> Bool {
        var mask = sigset_t()
        unsafe pthread_sigmask(SIG_BLOCK, nil, &mask)
        return unsafe sigismember(&mask, SIGPIPE) == 1
      }
      func isPending() -> Bool {
        var set = sigset_t()
        unsafe sigpending(&set)
        return unsafe sigismember(&set, SIGPIPE) == 1
      }
      func send() {
        var offset: Int64? = 0
        _ = failure(SocketError.self) { () throws(SocketError) in
          _ = try source.raw.sendFile(to: stream, offset: &offset, count: 10)
        }
      }
      var results: [Bool] = []
      send()
      results.append(!isBlocked() && !isPending())
      var set = sigset_t()
      unsafe sigemptyset(&set)
      unsafe sigaddset(&set, SIGPIPE)
      unsafe pthread_sigmask(SIG_BLOCK, &set, nil)
      send()
      results.append(isBlocked() && !isPending())
      pthread_kill(pthread_self(), SIGPIPE)
      send()
      results.append(isBlocked() && isPending())
      var received: Int32 = 0
      unsafe sigwait(&set, &received)
      results.append(received == SIGPIPE)
      return results
    }
    #expect(results == [true, true, true, true])
  }
}
