import Glibc
import SocketKit
import TestSupport
import Testing

/// Sequenced packets and datagrams over Unix sockets: addresses, paths, boundaries, ends.
@Suite(.exclusive) struct UnixMessageTests {
  private func roundTrip(_ listener: borrowing Listener<UnixSequencedPacketSocket>) throws {
    let client = try UnixSequencedPacketSocket.connect(to: listener.localAddress(), until: .after(patience))
    let server = try listener.accept(until: .after(patience))
    try client.send([1, 2, 3].span, until: .after(patience))
    try client.send([4].span, until: .after(patience))
    var info = MessageInfo()
    var buffer: [UInt8] = [0, 0]
    let long = try server.receive(into: buffer.mutableSpan, &info, until: .after(patience))
    #expect(long == .bytes(2) && info.length == 3 && info.isTruncated && buffer == [1, 2])
    let short = try server.receive(into: buffer.mutableSpan, &info, until: .after(patience))
    #expect(short == .bytes(1) && info.length == 1 && !info.isTruncated && buffer == [4, 2])
    try client.shutdown(.write)
    let end = try server.receive(into: buffer.mutableSpan, &info, until: .after(patience))
    #expect(end == .endOfStream)
    try server.send([5].span, until: .after(patience))
    let back = try client.receive(into: buffer.mutableSpan, &info, until: .after(patience))
    #expect(back == .bytes(1) && buffer[0] == 5)
  }

  @Test func packetsOverPathAbstractAndAutobind() throws {
    let path = temporaryPath()
    do {
      let listener = try UnixSequencedPacketSocket.listen(on: UnixAddress(path: path))
      try roundTrip(listener)
      #expect(Files.exists(path))
    }
    #expect(!Files.exists(path))
    let abstract = try UnixAddress(abstract: "packets-\(getpid())")
    let named = try UnixSequencedPacketSocket.listen(on: abstract)
    try roundTrip(named)
    let chosen = try UnixSequencedPacketSocket.listen(on: .unnamed)
    let address = try chosen.localAddress()
    #expect(address.abstractName?.utf8.count == 5)
    try roundTrip(chosen)
  }

  @Test func datagramsConnectedAndNot() throws {
    let path = temporaryPath()
    let server = try UnixDatagramSocket.bind(to: UnixAddress(path: path))
    let client = try UnixDatagramSocket.bind(to: .unnamed)
    let anonymous = try UnixDatagramSocket.connect(to: UnixAddress(path: path))
    let name = try client.localAddress()
    #expect(name.abstractName != nil)
    var buffer: [UInt8] = [0, 0]
    var sender: UnixAddress?
    try client.send([1, 2, 3].span, to: UnixAddress(path: path), until: .after(patience))
    var info = MessageInfo()
    let first = try server.receive(into: buffer.mutableSpan, &info, until: .after(patience))
    #expect(first == 2 && info.isTruncated && info.length == 3 && UnixAddress(info.address) == name)
    let sent = try anonymous.send([7].span)
    let second = try server.receive(into: buffer.mutableSpan, from: &sender)
    #expect(sent == 1 && second == 1 && sender == nil && buffer[0] == 7)
    let reply = try server.send([8].span, to: name)
    let got = try client.receive(into: buffer.mutableSpan, from: &sender)
    #expect(reply == 1 && got == 1 && buffer[0] == 8 && sender?.path == path)
    try client.connect(to: UnixAddress(path: path))
    #expect(try client.connectedAddress()?.path == path)
    try client.disconnect()
    #expect(failure { () throws(SocketError) in _ = try client.send([1].span) }?.code == .notConnected)
  }

  @Test func anEmptyDatagramIsNoEnd() throws {
    let pair = try UnixDatagramSocket.pair()
    let sent = try pair.first.send([UInt8]().span)
    var info = MessageInfo()
    var buffer: [UInt8] = [0]
    let got = try pair.second.receive(into: buffer.mutableSpan, &info)
    let nothing = try pair.second.receive(into: buffer.mutableSpan, &info)
    #expect(sent == 0 && got == 0 && nothing == nil)
    var received = ReceivedDescriptors<1>()
    _ = try pair.first.send([UInt8]().span)
    let asked = try pair.second.receiveDescriptors(&received, into: buffer.mutableSpan)
    #expect(asked == .bytes(0))
  }

