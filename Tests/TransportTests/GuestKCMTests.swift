import Glibc
import SocketKit
import TestSupport
import Testing

/// The Kernel Connection Multiplexer, which the guest's kernels have as a module.
@Suite(.exclusive, .needsKCM) struct GuestKCMTests {
  /// An eBPF program that reads the length of a message from its first two bytes, in network order, which do not count.
  private func parser() throws -> Descriptor {
    // struct bpf_insn: code, registers, offset, immediate.
    let program: [UInt64] = [
      0x0000_0000_0000_16bf,  // r6 = r1: the packet
      0x0000_0000_0000_0028,  // r0 = two bytes at 0
      0x0000_0002_0000_0007,  // r0 += 2
      0x0000_0000_0000_0095,  // return r0
    ]
    let license: [CChar] = [71, 80, 76, 0]  // "GPL"
    // The kernel reads the instructions and the text only during the call, in which both arrays exist.
    let number = unsafe program.withUnsafeBytes { instructions in
      unsafe license.withUnsafeBytes { license in
        // union bpf_attr: BPF_PROG_TYPE_SOCKET_FILTER and the count, the instructions, the license, and no log.
        var attributes = [UInt64](repeating: 0, count: 16)
        attributes[0] = 1 | UInt64(program.count) << 32
        attributes[1] = UInt64(UInt(bitPattern: instructions.baseAddress))
        attributes[2] = UInt64(UInt(bitPattern: license.baseAddress))
        return unsafe systemCall(bpf, 5, &attributes, 128)
      }
    }
    try #require(number >= 0, "bpf(2): errno \(errno)")
    return owning(Int32(number))
  }

  private func message(_ payload: [UInt8]) -> [UInt8] {
    [UInt8(payload.count >> 8), UInt8(payload.count & 255)] + payload
  }

  private func receive(_ socket: borrowing KCMSocket, within time: Duration = .seconds(5)) throws -> [UInt8]? {
    var buffer = [UInt8](repeating: 0, count: 70_000)
    var info = MessageInfo()
    do throws(SocketError) {
      let count = try socket.receive(into: buffer.mutableSpan, &info, until: .after(time))
      return Array(buffer.prefix(count))
    } catch {
      #expect(error.code == .timedOut)
      return nil
    }
  }

  @Test func messagesComeWholeHoweverTheStreamCutsThem() throws {
    let program = try parser()
    let pair = try TCPSocket.pair(until: .after(.seconds(5)))
    let multiplexer = try KCMSocket.open()
    #expect(fcntl(multiplexer.descriptor.value, F_GETFD) & FD_CLOEXEC != 0)
    try multiplexer.attach(pair.first, parser: program.raw)
    // In one segment, and in two.
    try pair.second.writeAll(message([1, 2, 3]).span, until: .after(.seconds(5)))
    let first = try receive(multiplexer)
    try pair.second.writeAll([0].span, until: .after(.seconds(5)))
    let none = try receive(multiplexer, within: .milliseconds(50))
    try pair.second.writeAll([2, 4, 5].span, until: .after(.seconds(5)))
    let second = try receive(multiplexer)
    #expect(first == [0, 3, 1, 2, 3] && none == nil && second == [0, 2, 4, 5])
    // The other way: one message, whole on the stream.
    _ = try multiplexer.send(message([9, 8]).span)
    var bytes: [UInt8] = [0, 0, 0, 0]
    try pair.second.readExactly(into: bytes.mutableSpan, until: .after(.seconds(5)))
    #expect(bytes == [0, 2, 9, 8])
  }

  @Test func twoConnectionsAndTwoSocketsShareAMultiplexer() throws {
    let program = try parser()
    let one = try TCPSocket.pair(until: .after(.seconds(5)))
    let two = try TCPSocket.pair(over: .ipv6, until: .after(.seconds(5)))
    let multiplexer = try KCMSocket.open()
    let clone = try multiplexer.clone()
    #expect(fcntl(clone.descriptor.value, F_GETFD) & FD_CLOEXEC != 0)
    #expect(fcntl(clone.descriptor.value, F_GETFL) & O_NONBLOCK != 0)
    try multiplexer.attach(one.first, parser: program.raw)
    try clone.attach(two.first, parser: program.raw)
    try one.second.writeAll(message([1]).span, until: .after(.seconds(5)))
    try two.second.writeAll(message([2]).span, until: .after(.seconds(5)))
    var received: Set<[UInt8]> = []
    let deadline = Deadline.after(.seconds(10))
    while received.count < 2, !deadline.hasPassed {
      if let message = try receive(multiplexer, within: .milliseconds(20)) { received.insert(message) }
      if let message = try receive(clone, within: .milliseconds(20)) { received.insert(message) }
    }
    #expect(received == [[0, 1, 1], [0, 1, 2]])
  }

