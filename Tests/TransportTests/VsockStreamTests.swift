import Glibc
import SocketKit
import TestSupport
import Testing

/// vsock streams over loopback: addresses, ports, options, ends.
@Suite(.exclusive, .guestOnly) struct VsockStreamTests {
  @Test func listenersTakeAnyContextIDUnlessToldOtherwise() throws {
    let any = try VsockStreamSocket.listen(port: .any)
    let address = try any.localAddress()
    #expect(address.contextID == .any && address.port != .any && !address.port.isPrivileged)
    let client = try VsockStreamSocket.connect(to: .local(port: address.port), until: .after(patience))
    let server = try any.accept(until: .after(patience))
    let serverName = try server.localAddress()
    #expect(serverName == .local(port: address.port))
    let chosen = try VsockStreamSocket.listen(on: .local(port: .any))
    let chosenAddress = try chosen.localAddress()
    #expect(chosenAddress.contextID == .local && chosenAddress.port != .any)
    try client.writeAll([1, 2, 3].span, until: .after(patience))
    var buffer: [UInt8] = [0, 0, 0]
    try server.readExactly(into: buffer.mutableSpan, until: .after(patience))
    #expect(buffer == [1, 2, 3])
  }

  @Test func aDialledSocketKnowsItsOwnAddress() throws {
    let listener = try VsockStreamSocket.listen(port: .any)
    let port = try listener.localAddress().port
    let client = try VsockStreamSocket.connect(to: .local(port: port), until: .after(patience))
    var peer = AnySocketAddress()
    let accepted = try listener.accept(reporting: &peer)
    let isAccepted = accepted != nil
    #expect(isAccepted)
    let name = try client.localAddress()
    // The kernel alone says any, 4294967295.
    let raw = try VsockAddress(client.descriptor.localAddress())
    #expect(raw?.contextID == .any && raw?.port == name.port)
    #expect(name.contextID == .local && VsockAddress(peer) == name)
    // By another name for this machine: what the query says.
    let own = try VsockContextID.current()
    let hosted = try VsockStreamSocket.connect(to: .host(port: port), until: .after(patience))
    let hostedName = try hosted.localAddress()
    #expect(hostedName.contextID == own)
    let open = try VsockStreamSocket.open(for: .any(port: .any))
    let unconnected = try open.localAddress()
    #expect(unconnected.contextID == .any)
  }

