import Glibc
import SocketKit
import TestSupport
import Testing

/// vsock through the kernel's virtio device, which `Tests/Guest/run --vsock-device` gives the guest: the context ID is
/// 42, and the host has an echo at port 5000, nobody who answers at 5001, somebody who resets at the first bytes at
/// 5002, somebody who never reads at 5003, and nobody at all elsewhere (Tests/Guest/vsock_device.py).
@Suite(.exclusive, .guestOnly) struct VsockDeviceTests {
  private let echo = VsockAddress.host(port: 5000)
  private let silent = VsockAddress.host(port: 5001)
  private let resetting = VsockAddress.host(port: 5002)
  private let deaf = VsockAddress.host(port: 5003)

  private func connected(_ address: VsockAddress) throws(SocketError) -> VsockStreamSocket {
    try .connect(to: address, until: .after(patience))
  }

  private func roundTrip(_ socket: borrowing VsockStreamSocket, _ count: Int = 1000) throws {
    let sent = vsockRecord(1, count)
    try socket.writeAll(sent.span, until: .after(patience))
    var seen = [UInt8](repeating: 0, count: count)
    try socket.readExactly(into: seen.mutableSpan, until: .after(patience))
    #expect(areSame(seen, count, sent))
  }

  @Test func thisMachineHasItsContextID() throws {
    #expect(try VsockContextID.current() == 42)
    let client = try connected(echo)
    #expect(try client.localAddress().contextID == 42)
    #expect(try client.remoteAddress() == echo)
    try roundTrip(client, 100_000)
    // Its own context ID leads to itself.
    let listener = try VsockStreamSocket.listen(on: VsockAddress(contextID: 42, port: .any))
    let inside = try connected(listener.localAddress())
    let accepted = try listener.accept(until: .after(patience))
    _ = try inside.write([7].span, until: .after(patience))
    var byte: [UInt8] = [0]
    #expect(try accepted.read(into: byte.mutableSpan, until: .after(patience)) == .bytes(1))
    #expect(byte == [7])
  }

  @Test func packetsGoThrough() throws {
    let client = try VsockSequencedPacketSocket.connect(to: echo, until: .after(patience))
    var buffer = [UInt8](repeating: 0, count: 100_000)
    var info = MessageInfo()
    for (index, size) in [8, 4096, 60_000, 100].enumerated() {
      let record = vsockRecord(index, size)
      try client.send(record.span, until: .after(patience))
      #expect(try client.receive(into: buffer.mutableSpan, &info, until: .after(patience)) == .bytes(size))
      #expect(areSame(buffer, size, record))
    }
  }

  @Test func aHostThatDoesNotAnswer() throws {
    // Longer than the kernel's own limit of two seconds, because the deadline counts; and without a busy loop.
    for limit in [100, 2500] {
      let (began, used) = (milliseconds(), threadCPUTime())
      let error = vsockFailure { () throws(SocketError) in
        _ = try VsockStreamSocket.connect(to: silent, until: .after(.milliseconds(limit)))
      }
      #expect(error?.code == .timedOut && error?.operation == .connect)
      let took = milliseconds() - began
      #expect(took >= Double(limit) && took < Double(limit) + 2000 && threadCPUTime() - used < 500)
    }
    let control = WaitControl()
    let other = spawn {
      sleep(milliseconds: 50)
      control.cancel()
    }
    let cancelled = vsockFailure { () throws(SocketError) in
      _ = try VsockStreamSocket.connect(to: silent, until: .after(patience).cancellable(by: control))
    }
    other.join()
    #expect(cancelled?.code == .cancelled)
    let used = threadCPUTime()
    let unfinished = vsockFailure { () throws(SocketError) in
      _ = try VsockSequencedPacketSocket.startConnecting(to: silent).finish(until: .after(.milliseconds(500)))
    }
    #expect(unfinished?.code == .timedOut && threadCPUTime() - used < 250)
  }

  @Test func aHostThatResets() throws {
    let nobody = vsockFailure { () throws(SocketError) in _ = try connected(.host(port: 6000)) }
    #expect(nobody?.code == .connectionReset)
    let client = try connected(resetting)
    _ = try client.write([1].span, until: .after(patience))
    // A peer's reset is an end, and never taken for the transport's.
    var buffer: [UInt8] = [0]
    for _ in 0..<2 {
      #expect(try client.read(into: buffer.mutableSpan, until: .after(patience)) == .endOfStream)
      #expect(failure { () throws(SocketError) in _ = try client.write([1].span) }?.code == .brokenPipe)
    }
  }

