import Glibc
import SocketKit
import TestSupport
import Testing

/// Counterparts of the tests of gVisor's pkg/unet, under their names. Each counts descriptors (`.exclusive`).
@Suite(.exclusive) struct UnixMessageUnetTests {
  typealias Packet = UnixSequencedPacketSocket

  @Test func connectFailure() throws {
    let address = try UnixAddress(path: temporaryPath())
    #expect(
      endpointFailure { () throws(SocketError) in _ = try Packet.connect(to: address, until: .after(patience)) }
        == .noSuchPath)
    #expect(
      endpointFailure { () throws(SocketError) in
        _ = try UnixStreamSocket.connect(to: address, until: .after(patience))
      }
        == .noSuchPath)
    #expect(
      endpointFailure { () throws(SocketError) in _ = try UnixDatagramSocket.connect(to: address) }
        == .noSuchPath)
  }

  @Test func bindFailure() throws {
    let address = try UnixAddress(path: temporaryPath())
    let first = try Packet.listen(on: address)
    #expect(endpointFailure { () throws(SocketError) in _ = try Packet.listen(on: address) } == .addressInUse)
    #expect(try first.localAddress() == address)
  }

  @Test func multipleAccept() throws {
    let listener = try Packet.listen(on: UnixAddress(path: temporaryPath()))
    let address = try listener.localAddress()
    var clients = Slab<Packet>(capacity: 16)
    for index in 0..<16 {
      let client = try Packet.connect(to: address, until: .after(patience))
      try client.send([UInt8(index)].span, until: .after(patience))
      _ = clients.insert(client)
    }
    var seen: Set<UInt8> = []
    for _ in 0..<16 {
      let server = try listener.accept(until: .after(patience))
      var buffer: [UInt8] = [0]
      var info = MessageInfo()
      let outcome = try server.receive(into: buffer.mutableSpan, &info, until: .after(patience))
      #expect(outcome == .bytes(1))
      seen.insert(buffer[0])
    }
    #expect(seen.count == 16)
  }

  @Test func serverClose() throws {
    let listener = try Packet.listen(on: UnixAddress(path: temporaryPath()))
    let address = try listener.localAddress()
    try listener.close()
    #expect(
      endpointFailure { () throws(SocketError) in _ = try Packet.connect(to: address, until: .after(patience)) }
        == .noSuchPath)
  }

  /// A second close does not compile; closing what somebody else closed is an error.
  @Test func close() throws {
    let pair = try Packet.pair()
    try pair.split { (first, second) throws(SocketError) in
      let number = first.descriptor.value
      #expect(Glibc.close(number) == 0)
      do throws(SocketError) {
        try first.close()
        Issue.record("closed twice")
      } catch {
        #expect(error.code == .closed)
      }
      try second.close()
    }
  }

  @Test func sendRecv() throws {
    let pair = try UnixStreamSocket.pair()
    try pair.first.writeAll([0xab].span, until: .after(patience))
    var buffer: [UInt8] = [0]
    try pair.second.readExactly(into: buffer.mutableSpan, until: .after(patience))
    #expect(buffer == [0xab])
  }

  @Test func symmetric() throws {
    let pair = try Packet.pair()
    var info = MessageInfo()
    var buffer: [UInt8] = [0, 0]
    try pair.first.send([1].span, until: .after(patience))
    try pair.second.send([2].span, until: .after(patience))
    let there = try pair.second.receive(into: buffer.mutableSpan, &info, until: .after(patience))
    #expect(there == .bytes(1) && buffer[0] == 1)
    let back = try pair.first.receive(into: buffer.mutableSpan, &info, until: .after(patience))
    #expect(back == .bytes(1) && buffer[0] == 2)
  }

  /// Two packets of one byte: a buffer of two reads one at a time.
  @Test func packet() throws {
    let pair = try Packet.pair()
    try pair.first.send([1].span, until: .after(patience))
    try pair.first.send([2].span, until: .after(patience))
    for expected in [1, 2] as [UInt8] {
      var info = MessageInfo()
      var buffer: [UInt8] = [0, 0]
      let outcome = try pair.second.receive(into: buffer.mutableSpan, &info)
      #expect(outcome == .bytes(1) && buffer == [expected, 0] && info.flags.isEmpty)
    }
  }

  @Test func nonBlockingSend() throws {
    let pair = try Packet.pair()
    let bytes = [UInt8](repeating: 7, count: 1000)
    var sent = 0
    var blocked = 0
    for _ in 0..<1000 {
      switch try pair.first.send(bytes.span) {
      case let count?:
        #expect(count == 1000)
        sent += 1
      case nil: blocked += 1
      }
    }
    #expect(sent > 0 && blocked > 0)
  }

  @Test func nonBlockingRecv() throws {
    let pair = try Packet.pair()
    var info = MessageInfo()
    var buffer: [UInt8] = [0]
    let first = try pair.second.receive(into: buffer.mutableSpan, &info)
    try pair.first.send([9].span, until: .after(patience))
    let second = try pair.second.receive(into: buffer.mutableSpan, &info)
    let third = try pair.second.receive(into: buffer.mutableSpan, &info)
    #expect(first == nil && second == .bytes(1) && third == nil && buffer == [9])
  }

  @Test func recvVectors() throws {
    let pair = try UnixStreamSocket.pair()
    try pair.first.writeAll([1, 2, 3].span, until: .after(patience))
    var head: [UInt8] = [0]
    var tail: [UInt8] = [0, 0]
    let outcome = try pair.second.read(scattering: ScatterList(head.mutableSpan, tail.mutableSpan))
    #expect(outcome == .bytes(3) && head == [1] && tail == [2, 3])
  }

  @Test func sendVectors() throws {
    let pair = try UnixStreamSocket.pair()
    let outcome = try pair.first.write(gathering: GatherList([1].span, [2, 3].span))
    var buffer: [UInt8] = [0, 0, 0]
    try pair.second.readExactly(into: buffer.mutableSpan, until: .after(patience))
    #expect(outcome == 3 && buffer == [1, 2, 3])
  }

  // Descriptors: a stream, packets and datagrams alike.

  private func onEachKind(_ numbers: Int, _ body: (EachKind) throws -> Void) throws {
    let files = (0..<numbers).map { makeFile("file \($0)") }
    defer { for file in files { Glibc.close(file) } }
    for kind in EachKind.Kind.allCases { try body(EachKind(kind: kind, files: files)) }
  }

  @Test func sendFDsNotEnabled() throws { try onEachKind(1) { try $0.receiveWithoutAsking() } }
  @Test func fdsReceiveNotEnabled() throws { try onEachKind(3) { try $0.receiveWithoutAsking() } }
  @Test func fdsSingle() throws { try onEachKind(1) { try $0.pass(room: ReceivedDescriptors<1>.self) } }
  @Test func fdsMultiple() throws { try onEachKind(3) { try $0.pass(room: ReceivedDescriptors<3>.self) } }
  @Test func fdsSymmetric() throws {
    try onEachKind(2) {
      try $0.pass(room: ReceivedDescriptors<2>.self)
      try $0.pass(room: ReceivedDescriptors<2>.self, back: true)
    }
  }
  /// One sent, room for three.
  @Test func fdsReceiveLargeBuffer() throws { try onEachKind(1) { try $0.pass(room: ReceivedDescriptors<3>.self) } }
  /// Three sent, room for one: exactly one arrives, where unet got two by the kernel's rounding.
  @Test func fdsReceiveSmallBuffer() throws { try onEachKind(3) { try $0.pass(room: ReceivedDescriptors<1>.self) } }
  @Test func fdsReceiveSizeZero() throws { try onEachKind(3) { try $0.pass(room: ReceivedDescriptors<0>.self) } }

  @Test func ancillaryMessage() throws {
    for count in 0...10 {
      let numbers = (0..<count).map { RawDescriptor(Int32(100 + $0)) }
      var ancillary = AncillaryBuffer<64>()
      try ancillary.append(descriptors: numbers.span)
      #expect(ancillary.byteCount == 16 + (count * 4 + 7) / 8 * 8)
      var extracted: [RawDescriptor] = []
      AncillaryData.forEach(in: ancillary.bytes) { level, type, data in
        #expect(level == 1 && type == 1)
        for offset in stride(from: 0, to: data.byteCount, by: 4) {
          extracted.append(RawDescriptor(data.integer(at: offset, as: Int32.self)))
        }
      }
      #expect(extracted == numbers)
      try onEachKind(count) { try $0.pass(room: ReceivedDescriptors<10>.self) }
    }
  }

  // Listeners: using a closed one does not compile, so its descriptor is closed from under it.

  @Test func acceptClosed() throws {
    let listener = try Packet.listen(on: UnixAddress(abstract: temporaryPath()))
    let number = listener.descriptor.value
    #expect(Glibc.close(number) == 0)
    do throws(SocketError) {
      _ = try listener.accept()
      Issue.record("accepted")
    } catch {
      #expect(error.code == .closed)
    }
    _ = listener.release().release()
  }

  @Test func closeAfterAcceptStart() throws {
    let listener = try Packet.listen(on: UnixAddress(path: temporaryPath()))
    #expect(acceptUntilCancelled(listener) == .cancelled)
    try listener.close()
  }

  @Test func releaseAfterAcceptStart() throws {
    let path = temporaryPath()
    let listener = try Packet.listen(on: UnixAddress(path: path))
    #expect(acceptUntilCancelled(listener) == .cancelled)
    let descriptor = listener.release()
    // It goes on listening.
    let client = try Packet.connect(to: UnixAddress(path: path), until: .after(patience))
    let again = try Listener<Packet>(adopting: descriptor)
    let server = try again.accept(until: .after(patience))
    try client.send([1].span, until: .after(patience))
    var info = MessageInfo()
    var buffer: [UInt8] = [0]
    let outcome = try server.receive(into: buffer.mutableSpan, &info, until: .after(patience))
    #expect(outcome == .bytes(1))
    CLibrary.unlink(path)
  }

  private func acceptUntilCancelled(_ listener: borrowing Listener<Packet>) -> SocketError.Code? {
    let control = WaitControl()
    let canceller = spawn {
      sleep(milliseconds: 50)
      control.cancel()
    }
    defer { canceller.join() }
    do throws(SocketError) {
      _ = try listener.accept(until: .after(patience).cancellable(by: control))
      return nil
    } catch {
      return error.code
    }
  }

  @Test func getPeerCred() throws {
    let own = ProcessCredentials(pid: getpid(), uid: getuid(), gid: getgid())
    let pair = try Packet.pair()
    #expect(try pair.first.option(.peerCredentials) == own)
    let listener = try UnixStreamSocket.listen(on: UnixAddress(path: temporaryPath()))
    let client = try UnixStreamSocket.connect(to: listener.localAddress(), until: .after(patience))
    let server = try listener.accept(until: .after(patience))
    let both = [try client.option(.peerCredentials), try server.option(.peerCredentials)]
    #expect(both == [own, own] && ProcessCredentials.own == own)
  }

  @Test func getPeerCredFailure() throws {
    let pair = try Packet.pair()
    try pair.split { (first, second) throws(SocketError) in
      #expect(Glibc.close(first.descriptor.value) == 0)
      do throws(SocketError) {
        _ = try first.option(.peerCredentials)
        Issue.record("told the peer of a closed socket")
      } catch {
        #expect(error.code == .closed && error.operation == .getOption)
      }
      _ = first.releaseDescriptor().release()
      try second.close()
    }
    let alone = try Packet.open(for: .unnamed)
    do throws(SocketError) {
      _ = try alone.option(.peerCredentials)
      Issue.record("told a peer that is not there")
    } catch {
      #expect(error.code == .notConnected)
    }
  }
}

