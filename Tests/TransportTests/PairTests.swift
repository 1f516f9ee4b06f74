import Glibc
import SocketKit
import TestSupport
import Testing

@Suite(.exclusive) struct PairTests {
  private static let families: [AddressFamily] = [.ipv4, .ipv6]

  @Test(arguments: families)
  func twoTCPSocketsAreConnected(_ family: AddressFamily) throws {
    let pair = try TCPSocket.pair(over: family, until: .after(.seconds(5)))
    try pair.first.writeAll([1, 2].span, until: .after(.seconds(5)))
    try pair.second.writeAll([3].span, until: .after(.seconds(5)))
    var two: [UInt8] = [0, 0]
    var one: [UInt8] = [0]
    try pair.second.readExactly(into: two.mutableSpan, until: .after(.seconds(5)))
    try pair.first.readExactly(into: one.mutableSpan, until: .after(.seconds(5)))
    #expect(two == [1, 2] && one == [3])
    try expectEachOther(pair.first, pair.second, family)
  }

  @Test(arguments: families)
  func twoUDPSocketsAreConnected(_ family: AddressFamily) throws {
    let pair = try UDPSocket.pair(over: family, until: .after(.seconds(5)))
    try expectEmpty(pair.first)
    try expectEmpty(pair.second)
    _ = try pair.first.send([1, 2].span)
    _ = try pair.second.send([3].span)
    var buffer: [UInt8] = [0, 0, 0]
    var info = MessageInfo()
    let two = try pair.second.receive(into: buffer.mutableSpan, &info, until: .after(.seconds(5)))
    let one = try pair.first.receive(into: buffer.mutableSpan, &info, until: .after(.seconds(5)))
    #expect(two == 2 && one == 1 && buffer == [3, 2, 0])
    try expectEachOther(pair.first, pair.second, family)
  }

  private func expectEachOther<S: DescriptorSocket & ~Copyable>(
    _ first: borrowing S, _ second: borrowing S, _ family: AddressFamily
  ) throws where S.Address == IPSocketAddress {
    let near = [try first.localAddress(), try second.localAddress()]
    let far = [
      IPSocketAddress(try second.descriptor.remoteAddress()), IPSocketAddress(try first.descriptor.remoteAddress()),
    ]
    #expect(near == far && near.allSatisfy { $0.family == family })
  }

  private func expectEmpty(_ socket: borrowing UDPSocket) throws {
    var byte: [UInt8] = [0]
    var info = MessageInfo()
    let outcome = try socket.receive(into: byte.mutableSpan, &info)
    #expect(outcome == nil)
  }

  /// The addresses of this process's TCP listeners.
  private static func listeners() -> [IPSocketAddress] {
    openDescriptors().compactMap { number in
      do throws(SocketError) {
        let raw = RawDescriptor(number)
        let listens = ReadOnlySocketOption<TCPSocketOptions, Bool>.isListening.read
        guard try raw.socketKind().type == .stream, try listens(raw) else { return nil }
        return IPSocketAddress(try raw.localAddress())
      } catch {
        return nil
      }
    }
  }

  /// Strangers who connect to the port before the pair's own first socket does: one that waits, one that sends, and one
  /// that resets. None of them may become an end of the pair.
  @Test(arguments: families)
  func aStrangerIsNotTakenForTheOtherEnd(_ family: AddressFamily) throws {
    let strangers = Strangers()
    let before = Self.listeners()
    let pair = try TCPSocket.pair(over: family, until: .after(.seconds(5))) { (_) throws(SocketError) in
      guard let address = Self.listeners().first(where: { !before.contains($0) }) else { return }
      try strangers.connect(to: address)
    }
    #expect(strangers.count == 3)
    try expectEachOther(pair.first, pair.second, family)
    try pair.first.writeAll([7].span, until: .after(.seconds(5)))
    var byte: [UInt8] = [0]
    try pair.second.readExactly(into: byte.mutableSpan, until: .after(.seconds(5)))
    #expect(byte == [7])
  }

