import CSocketKit
import Glibc
import SocketKit
import TestSupport
import Testing

/// Who is at the other end, and who sent a message.
@Suite(.exclusive) struct UnixMessageIdentityTests {
  /// The number of the process that a pidfd names (pidfd, /proc/self/fdinfo).
  private func process(of number: RawDescriptor) -> Int32? {
    let lines = (try? text(of: "/proc/self/fdinfo/\(number.value)"))?.split(separator: "\n") ?? []
    return lines.first { $0.hasPrefix("Pid:") }.flatMap { Int32($0.dropFirst(4).filter { $0.isNumber }) }
  }

  /// What an older kernel lacks is unavailable, and a failure where everything must be there.
  private func isMissing(_ error: SocketError) -> Bool {
    #expect(error.code == .notSupported && !mustBeAvailable, "unavailable: \(error)")
    return true
  }

  @Test func thePeersProcess() throws {
    let pair = try UnixStreamSocket.pair()
    do throws(SocketError) {
      let descriptor = try pair.first.option(.peerProcess)
      #expect(process(of: descriptor.raw) == getpid() && isCloseOnExec(descriptor.raw))
    } catch {
      _ = isMissing(error)
    }
    let alone = try UnixStreamSocket.open(for: .unnamed)
    #expect(failure { () throws(SocketError) in _ = try alone.option(.peerProcess) }?.code == .notConnected)
    #expect(failure { () throws(SocketError) in _ = try alone.option(.peerGroups) }?.code == .notConnected)
  }

  @Test func thePeersGroups() throws {
    let pair = try UnixSequencedPacketSocket.pair()
    var own = [gid_t](repeating: 0, count: 65536)
    // The kernel writes at most the given number of groups.
    let count = unsafe Int(getgroups(Int32(own.count), &own))
    let groups = try pair.first.option(.peerGroups)
    #expect(groups.sorted() == own.prefix(count).map { UInt32($0) }.sorted())
  }

  @Test func manyGroups() throws {
    // On a thread of its own: the kernel's setgroups concerns one thread, libc's would change all.
    let found = onThread { () -> [UInt32]? in
      let many = (1...100).map { UInt32($0) }
      // The kernel reads the 100 groups during the call.
      guard unsafe setGroupsOfThread(100, many) == 0 else { return nil }
      do throws(SocketError) {
        let pair = try UnixStreamSocket.pair()
        return try pair.first.option(.peerGroups)
      } catch {
        return []
      }
    }
    #expect(found != nil || !mustBeAvailable, "unavailable: setting groups needs CAP_SETGID")
    if let found { #expect(found == (1...100).map { UInt32($0) }) }
  }

  @Test func credentialsWithEveryMessageAndDescriptorsBesides() throws {
    func check<S: PassingSocket & ~Copyable>(_ pair: borrowing SocketPair<S>) throws {
      try pair.second.setOption(.passCredentials, to: true)
      let file = makeFile("mixed")
      defer { close(file) }
      for list in [[], [RawDescriptor(file)], [RawDescriptor](repeating: RawDescriptor(file), count: 253)] {
        _ = try pair.first.sendDescriptors(list.span, with: [1].span)
        var received = ReceivedDescriptors<253>()
        var buffer: [UInt8] = [0]
        let outcome = try pair.second.receiveDescriptors(&received, into: buffer.mutableSpan)
        let (sender, count) = (received.credentials, received.count)
        #expect(outcome == .bytes(1) && sender == .own && count == list.count)
      }
    }
    try check(UnixStreamSocket.pair())
    try check(UnixSequencedPacketSocket.pair())
    try check(UnixDatagramSocket.pair())
  }

  @Test func chosenCredentials() throws {
    let pair = try UnixDatagramSocket.pair()
    try pair.second.setOption(.passCredentials, to: true)
    _ = try pair.first.sendDescriptors(Span(), with: [1].span, credentials: .own)
    var received = ReceivedDescriptors<0>()
    var buffer: [UInt8] = [0]
    _ = try pair.second.receiveDescriptors(&received, into: buffer.mutableSpan)
    let own = received.credentials
    #expect(own == .own)
    let other = ProcessCredentials(pid: getpid(), uid: 12345, gid: 54321)
    do throws(SocketError) {
      _ = try pair.first.sendDescriptors(Span(), with: [1].span, credentials: other)
      _ = try pair.second.receiveDescriptors(&received, into: buffer.mutableSpan)
      let sender = received.credentials
      #expect(sender == other && getuid() == 0)
    } catch {
      #expect(error.code == .permissionDenied && error.operation == .passDescriptors && !mustBeAvailable)
    }
  }

  @Test func theSendersProcessWithEveryMessage() throws {
    func check<S: PassingSocket & ~Copyable>(_ pair: borrowing SocketPair<S>) throws {
      do throws(SocketError) {
        try pair.second.setOption(.passProcess, to: true)
      } catch {
        _ = isMissing(error)
        return
      }
      try pair.second.setOption(.passCredentials, to: true)
      let before = openDescriptors().count
      let file = makeFile("mixed")
      defer { close(file) }
      let many = [RawDescriptor](repeating: RawDescriptor(file), count: 253)
      for taken in [true, false] {
        _ = try pair.first.sendDescriptors(many.span, with: [1].span)
        var received = ReceivedDescriptors<2>()
        var buffer: [UInt8] = [0]
        _ = try pair.second.receiveDescriptors(&received, into: buffer.mutableSpan)
        let (sender, count, surplus) = (received.credentials, received.count, received.surplus)
        #expect(sender == .own && count == 2 && surplus == 251 && openDescriptors().count == before + 4)
        if taken {
          guard let descriptor = received.takeProcess() else { throw SocketError(code: .other, .receive) }
          #expect(process(of: descriptor.raw) == getpid() && isCloseOnExec(descriptor.raw))
        }
        if taken, let _ = received.takeProcess() { Issue.record("taken twice") }
      }
      #expect(openDescriptors().count == before + 1)
    }
    try check(UnixStreamSocket.pair())
    try check(UnixSequencedPacketSocket.pair())
    try check(UnixDatagramSocket.pair())
  }

  /// The plain receive of packets has room for a pidfd, and closes it.
  @Test func aPlainReceiveDropsTheSendersProcess() throws {
    let pair = try UnixSequencedPacketSocket.pair()
    if let error = failure({ () throws(SocketError) in try pair.second.setOption(.passProcess, to: true) }) {
      _ = isMissing(error)
      return
    }
    let before = openDescriptors()
    var info = MessageInfo()
    var buffer: [UInt8] = [0]
    for _ in 0..<3 {
      _ = try pair.first.send([1].span)
      let outcome = try pair.second.receive(into: buffer.mutableSpan, &info)
      #expect(outcome == .bytes(1) && openDescriptors() == before)
    }
  }
}

/// setgroups(2) of this thread alone.
private func setGroupsOfThread(_ count: Int, _ groups: UnsafePointer<UInt32>?) -> Int {
  csk_syscall(Int(SYS_setgroups), count, Int(bitPattern: groups), 0, 0, 0, 0)
}
