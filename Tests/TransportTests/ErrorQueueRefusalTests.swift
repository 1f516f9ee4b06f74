import Glibc
import SocketKit
import TestSupport
import Testing

/// Some families ignore MSG_ERRQUEUE and receive a message instead. Reading their error queue is refused and takes no
/// message.
@Suite(.exclusive) struct ErrorQueueRefusalTests {
  private let refusal = SocketError(code: .notSupported, .receive)

  @Test func aUnixDatagramIsNotTaken() throws {
    let pair = try UnixDatagramSocket.pair()
    #expect(try pair.first.send([1, 2].span) == 2)
    #expect(try pair.first.send([3].span) == 1)
    var payload: [UInt8] = [0, 0]
    #expect(throws: refusal) { _ = try pair.second.nextQueuedError(into: payload.mutableSpan) }
    #expect(throws: refusal) { _ = try pair.second.nextQueuedError() }
    var bytes = [UInt8](repeating: 0, count: 8)
    var info = MessageInfo()
    #expect(try pair.second.receive(into: bytes.mutableSpan, &info) == 2)
    #expect(try pair.second.receive(into: bytes.mutableSpan, &info) == 1)
  }

  @Test func bytesOfAUnixStreamAreNotTaken() throws {
    let pair = try UnixStreamSocket.pair()
    #expect(try pair.first.write([1, 2].span) == 2)
    #expect(throws: refusal) { _ = try pair.second.nextQueuedError() }
    var bytes = [UInt8](repeating: 0, count: 8)
    #expect(try pair.second.read(into: bytes.mutableSpan) == .bytes(2))
  }

  @Test func atTheEndOfUnixPacketsItEnds() throws {
    let pair = try UnixSequencedPacketSocket.pair()
    try pair.first.shutdown(.both)
    #expect(throws: refusal) { _ = try pair.second.nextQueuedError() }
  }

  @Test func netlinkKeepsItsAnswer() throws {
    let socket = try GenericMessageSocket<AnySocketAddress, SocketLevelOptions>.open(
      SocketKind(AddressFamily(rawValue: 16), .raw, protocolNumber: 0))
    #expect(throws: refusal) { _ = try socket.nextQueuedError() }
  }

  /// The library asks the kernel what a generic socket is.
  @Test func thoseThatHaveAQueueAreRead() throws {
    let datagrams = try GenericMessageSocket<IPSocketAddress, SocketLevelOptions>.open(SocketKind(.ipv4, .datagram))
    #expect(try datagrams.nextQueuedError()?.error == nil)
    let stream = try GenericStreamSocket<IPSocketAddress, SocketLevelOptions>.open(SocketKind(.ipv6, .stream))
    #expect(try stream.nextQueuedError()?.error == nil)
    let multipath = try? GenericStreamSocket<IPSocketAddress, SocketLevelOptions>.open(
      SocketKind(.ipv4, .stream, protocolNumber: 262))
    if let multipath { #expect(try multipath.nextQueuedError()?.error == nil) }
    #expect(try TCPSocket.open(for: .loopback(port: 0)).nextQueuedError()?.error == nil)
  }

  @Test(.enabled(if: geteuid() == 0 || mustBeAvailable, "unavailable: packet and raw sockets need CAP_NET_RAW"))
  func packetAndRawSocketsHaveAQueue() throws {
    let packets = try GenericMessageSocket<AnySocketAddress, SocketLevelOptions>.open(
      SocketKind(AddressFamily(rawValue: 17), .raw, protocolNumber: 0))
    #expect(try packets.nextQueuedError()?.error == nil)
    let raw = try GenericMessageSocket<IPSocketAddress, SocketLevelOptions>.open(
      SocketKind(.ipv4, .raw, protocolNumber: 253))
    #expect(try raw.nextQueuedError()?.error == nil)
  }
}

@Suite(.exclusive, .needsSCTP) struct SCTPErrorQueueTests {
  @Test func sctpHasNone() throws {
    let socket = try SCTPSocket.open(for: .loopback(port: 0))
    #expect(throws: SocketError(code: .notSupported, .receive)) { _ = try socket.nextQueuedError() }
  }
}

@Suite(.exclusive) struct PendingErrorTests {
  @Test func aRefusedDatagramIsPendingOnce() throws {
    let nowhere = IPSocketAddress.loopback(port: try UDPSocket.bind(to: .loopback(port: 0)).port())
    let socket = try UDPSocket.connect(to: nowhere)
    #expect(try socket.takePendingError() == nil)
    #expect(try socket.send([1].span) == 1)
    var error: SocketError?
    for _ in 0..<500 where error == nil {
      error = try socket.takePendingError(as: .send)
      if error == nil { sleep(milliseconds: 2) }
    }
    #expect(error == SocketError(.failure(errno: ECONNREFUSED), .send))
    #expect(try socket.takePendingError() == nil)
    var info = MessageInfo()
    #expect(try socket.receive(into: MutableSpan(), &info) == nil)
  }

