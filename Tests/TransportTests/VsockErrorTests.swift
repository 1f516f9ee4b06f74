import Glibc
import SocketKit
import TestSupport
import Testing

/// What each failure of vsock is in our terms: the operation, the code, and the address where one was asked for.
@Suite(.exclusive, .guestOnly) struct VsockErrorTests {
  private func connecting(
    _ address: VsockAddress, from source: VsockAddress? = nil, _ deadline: Deadline = .after(patience)
  ) -> SocketError? {
    vsockFailure { () throws(SocketError) in
      _ = try VsockStreamSocket.connect(to: address, from: source, until: deadline)
    }
  }

  @Test func nobodyListens() {
    for port in [VsockPort(rawValue: .max - 2), VsockPort(rawValue: .max - 1), .any, 4242] {
      let error = connecting(.local(port: port))
      #expect(error?.code == .connectionReset && error?.operation == .connect && error?.errno == ECONNRESET)
      #expect(error?.address == "local(1):\(port)" && error?.localAddress == nil && error?.remedy != nil)
      let packets = vsockFailure { () throws(SocketError) in
        _ = try VsockSequencedPacketSocket.connect(to: .local(port: port), until: .after(patience))
      }
      #expect(packets?.code == .connectionReset)
    }
    // Loopback alone takes the host's context ID too.
    #expect(connecting(.host(port: 4242))?.code == .connectionReset)
  }

  @Test func noSuchMachine() {
    for machine in [VsockContextID.hypervisor, 3, 77, .any] {
      let error = connecting(VsockAddress(contextID: machine, port: 4242))
      #expect(error?.code == .protocolNotSupported && error?.errno == ENODEV && error?.operation == .connect)
    }
    let sibling = connecting(VsockAddress(contextID: 77, port: 4242, flags: .toHost))
    #expect(sibling?.code == .protocolNotSupported && sibling?.address == "vm(77):4242?to-host")
  }

  @Test func bindingElsewhere() {
    func listening(_ address: VsockAddress) -> SocketError? {
      vsockFailure { () throws(SocketError) in _ = try VsockStreamSocket.listen(on: address) }
    }
    for machine in [VsockContextID.hypervisor, .host, 3] {
      let error = listening(VsockAddress(contextID: machine, port: .any))
      #expect(error?.code == .addressNotAvailable && error?.operation == .bind)
      #expect(error?.address == "\(machine):*")
    }
    #expect(connecting(.local(port: 1), from: VsockAddress(contextID: 3, port: .any))?.code == .addressNotAvailable)
    let denied = asNobody { listening(.any(port: 80)) }
    #expect(denied?.code == .permissionDenied && denied?.errno == EACCES && denied?.operation == .bind)
    #expect(denied?.remedy?.contains("CAP_NET_BIND_SERVICE") == true)
  }