  /// The same packet and the same end, without and with `.passCredentials`.
  @Test func anEmptyPacketIsToldFromTheEndByCredentials() throws {
    #expect(!UnixSequencedPacketSocket.capabilities.contains(.emptyMessages))
    for tells in [false, true] {
      let pair = try UnixSequencedPacketSocket.pair()
      try pair.second.setOption(.passCredentials, to: tells)
      #expect(try pair.second.option(.passCredentials) == tells)
      try pair.split { (first, second) throws(SocketError) in
        var info = MessageInfo()
        var buffer: [UInt8] = [0]
        _ = try first.send([UInt8]().span)
        let empty = try second.receive(into: buffer.mutableSpan, &info)
        #expect(empty == (tells ? .bytes(0) : .endOfStream))
        _ = try first.send([UInt8]().span)
        var received = ReceivedDescriptors<0>()
        let asked = try second.receiveDescriptors(&received, into: buffer.mutableSpan)
        #expect(asked == (tells ? .bytes(0) : .endOfStream))
        let sender = received.credentials
        #expect(sender == (tells ? .own : nil))
        try first.close()
        let end = try second.receive(into: buffer.mutableSpan, &info)
        let again = try second.receiveDescriptors(&received, into: buffer.mutableSpan)
        #expect(end == .endOfStream && again == .endOfStream)
      }
    }
  }

  @Test func acceptedSocketsHaveTheListenersOption() throws {
    let listener = try UnixSequencedPacketSocket.listen(on: .unnamed) { (socket) throws(SocketError) in
      try socket.setOption(.passCredentials, to: true)
    }
    let client = try UnixSequencedPacketSocket.connect(to: listener.localAddress(), until: .after(patience))
    let server = try listener.accept(until: .after(patience))
    #expect(try server.option(.passCredentials) && listener.option(.passCredentials))
    _ = try client.send([UInt8]().span)
    var info = MessageInfo()
    var buffer: [UInt8] = [0]
    let empty = try server.receive(into: buffer.mutableSpan, &info, until: .after(patience))
    #expect(empty == .bytes(0))
  }

  @Test func aTooLongPacketIsNamed() throws {
    let pair = try UnixSequencedPacketSocket.pair()
    try pair.first.setOption(.sendBuffer, to: 4096)
    let bytes = [UInt8](repeating: 0, count: 1 << 20)
    #expect(failure { () throws(SocketError) in _ = try pair.first.send(bytes.span) }?.code == .messageTooLarge)
  }

  // Paths.

  @Test func aDatagramSocketRemovesItsPath() throws {
    let path = temporaryPath()
    let address = try UnixAddress(path: path)
    do {
      _ = try UnixDatagramSocket.bind(to: address)
      #expect(!Files.exists(path), "by the end of its life")
    }
    let second = try UnixDatagramSocket.bind(to: address)
    #expect(Files.exists(path))
    try second.close()
    #expect(!Files.exists(path), "by close")
    try closeGenerically(UnixDatagramSocket.bind(to: address))
    #expect(!Files.exists(path), "by close in generic code")
    let source = try UnixDatagramSocket.bind(to: .unnamed)
    do {
      let third = try UnixDatagramSocket.connect(to: source.localAddress(), from: address)
      #expect(try Files.exists(path) && third.localAddress() == address)
    }
    #expect(!Files.exists(path), "the path of a connected one too")
  }

  private func closeGenerically<S: Socket & ~Copyable>(_ socket: consuming S) throws { try socket.close() }

  @Test func aReleasedDatagramSocketKeepsItsPath() throws {
    let path = temporaryPath()
    let address = try UnixAddress(path: path)
    let number = try UnixDatagramSocket.bind(to: address).releaseDescriptor().release()
    #expect(Files.exists(path))
    let socket = try UnixDatagramSocket(adopting: owning(number))
    #expect(try socket.localAddress() == address)
    CLibrary.unlink(path)
  }