  @Test func aConnectThatFailedInTheBackgroundIsPending() throws {
    let nowhere = IPSocketAddress.loopback(port: try UDPSocket.bind(to: .loopback(port: 0)).port())
    let socket = try TCPSocket.open(for: nowhere)
    let began = nowhere.withBytes { CLibrary.connect(socket.descriptor.value, to: $0) }
    #expect(began == -1 && errno == EINPROGRESS)
    #expect((polledEvents(socket.descriptor.value, for: POLLOUT, milliseconds: 5000) ?? 0) != 0)
    #expect(try socket.takePendingError(as: .connect) == SocketError(.failure(errno: ECONNREFUSED), .connect))
  }

  @Test func aListenerHasNone() throws {
    let listener = try TCPSocket.listen(on: .loopback(port: 0))
    #expect(try listener.takePendingError() == nil)
  }
}

@Suite(.exclusive) struct ListenerShutdownTests {
  /// Another process, for example, may call shutdown(2) on its copy of the descriptor.
  @Test func aUnixAcceptEndsByAShutdownFromElsewhere() throws {
    let listener = Shared(
      try UnixStreamSocket.listen(on: UnixAddress(abstract: "socketkit-lsd-\(UInt64.random(in: 0 ... .max))")))
    let other = spawn {
      sleep(milliseconds: 50)
      _ = shutdown(listener.value.descriptor.value, Int32(SHUT_RDWR))
    }
    let used = threadCPUTime()
    #expect(throws: SocketError(code: .shutDown, .accept)) { _ = try listener.value.accept(until: .after(soon)) }
    #expect(threadCPUTime() - used < 100)
    other.join()
  }

  @Test func aTCPAcceptEndsByAShutdownFromElsewhere() throws {
    let listener = Shared(try TCPSocket.listen(on: .loopback(port: 0)))
    let other = spawn {
      sleep(milliseconds: 50)
      _ = shutdown(listener.value.descriptor.value, Int32(SHUT_RDWR))
    }
    #expect(throws: SocketError(code: .shutDown, .accept, errno: EINVAL)) {
      _ = try listener.value.accept(until: .after(soon))
    }
    other.join()
  }

  @Test func itStaysShutDownUnderAnotherType() throws {
    let listener = try UnixStreamSocket.listen(
      on: UnixAddress(abstract: "socketkit-lsd-\(UInt64.random(in: 0 ... .max))"))
    try listener.shutdown()
    let same = listener.accepting(UnixStreamSocket.self, context: ())
    #expect(throws: SocketError(code: .shutDown, .accept)) { _ = try same.accept() }
  }

  @Test func connectingIsRefusedAfterwards() throws {
    let listener = try TCPSocket.listen(on: .loopback(port: 0))
    let address = try listener.localAddress()
    let client = try TCPSocket.connect(to: address, until: .after(soon))
    try listener.shutdown()
    #expect(throws: SocketError(.failure(errno: ECONNREFUSED), .connect).with(address: address.description)) {
      _ = try TCPSocket.connect(to: address, until: .after(soon))
    }
    // TCP resets the connections that waited to be accepted.
    var byte: [UInt8] = [0]
    #expect(throws: SocketError(.failure(errno: ECONNRESET), .read)) {
      _ = try client.read(into: byte.mutableSpan, until: .after(soon))
    }
  }
}