  @Test func bindingTwiceAndListeningUnbound() throws {
    var socket = try VsockStreamSocket.open(for: .any(port: .any))
    try socket.bind(to: VsockAddress.any(port: .any))
    let taken = try socket.localAddress()
    #expect(
      vsockFailure { () throws(SocketError) in try socket.bind(to: VsockAddress.any(port: .any)) }?.code
        == .invalidArgument)
    #expect(
      vsockFailure { () throws(SocketError) in _ = try VsockStreamSocket.listen(on: taken) }?.code == .addressInUse
    )
    #expect(
      failure { () throws(SocketError) in _ = try VsockStreamSocket.open(for: .any(port: .any)).listen() }?.code
        == .invalidArgument)
  }

  @Test func whatTheKernelHasNot() {
    let datagrams = vsockFailure { () throws(SocketError) in _ = try VsockDatagramSocket.bind(to: .any(port: .any))
    }
    #expect(datagrams?.code == .protocolNotSupported && datagrams?.errno == ENODEV && datagrams?.operation == .open)
    let raw = failure { () throws(SocketError) in _ = try RawDescriptor.open(SocketKind(.vsock, .raw)) }
    #expect(raw?.code == .protocolNotSupported && raw?.errno == ESOCKTNOSUPPORT)
    let tcp = failure { () throws(SocketError) in
      _ = try VsockStreamSocket.open(SocketKind(.vsock, .stream, protocolNumber: 6))
    }
    #expect(tcp?.code == .protocolNotSupported && tcp?.errno == EPROTONOSUPPORT)
    #expect(
      failure { () throws(SocketError) in _ = try VsockStreamSocket.open(SocketKind(.vsock, .sequencedPacket)) }?.code
        == .wrongSocketKind)
  }

  @Test func aStreamAtAPacketListener() throws {
    let listener = try VsockSequencedPacketSocket.listen(on: .local(port: .any))
    #expect(connecting(try listener.localAddress())?.code == .connectionReset)
  }

  @Test func aFullBacklogResets() throws {
    let listener = try VsockStreamSocket.listen(on: .local(port: .any), backlog: 1)
    let address = try listener.localAddress()
    var clients = Slab<VsockStreamSocket>(capacity: 8)
    var error: SocketError?
    for _ in 0..<8 where error == nil {
      do throws(SocketError) {
        _ = clients.insert(try VsockStreamSocket.connect(to: address, until: .after(patience)))
      } catch {}
      error = connecting(address)
    }
    #expect(error?.code == .connectionReset)
    while try listener.accept() != nil {}
    #expect(connecting(address) == nil)
  }

  @Test func notConnected() throws {
    let socket = try VsockStreamSocket.open(for: .any(port: .any))
    var buffer: [UInt8] = [0]
    #expect(failure { () throws(SocketError) in _ = try socket.remoteAddress() }?.code == .notConnected)
    #expect(failure { () throws(SocketError) in try socket.shutdown(.write) }?.code == .notConnected)
    // The same error numbers as of a reset transport, and not to be taken for it.
    #expect(
      failure { () throws(SocketError) in _ = try socket.read(into: buffer.mutableSpan) }?.code == .notConnected)
    #expect(failure { () throws(SocketError) in _ = try socket.write([1].span) }?.code == .notConnected)
    let packets = try VsockSequencedPacketSocket.open(for: .any(port: .any))
    #expect(failure { () throws(SocketError) in _ = try packets.send([1].span) }?.code == .notConnected)
    let attempt = vsockFailure { () throws(SocketError) in
      try socket.connect(to: .local(port: 4242), until: .after(patience))
    }
    #expect(attempt?.code == .connectionReset)
    #expect(
      failure { () throws(SocketError) in _ = try socket.read(into: buffer.mutableSpan) }?.code == .notConnected)
  }

  @Test func aClosedNumber() {
    let closed = RawDescriptor(9999)
    for error in [
      failure { () throws(SocketError) in _ = try VsockStreamSocket(adopting: owning(closed)) },
      failure { () throws(SocketError) in _ = try Listener<VsockStreamSocket>(adopting: owning(closed)) },
      failure { () throws(SocketError) in _ = try VsockSequencedPacketSocket(adopting: owning(closed)) },
    ] {
      #expect(error?.code == .closed && error?.operation == .adopt && error?.errno == EBADF)
    }
  }

  @Test func afterThePeerIsGone() throws {
    var buffer: [UInt8] = [0]
    let ends = try vsockPair(VsockStreamSocket.self)
    let near = try ends.split { (first, second) throws(SocketError) -> VsockStreamSocket in
      try second.close()
      return first
    }
    // The end, for reading, each time; never an error. Writing has one, and no signal.
    for _ in 0..<2 {
      let end = try near.read(into: buffer.mutableSpan, until: .after(patience))
      #expect(end == .endOfStream)
    }
    for _ in 0..<2 {
      let error = failure { () throws(SocketError) in _ = try near.write([1].span) }
      #expect(error?.code == .brokenPipe && error?.errno == EPIPE && error?.operation == .write)
    }
  }

  @Test func theDeviceIsMissingOrForbidden() {
    func query() -> SocketError? { failure { () throws(SocketError) in _ = try VsockContextID.current() } }
    let missing = withOwnDeviceFolder { query() }
    #expect(missing?.code == .noSuchPath && missing?.operation == .contextID && missing?.errno == ENOENT)
    #expect(missing?.description.contains("/dev/vsock") == true)
    let forbidden = withOwnDeviceFolder {
      close(CLibrary.open("/dev/vsock", O_CREAT | O_WRONLY | O_CLOEXEC, mode: 0))
      return asNobodyHere { query() }
    }
    #expect(forbidden?.code == .permissionDenied && forbidden?.remedy?.contains("/dev/vsock") == true)
    let strange = withOwnDeviceFolder {
      close(CLibrary.open("/dev/vsock", O_CREAT | O_WRONLY | O_CLOEXEC, mode: 0o666))
      return query()
    }
    #expect(strange?.errno == ENOTTY && strange?.operation == .contextID)
    // Nothing else needs the device: a dialled socket's address only stays less exact.
    let name = withOwnDeviceFolder { () -> VsockAddress? in
      do {
        let listener = try VsockStreamSocket.listen(port: .any)
        let port = try listener.localAddress().port
        return try VsockStreamSocket.connect(to: .host(port: port), until: .after(patience)).localAddress()
      } catch {
        return nil
      }
    }
    #expect(name?.contextID == .any)
  }
}