  /// What a restored machine sees, which the kernel does in the same way when the device is taken away.
  @Test func aResetTransportIsAnErrorOfItsOwn() throws {
    let device = try VsockDevice()
    let idle = try connected(echo)
    try roundTrip(idle)
    let full = try connected(deaf)
    let block = [UInt8](repeating: 1, count: 65536)
    while try full.write(block.span) != nil {}
    let packets = try VsockSequencedPacketSocket.connect(to: deaf, until: .after(patience))
    for _ in 0..<5 { try packets.send(block.span.extracting(first: 60_000), until: .after(patience)) }
    let local = try VsockStreamSocket.listen(on: .local(port: .any))
    let inside = try connected(local.localAddress())

    let (reader, writer) = (Shared(try connected(echo)), Shared(full))
    let reading = ThreadResult {
      failure { () throws(SocketError) in
        var byte: [UInt8] = [0]
        _ = try reader.value.read(into: byte.mutableSpan, until: .after(patience))
      }
    }
    let writing = ThreadResult {
      failure { () throws(SocketError) in try writer.value.writeAll(block.span, until: .after(patience)) }
    }
    let connecting = ThreadResult { vsockFailure { () throws(SocketError) in _ = try connected(silent) } }
    var poller = try EpollPoller()
    try poller.register(idle, for: .readable, token: Token(index: 3))
    var watcher = VsockContextIDWatcher(last: 42, period: .milliseconds(10))
    sleep(milliseconds: 200)
    device.remove()

    #expect(reading.join()?.code == .transportReset)
    #expect(writing.join()?.code == .transportReset)
    // The kernel resets connected sockets only: the connect that is under way ends by the kernel's own 2 s.
    #expect(connecting.join()?.code == .timedOut)
    #expect(try poller.wait(until: .after(patience)) == 1)
    #expect(poller[event: 0].token == Token(index: 3))
    for _ in 0..<2 {
      var byte: [UInt8] = [0]
      let read = failure { () throws(SocketError) in _ = try idle.read(into: byte.mutableSpan) }
      #expect(read?.code == .transportReset && read?.remedy != nil)
      #expect(failure { () throws(SocketError) in _ = try idle.write([1].span) }?.code == .transportReset)
      var info = MessageInfo()
      let received = failure { () throws(SocketError) in _ = try packets.receive(into: byte.mutableSpan, &info) }
      #expect(received?.code == .transportReset)
      let sent = failure { () throws(SocketError) in _ = try packets.send([1].span) }
      #expect(sent?.code == .transportReset)
    }
    #expect(failure { () throws(SocketError) in try packets.flush(until: .after(patience)) }?.code == .transportReset)

    // What needs no device goes on, and the machine's context ID is another.
    _ = try inside.write([1].span, until: .after(patience))
    var byte: [UInt8] = [0]
    #expect(
      try local.accept(until: .after(patience)).read(into: byte.mutableSpan, until: .after(patience)) == .bytes(1))
    #expect(try watcher.next(until: .after(patience)) == .local)

    device.bringBack()
    #expect(try watcher.next(until: .after(patience)) == 42)
    try roundTrip(try connected(echo))
    #expect(failure { () throws(SocketError) in _ = try idle.write([1].span) }?.code == .transportReset)
  }

  /// The transports that a kernel has make the difference: none (VMADDR_CID_ANY, which is no context ID), a host's, and
  /// loopback's alone.
  @Test func transportsComeAndGo() throws {
    let device = try VsockDevice()
    device.remove()
    try modules("-r", "vsock_loopback")
    #expect(try VsockContextID.current() == nil)
    var watcher = VsockContextIDWatcher(last: .local, period: .milliseconds(10))
    #expect(try watcher.next(until: .after(.seconds(5))) == nil)
    #expect(
      failure { () throws(SocketError) in _ = try VsockContextID.current(until: .after(.milliseconds(50))) }?.code
        == .timedOut)
    let nowhere = vsockFailure { () throws(SocketError) in
      _ = try VsockStreamSocket.connect(to: .local(port: 1024), until: .after(.seconds(5)))
    }
    #expect(nowhere?.errno == ENODEV)

    try modules("vhost_vsock")
    #expect(try watcher.next(until: .after(.seconds(5))) == .host)
    try modules("-r", "vhost_vsock")
    #expect(try watcher.next(until: .after(.seconds(5))) == nil)

    let loader = spawn {
      sleep(milliseconds: 50)
      try? modules("vsock_loopback")
    }
    #expect(try VsockContextID.current(until: .after(.seconds(20))) == .local)
    loader.join()
    let ends = try vsockPair(VsockStreamSocket.self)
    try ends.first.writeAll([1].span, until: .after(patience))
    device.bringBack()
    #expect(try watcher.next(until: .after(patience)) == 42)
  }

  /// Loads or removes a module; one that is in use, by a socket that is about to go, is tried again.
  private func modules(_ words: String...) throws {
    let deadline = Deadline.after(.seconds(20))
    while true {
      let status = PeerProcess(["modprobe"] + words)?.finish().status
      if status == 0 { return }
      try #require(!deadline.hasPassed, "modprobe \(words): \(String(describing: status))")
      sleep(milliseconds: 100)
    }
  }
}

/// The PCI device behind virtio's vsock.
private struct VsockDevice {
  private let folder: String

  init() throws {
    let driver = "/sys/bus/virtio/drivers/vmw_vsock_virtio_transport"
    var found: String?
    for number in 0..<32 {
      // The function allocates the path.
      guard let path = unsafe realpath("\(driver)/virtio\(number)", nil) else { continue }
      defer { unsafe free(path) }
      // …/0000:00:05.0/virtio3: its parent.
      found = unsafe String(cString: path).split(separator: "/").dropLast().map { "/" + $0 }.joined()
    }
    folder = try #require(found, "no vsock device: Tests/Guest/run --vsock-device")
  }

  func remove() { write("1", "\(folder)/remove") }
  func bringBack() { write("1", "/sys/bus/pci/rescan") }

  private func write(_ text: String, _ path: String) {
    #expect(writeFile(path, text), "\(path)")
  }
}