  @Test func onlyItsOwnPathIsRemoved() throws {
    let path = temporaryPath()
    let address = try UnixAddress(path: path)
    let first = try UnixDatagramSocket.bind(to: address)
    CLibrary.unlink(path)
    let second = try UnixDatagramSocket.bind(to: address)
    try first.close()
    #expect(Files.exists(path), "it is the second one's")
    try second.close()
  }

  @Test func desertedPathsAreCleanedAndLiveOnesAreInUse() throws {
    let path = temporaryPath()
    let address = try UnixAddress(path: path)
    // Left by a datagram socket, taken by packets; left by those, taken by datagrams, as a source too.
    do { _ = try UnixDatagramSocket.bind(to: address).releaseDescriptor() }
    #expect(Files.exists(path))
    #expect(
      endpointFailure { () throws(SocketError) in _ = try UnixDatagramSocket.connect(to: address) }
        == .connectionRefused)
    do { _ = try UnixSequencedPacketSocket.listen(on: address).release() }
    do {
      let peer = try UnixDatagramSocket.bind(to: .unnamed)
      let socket = try UnixDatagramSocket.connect(to: peer.localAddress(), from: address)
      #expect(try socket.localAddress() == address)
    }
    let live = try UnixDatagramSocket.bind(to: address)
    for _ in 0..<2 {
      #expect(
        endpointFailure { () throws(SocketError) in _ = try UnixDatagramSocket.bind(to: address) }
          == .addressInUse)
      #expect(
        endpointFailure { () throws(SocketError) in _ = try UnixSequencedPacketSocket.listen(on: address) }
          == .addressInUse)
      #expect(
        endpointFailure { () throws(SocketError) in _ = try UnixStreamSocket.listen(on: address) }
          == .addressInUse)
    }
    var info = MessageInfo()
    var buffer: [UInt8] = [0]
    let nothing = try live.receive(into: buffer.mutableSpan, &info)
    #expect(nothing == nil && Files.exists(path), "the probes leave no trace")
  }

  /// A stream socket refuses connections until it listens; it is not deserted all the same.
  @Test func aPathThatIsBoundButDoesNotListenYetIsInUse() throws {
    let path = temporaryPath()
    let address = try UnixAddress(path: path)
    let number = socket(AF_UNIX, Int32(SOCK_STREAM.rawValue), 0)
    defer {
      close(number)
      CLibrary.unlink(path)
    }
    let result = address.withBytes { CLibrary.bind(number, to: $0) }
    #expect(result == 0)
    #expect(
      endpointFailure { () throws(SocketError) in _ = try UnixStreamSocket.listen(on: address) }
        == .addressInUse)
    #expect(Files.exists(path))
  }

  @Test func anotherKindOfSocketIsNamed() throws {
    let path = temporaryPath()
    let address = try UnixAddress(path: path)
    let listener = try UnixSequencedPacketSocket.listen(on: address)
    #expect(
      endpointFailure { () throws(SocketError) in
        _ = try UnixStreamSocket.connect(to: address, until: .after(patience))
      }
        == .wrongSocketType)
    #expect(
      endpointFailure { () throws(SocketError) in _ = try UnixDatagramSocket.connect(to: address) }
        == .wrongSocketType)
    #expect(
      failure { () throws(SocketError) in _ = try Listener<UnixStreamSocket>(adopting: listener.descriptor.duplicate())
      }?.code
        == .wrongSocketKind)
  }

  @Test func sendingToAFullReceiverBlocksUntilItReads() throws {
    let server = try UnixDatagramSocket.bind(to: .unnamed)
    let client = try UnixDatagramSocket.connect(to: server.localAddress())
    var sent = 0
    while try client.send([1].span) != nil { sent += 1 }
    #expect(sent > 0)
    #expect(
      failure { () throws(SocketError) in try client.send([1].span, to: nil, until: .after(.milliseconds(20))) }?.code
        == .timedOut)
    var info = MessageInfo()
    var buffer: [UInt8] = [0]
    for _ in 0..<sent { _ = try server.receive(into: buffer.mutableSpan, &info) }
    try client.send([2].span, to: nil, until: .after(patience))
  }
}
