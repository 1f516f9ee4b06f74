import Glibc
import SocketKit
import TestSupport
import Testing

/// Options of the socket and IP levels that need privilege. The tests check their effect, and their refusal without the
/// privilege.
@Suite(.exclusive) struct IPOptionEffectTests {
  private let foreign = IPSocketAddress(IPv4Address(192, 0, 2, 99), port: 0)

  /// What an option's setter throws on a thread without capabilities.
  private func refusal(_ set: @escaping (borrowing UDPSocket) throws(SocketError) -> Void) throws -> SocketError? {
    let result = onThread { () -> Result<SocketError?, any Error> in
      dropCapabilities()
      return Result {
        let socket = try UDPSocket.bind(to: .loopback(port: 0))
        return failure(SocketError.self) { () throws(SocketError) in try set(socket) }
      }
    }
    return try result.get()
  }

  private let denied = SocketError(.failure(errno: EPERM), .setOption)

  /// A filter sees the mark of a packet (SKF_AD_MARK, linux/filter.h), which loopback keeps.
  @Test func theMarkIsOnThePackets() throws {
    let receiver = try UDPSocket.bind(to: .loopback(port: 0))
    try receiver.setOption(
      .filter,
      to: [
        BPFInstruction(code: 0x20, operand: 0xffff_f000 &+ 20), .jump(if: .equal(42), then: 0, else: 1), .accept, .drop,
      ])
    let sender = try UDPSocket.connect(to: receiver.localAddress())
    #expect(try sender.option(.mark) == 0)
    #expect(try sender.send([1].span) == 1)
    if let error = failure(SocketError.self, { () throws(SocketError) in try sender.setOption(.mark, to: 42) }) {
      return unavailable("\(error)")
    }
    #expect(try sender.option(.mark) == 42)
    #expect(try sender.send([2].span) == 1)
    try sender.setOption(.mark, to: 43)
    #expect(try sender.send([3].span) == 1)
    let heard = try receiver.next()
    #expect(try heard.bytes == [2] && isQuiet(receiver))
    #expect(try refusal { (socket) throws(SocketError) in try socket.setOption(.mark, to: 42) } == denied)
  }

  /// Both options let a socket bind to an address of another host. Only a transparent socket may send from it.
  @Test func aTransparentSocketSendsFromForeignAddresses() throws {
    let free = try UDPSocket.bind(to: foreign) { (socket) throws(SocketError) in
      try socket.setOption(.freeBind, to: true)
    }
    let receiver = try UDPSocket.bind(to: .anyIPv4(port: 0))
    let target = IPSocketAddress.loopback(port: try receiver.port())
    // By kernel version; see the metadata's source address.
    let refused = failure(SocketError.self) { () throws(SocketError) in _ = try free.send([1].span, to: target) }
    #expect(refused?.errno == ENETUNREACH || refused?.errno == EINVAL)
    #expect(try refusal { (socket) throws(SocketError) in try socket.setOption(.transparent, to: true) } == denied)
    let probe = try UDPSocket.open(for: foreign)
    let missing = failure(SocketError.self) { () throws(SocketError) in try probe.setOption(.transparent, to: true) }
    if let missing { return unavailable("\(missing)") }
    let transparent = try UDPSocket.bind(to: foreign) { (socket) throws(SocketError) in
      try socket.setOption(.transparent, to: true)
    }
    #expect(try transparent.option(.transparent) && !transparent.option(.freeBind))
    #expect(try transparent.localAddress().ip == foreign.ip)
    #expect(try transparent.send([2].span, to: target) == 1)
    let heard = try receiver.next()
    #expect(try heard.bytes == [2] && IPSocketAddress(heard.info.address) == transparent.localAddress())
  }

  /// Loopback has no device to poll, so the test can only read the options back.
  @Test func busyPollingIsSetAndGuarded() throws {
    let socket = try UDPSocket.bind(to: .loopback(port: 0))
    try socket.setOption(.busyPoll, to: .microseconds(50))
    #expect(try socket.option(.busyPoll) == .microseconds(50))
    try socket.setOption(.busyPoll, to: .nanoseconds(50_001))
    #expect(try socket.option(.busyPoll) == .microseconds(51))
    #expect(throws: SocketError(code: .invalidArgument, .setOption)) {
      try socket.setOption(.busyPoll, to: .microseconds(-1))
    }
    for isOn in [true, false] {
      try socket.setOption(.preferBusyPoll, to: isOn)
      #expect(try socket.option(.preferBusyPoll) == isOn)
    }
    // The kernel has no way to read it.
    try socket.setOption(.busyPollBudget, to: 65535)
    #expect(throws: SocketError(.failure(errno: ENOPROTOOPT), .getOption)) { _ = try socket.option(.busyPollBudget) }
    #expect(throws: SocketError(.failure(errno: EINVAL), .setOption)) {
      try socket.setOption(.busyPollBudget, to: 65536)
    }
    #expect(try refusal { (socket) throws(SocketError) in try socket.setOption(.preferBusyPoll, to: true) } == denied)
    #expect(try refusal { (socket) throws(SocketError) in try socket.setOption(.busyPollBudget, to: 65535) } == denied)
  }

  @Test func thePriorityNeedsPrivilegeBeyondSix() throws {
    let socket = try UDPSocket.bind(to: .loopback(port: 0))
    try socket.setOption(.priority, to: 7)
    #expect(try socket.option(.priority) == 7)
    #expect(try refusal { (socket) throws(SocketError) in try socket.setOption(.priority, to: 6) } == nil)
    #expect(try refusal { (socket) throws(SocketError) in try socket.setOption(.priority, to: 7) } == denied)
  }
}