/// Passing descriptors over a pair of any kind.
struct EachKind {
  enum Kind: CaseIterable { case stream, packet, datagram }
  let kind: Kind
  let files: [Int32]

  func pass<let capacity: Int>(room: ReceivedDescriptors<capacity>.Type, back: Bool = false) throws {
    switch kind {
    case .stream: try pass(UnixStreamSocket.pair(), room, back)
    case .packet: try pass(UnixSequencedPacketSocket.pair(), room, back)
    case .datagram: try pass(UnixDatagramSocket.pair(), room, back)
    }
  }

  private func pass<S: PassingSocket & ~Copyable, let capacity: Int>(
    _ pair: borrowing SocketPair<S>, _ room: ReceivedDescriptors<capacity>.Type, _ back: Bool
  ) throws {
    func check(_ received: inout ReceivedDescriptors<capacity>) {
      var index = 0
      while let descriptor = received.takeFirst() {
        #expect(content(descriptor.raw) == "file \(index)")
        index += 1
      }
    }
    if back {
      try TransportTests.pass(files, from: pair.second, to: pair.first, room: room, check)
    } else {
      try TransportTests.pass(files, from: pair.first, to: pair.second, room: room, check)
    }
  }

  /// The plain receive of each kind: what comes beside the bytes is not this process's afterwards.
  func receiveWithoutAsking() throws {
    let raw = files.map { RawDescriptor($0) }
    let before = openDescriptors().count
    var buffer: [UInt8] = [0, 0]
    var info = MessageInfo()
    switch kind {
    case .stream:
      let pair = try UnixStreamSocket.pair()
      _ = try pair.first.sendDescriptors(raw.span, with: [1, 2].span)
      let outcome = try pair.second.read(into: buffer.mutableSpan)
      #expect(outcome == .bytes(2) && openDescriptors().count == before + 2)
    case .packet:
      let pair = try UnixSequencedPacketSocket.pair()
      _ = try pair.first.sendDescriptors(raw.span, with: [1, 2].span)
      let outcome = try pair.second.receive(into: buffer.mutableSpan, &info)
      #expect(outcome == .bytes(2) && openDescriptors().count == before + 2)
    case .datagram:
      let pair = try UnixDatagramSocket.pair()
      _ = try pair.first.sendDescriptors(raw.span, with: [1, 2].span)
      let outcome = try pair.second.receive(into: buffer.mutableSpan, &info)
      #expect(outcome == 2 && openDescriptors().count == before + 2)
    }
    #expect(buffer == [1, 2])
  }
}