  @Test func portZeroIsAPort() throws {
    let listener = try VsockStreamSocket.listen(port: 0)
    let address = try listener.localAddress()
    #expect(address.port == 0)
    let client = try VsockStreamSocket.connect(to: .local(port: 0), until: .after(patience))
    let remote = try client.remoteAddress()
    #expect(remote == .local(port: 0))
    #expect(
      vsockFailure { () throws(SocketError) in _ = try VsockStreamSocket.listen(port: 0) }?.code == .addressInUse)
  }

  @Test func connectingFromAChosenPort() throws {
    let listener = try VsockStreamSocket.listen(on: .local(port: .any))
    let source = VsockAddress.local(port: 4321)
    let client = try VsockStreamSocket.connect(to: listener.localAddress(), from: source, until: .after(patience))
    let server = try listener.accept(until: .after(patience))
    let (near, far) = (try client.localAddress(), try server.remoteAddress())
    #expect(near == source && far == source)
    let target = try listener.localAddress()
    let error = vsockFailure { () throws(SocketError) in
      _ = try VsockStreamSocket.connect(to: target, from: source, until: .after(patience))
    }
    #expect(error?.code == .addressInUse && error?.operation == .bind && error?.localAddress == "local(1):4321")
  }

  @Test func privilegedPortsAreTakenDownwardsFrom1023() throws {
    let listener = try VsockStreamSocket.listen(on: .local(port: .any))
    let target = try listener.localAddress()
    let blocker = try VsockStreamSocket.listen(on: .local(port: 1022))
    var ports: [UInt32] = []
    let first = try VsockStreamSocket.connect(to: target, fromPrivilegedPortOf: .local, until: .after(patience))
    ports.append(try first.localAddress().port.rawValue)
    let second = try VsockStreamSocket.connect(to: target, fromPrivilegedPortOf: .local, until: .after(patience))
    ports.append(try second.localAddress().port.rawValue)
    #expect(ports == [1023, 1021])
    for port in ports {
      let server = try listener.accept(until: .after(patience))
      let remote = try server.remoteAddress()
      #expect(remote == .local(port: VsockPort(rawValue: port)))
    }
    _ = consume blocker
    let refused = asNobody {
      vsockFailure { () throws(SocketError) in
        _ = try VsockStreamSocket.connect(to: target, fromPrivilegedPortOf: .any, until: .after(patience))
      }
    }
    #expect(refused?.code == .permissionDenied && refused?.operation == .bind)
  }

  @Test func theKernelsTimeOutFollowsTheDeadline() throws {
    let listener = try VsockStreamSocket.listen(on: .local(port: .any))
    let target = try listener.localAddress()
    var seen: [Duration] = []
    for deadline in [Deadline.after(.seconds(100)), .never] {
      _ = try VsockStreamSocket.connect(to: target, until: deadline) { (socket) throws(SocketError) in
        seen.append(try socket.option(.connectTimeout))
        try socket.setOption(.connectTimeout, to: .seconds(1))
        seen.append(try socket.option(.connectTimeout))
      }
    }
    #expect(seen[0] > .seconds(90) && seen[0] <= .seconds(101))
    #expect(seen[2] == .seconds(2_000_000))
    #expect(seen[1] == .seconds(1) && seen[3] == .seconds(1))
    #expect(
      vsockFailure { () throws(SocketError) in _ = try VsockStreamSocket.connect(to: target, until: .past) }?.code
        == .timedOut)
    let pending = try VsockStreamSocket.startConnecting(to: target)
    while try !pending.isFinished() {}
    let socket = try pending.finish()
    let standard = try socket.option(.connectTimeout)
    #expect(standard == .seconds(2))
  }

  @Test func optionsOfBuffersAndTimes() throws {
    let socket = try VsockStreamSocket.open(for: .any(port: .any))
    func sizes() throws -> [Int] {
      [try socket.option(.bufferMinimum), try socket.option(.bufferSize), try socket.option(.bufferMaximum)]
    }
    #expect(try sizes() == [128, 262144, 262144])
    // Clamped in silence, as documented.
    try socket.setOption(.bufferSize, to: 1 << 20)
    #expect(try sizes() == [128, 262144, 262144])
    try socket.setOption(.bufferMaximum, to: 2 << 20)
    try socket.setOption(.bufferSize, to: 1 << 20)
    #expect(try sizes() == [128, 1 << 20, 2 << 20])
    try socket.setOption(.bufferSize, to: 1)
    #expect(try sizes() == [128, 128, 2 << 20])
    try socket.setOption(.bufferMinimum, to: 4096)
    #expect(try sizes() == [4096, 4096, 2 << 20])
    try socket.setOption(.bufferMaximum, to: 8192)
    #expect(try sizes() == [4096, 4096, 8192])
    #expect(failure { () throws(SocketError) in try socket.setOption(.bufferSize, to: -1) }?.code == .invalidArgument)
    // Up to the next tick of the kernel's, 4 ms here; a tiny time does not become the default.
    try socket.setOption(.connectTimeout, to: .milliseconds(5250))
    let long = try socket.option(.connectTimeout)
    #expect(long >= .milliseconds(5250) && long <= .milliseconds(5260))
    try socket.setOption(.connectTimeout, to: .nanoseconds(1))
    let short = try socket.option(.connectTimeout)
    #expect(short > .zero && short <= .milliseconds(10))
    try socket.setOption(.connectTimeout, to: .zero)
    let standard = try socket.option(.connectTimeout)
    #expect(standard == .seconds(2))
    #expect(
      failure { () throws(SocketError) in try socket.setOption(.connectTimeout, to: .milliseconds(-1)) }?.code
        == .invalidArgument)
    let listener = try VsockStreamSocket.listen(port: .any) { (socket) throws(SocketError) in
      try socket.setOption(.bufferSize, to: 8192)
    }
    let port = try listener.localAddress().port
    let client = try VsockStreamSocket.connect(to: .local(port: port), until: .after(patience))
    let server = try listener.accept(until: .after(patience))
    let (inherited, own) = (try server.option(.bufferSize), try listener.option(.bufferSize))
    #expect(inherited == 8192 && own == 8192)
    _ = consume client
  }

  @Test func shuttingDownEitherDirection() throws {
    let ends = try vsockPair(VsockStreamSocket.self)
    let message: [UInt8] = [1, 2, 3, 4, 5, 6, 7, 8]
    var buffer = [UInt8](repeating: 0, count: 8)
    try ends.first.writeAll(message.span, until: .after(patience))
    try ends.second.readExactly(into: buffer.mutableSpan, until: .after(patience))
    #expect(buffer == message)
    try ends.first.shutdown(.write)
    let end = try ends.second.read(into: buffer.mutableSpan, until: .after(patience))
    #expect(end == .endOfStream)
    #expect(failure { () throws(SocketError) in _ = try ends.first.write(message.span) }?.code == .brokenPipe)
    try ends.second.writeAll(message.span, until: .after(patience))
    try ends.first.readExactly(into: buffer.mutableSpan, until: .after(patience))
    try ends.first.shutdown(.read)
    // The peer's end of reading is known once its word has come.
    let deadline = Deadline.after(patience)
    var error: SocketError?
    while error == nil && !deadline.hasPassed {
      error = failure { () throws(SocketError) in _ = try ends.second.write(message.span) }
    }
    #expect(error?.code == .brokenPipe)
  }

  @Test func openSocketsAreAdoptedByTheirKind() throws {
    let listener = try VsockStreamSocket.listen(port: .any)
    let port = try listener.localAddress().port
    let raw = listener.release().release()
    let adopted = try Listener<VsockStreamSocket>(adopting: owning(raw))
    let client = try VsockStreamSocket.connect(to: .local(port: port), until: .after(patience))
    let number = client.releaseDescriptor().release()
    #expect(
      failure { () throws(SocketError) in _ = try TCPSocket(adopting: number.duplicate()) }?.code == .wrongSocketKind)
    #expect(
      failure { () throws(SocketError) in _ = try VsockSequencedPacketSocket(adopting: number.duplicate()) }?.code
        == .wrongSocketKind)
    #expect(
      failure { () throws(SocketError) in _ = try Listener<VsockStreamSocket>(adopting: number.duplicate()) }?.code
        == .wrongSocketKind)
    let again = try VsockStreamSocket(adopting: owning(number))
    let server = try adopted.accept(until: .after(patience))
    try again.writeAll([7].span, until: .after(patience))
    var buffer: [UInt8] = [0]
    try server.readExactly(into: buffer.mutableSpan, until: .after(patience))
    #expect(buffer == [7])
    let tcp = try TCPSocket.listen(on: .loopbackIPv6(port: 0))
    let descriptor = tcp.descriptor
    #expect(
      failure { () throws(SocketError) in _ = try Listener<VsockStreamSocket>(adopting: descriptor.duplicate()) }?.code
        == .wrongSocketKind)
  }

  @Test func acceptEndsAtItsDeadlineAndByItsControl() throws {
    let listener = try VsockStreamSocket.listen(port: .any)
    let start = milliseconds()
    #expect(
      failure { () throws(SocketError) in _ = try listener.accept(until: .after(.milliseconds(100))) }?.code
        == .timedOut)
    #expect(milliseconds() - start >= 100)
    let control = WaitControl()
    let canceller = spawn {
      sleep(milliseconds: 30)
      control.cancel()
    }
    #expect(
      failure { () throws(SocketError) in _ = try listener.accept(until: .after(patience).cancellable(by: control)) }?
        .code
        == .cancelled)
    canceller.join()
  }
}