  /// The pair does not receive datagrams that a stranger sent before its sockets were connected.
  @Test(arguments: families)
  func aStrangersDatagramIsDropped(_ family: AddressFamily) throws {
    let stranger = try UDPSocket.open(for: family == .ipv6 ? .loopbackIPv6(port: 0) : .loopback(port: 0))
    let before = openDescriptors()
    var sent = 0
    let pair = try UDPSocket.pair(over: family, until: .after(.seconds(5))) { (own) throws(SocketError) in
      // Called for the second socket, when the first is bound.
      for number in openDescriptors() where !before.contains(number) && number != own.descriptor.value {
        guard let address = IPSocketAddress(try RawDescriptor(number).localAddress()) else { continue }
        for byte: UInt8 in 0..<5 {
          _ = try stranger.send([byte].span, to: address)
          sent += 1
        }
      }
    }
    #expect(sent == 5)
    try expectEmpty(pair.first)
    try expectEmpty(pair.second)
  }

  @Test func theOptionsAreOnBothEnds() throws {
    let tcp = try TCPSocket.pair(until: .after(.seconds(5))) { (socket) throws(SocketError) in
      try socket.setOption(.keepAlive, to: true)
    }
    let udp = try UDPSocket.pair(until: .after(.seconds(5))) { (socket) throws(SocketError) in
      try socket.setOption(.timestamps, to: true)
    }
    let flags = [
      try tcp.first.option(.keepAlive), try tcp.second.option(.keepAlive), try udp.first.option(.timestamps),
      try udp.second.option(.timestamps),
    ]
    #expect(flags == [true, true, true, true])
  }

  @Test func whatCannotBeIsATypedError() throws {
    let family = failure(SocketError.self) { () throws(SocketError) in
      _ = try TCPSocket.pair(over: .unix, until: .never)
    }
    let udp = failure(SocketError.self) { () throws(SocketError) in _ = try UDPSocket.pair(over: .unix, until: .never) }
    #expect(family == SocketError(code: .wrongSocketKind, .pair) && udp == SocketError(code: .wrongSocketKind, .pair))
    let late = failure(SocketError.self) { () throws(SocketError) in _ = try TCPSocket.pair(until: .past) }
    let lateUDP = failure(SocketError.self) { () throws(SocketError) in _ = try UDPSocket.pair(until: .past) }
    #expect(late?.code == .timedOut && lateUDP?.code == .timedOut)
    let control = WaitControl()
    control.cancel()
    let cancelled = failure(SocketError.self) { () throws(SocketError) in
      _ = try TCPSocket.pair(until: .never.cancellable(by: control))
    }
    let cancelledUDP = failure(SocketError.self) { () throws(SocketError) in
      _ = try UDPSocket.pair(until: .never.cancellable(by: control))
    }
    #expect(cancelled?.code == .cancelled && cancelledUDP?.code == .cancelled)
    // A namespace whose loopback is down.
    let down = inNewNetworkNamespace {
      failure(SocketError.self) { () throws(SocketError) in _ = try TCPSocket.pair(until: .after(.seconds(5))) }
    }
    guard let down else { return unavailable("this process may make no network namespace") }
    #expect(down?.code == .unreachable, "\(String(describing: down))")
  }
}

/// Three connections that strangers make to the pair's port. They close with this object.
private final class Strangers: @unchecked Sendable {
  private var sockets = Slab<TCPSocket>(capacity: 3)
  var count: Int { sockets.count + resets }
  private var resets = 0

  func connect(to address: IPSocketAddress) throws(SocketError) {
    if count > 0 { return }
    do throws(SocketError) {
      _ = sockets.insert(try TCPSocket.connect(to: address, until: .after(.seconds(5))))
      let sender = try TCPSocket.connect(to: address, until: .after(.seconds(5)))
      let reset = try TCPSocket.connect(to: address, until: .after(.seconds(5)))
      do throws(SocketError) {
        _ = try sender.write([66].span)
        try reset.setOption(.linger, to: .zero)
      } catch {
        throw error.with(address: "")
      }
      _ = sockets.insert(sender)
      resets = 1
    } catch {
      throw error
    }
  }
}