  @Test func aPollerWatchesAndACutMessageIsReported() throws {
    let program = try parser()
    let pair = try TCPSocket.pair(until: .after(.seconds(5)))
    let multiplexer = try KCMSocket.open()
    try multiplexer.attach(pair.first, parser: program.raw)
    var poller = try EpollPoller()
    try poller.register(multiplexer, for: .readable, token: Token(index: 3))
    let early = try poller.wait(until: .past)
    try pair.second.writeAll(message([1, 2, 3, 4, 5, 6]).span, until: .after(.seconds(5)))
    let count = try poller.wait(until: .after(.seconds(5)))
    var short = [UInt8](repeating: 0, count: 4)
    var info = MessageInfo()
    let outcome = try multiplexer.receive(into: short.mutableSpan, &info)
    #expect(early == 0 && count == 1 && outcome == 4 && short == [0, 6, 1, 2])
    #expect(info.flags.contains(.truncated))
    try poller.deregister(multiplexer)
  }

  @Test func aConnectionThatIsDetachedIsAStreamAgain() throws {
    let program = try parser()
    let pair = try TCPSocket.pair(until: .after(.seconds(5)))
    let multiplexer = try KCMSocket.open()
    try multiplexer.attach(pair.first, parser: program.raw)
    let twice = failure(SocketError.self) { () throws(SocketError) in
      try multiplexer.attach(pair.first, parser: program.raw)
    }
    #expect(twice?.errno == EALREADY)
    try multiplexer.detach(pair.first)
    try pair.second.writeAll([1, 2, 3].span, until: .after(.seconds(5)))
    var bytes: [UInt8] = [0, 0, 0]
    try pair.first.readExactly(into: bytes.mutableSpan, until: .after(.seconds(5)))
    #expect(bytes == [1, 2, 3])
    let absent = failure(SocketError.self) { () throws(SocketError) in try multiplexer.detach(pair.first) }
    #expect(absent == SocketError(code: .notRegistered, .setOption, errno: ENOENT))
  }

  @Test func whatCannotBeAttachedIsATypedError() throws {
    let program = try parser()
    let multiplexer = try KCMSocket.open()
    let unix = try UnixStreamSocket.pair()
    let wrong = failure(SocketError.self) { () throws(SocketError) in
      try multiplexer.attach(unix.first, parser: program.raw)
    }
    #expect(wrong?.code == .notSupported)
    let pair = try TCPSocket.pair(until: .after(.seconds(5)))
    let noProgram = failure(SocketError.self) { () throws(SocketError) in
      try multiplexer.attach(pair.first, parser: RawDescriptor(9999))
    }
    let otherDescriptor = failure(SocketError.self) { () throws(SocketError) in
      try multiplexer.attach(pair.first, parser: pair.second.descriptor)
    }
    #expect(noProgram?.code == .closed && otherDescriptor?.code == .invalidArgument)
    let address = failure(SocketError.self) { () throws(SocketError) in _ = try multiplexer.localAddress() }
    #expect(address?.code == .notSupported)
    let adopted = try KCMSocket(adopting: multiplexer.descriptor.duplicate())
    try adopted.attach(pair.first, parser: program.raw)
    let copy = try unix.first.descriptor.duplicate()
    let other = failure(SocketError.self) { () throws(SocketError) in _ = try KCMSocket(adopting: copy.raw.duplicate())
    }
    #expect(other == SocketError(code: .wrongSocketKind, .adopt))
  }
}

#if arch(x86_64)
  private let bpf = 321
#else
  private let bpf = 280
#endif
@_silgen_name("syscall")
private func systemCall(_ number: Int, _ a: Int, _ b: UnsafeMutableRawPointer, _ c: Int) -> Int
