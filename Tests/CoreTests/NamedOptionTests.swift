import Glibc
import SocketKit
import TestSupport
import Testing

/// The options that hybscloud's sock exports by their C names only.
@Suite(.exclusive) struct NamedOptionTests {
  private func connection(
    _ configure: (borrowing TCPSocket) throws -> Void = { _ in }
  ) throws(SocketError) -> SocketPair<TCPSocket> {
    try TCPSocket.pair(until: .after(.seconds(5)), configure: configure)
  }

  @Test func flagsReadBack() throws {
    let socket = try UDPSocket.open(for: .loopback(port: 0))
    let flags: [SocketOption<UDPSocketOptions, Bool>] = [.debugging, .directRoutesOnly, .urgentDataInline]
    for option in flags {
      let before = try socket.option(option)
      do throws(SocketError) {
        try socket.setOption(option, to: true)
      } catch {
        // SO_DEBUG, without CAP_NET_ADMIN.
        #expect(error.code == .permissionDenied && !mustBeAvailable, "unavailable: \(error)")
        continue
      }
      let on = try socket.option(option)
      try socket.setOption(option, to: false)
      let off = try socket.option(option)
      #expect(!before && on && !off)
    }
  }

  /// With the option a read gets the urgent byte in its place, like any other byte. Without it a read leaves it out.
  @Test(arguments: [false, true])
  func urgentDataStaysInTheStream(_ inline: Bool) throws {
    let pair = try connection { (socket) throws(SocketError) in try socket.setOption(.urgentDataInline, to: inline) }
    try pair.first.writeAll([1].span, until: .after(.seconds(5)))
    #expect(CLibrary.send(pair.first.descriptor.value, [2], flags: Int32(MSG_OOB)) == 1)
    try pair.first.writeAll([3].span, until: .after(.seconds(5)))
    try pair.first.shutdown(.write)
    var bytes: [UInt8] = []
    var buffer = [UInt8](repeating: 0, count: 8)
    while case .bytes(let count) = try pair.second.read(into: buffer.mutableSpan, until: .after(.seconds(5))) {
      bytes += buffer.prefix(count)
    }
    #expect(bytes == (inline ? [1, 2, 3] : [1, 3]))
  }

  /// The timeouts act on blocking sockets only, so the test makes one blocking.
  @Test func aBlockingReceiveEndsByItsTimeout() throws {
    let socket = try UDPSocket.bind(to: .loopback(port: 0))
    let number = socket.descriptor.value
    let initial = [try socket.option(.receiveTimeout), try socket.option(.sendTimeout)]
    try socket.setOption(.receiveTimeout, to: .milliseconds(40))
    try socket.setOption(.sendTimeout, to: .seconds(7) + .milliseconds(500))
    let times = [try socket.option(.receiveTimeout), try socket.option(.sendTimeout)]
    #expect(initial == [.zero, .zero] && times == [.milliseconds(40), .milliseconds(7500)])
    try #require(fcntl(number, F_SETFL, fcntl(number, F_GETFL) & ~O_NONBLOCK) == 0)
    var byte: [UInt8] = [0]
    let before = milliseconds()
    #expect(CLibrary.receive(number, into: &byte) == -1 && errno == EAGAIN)
    #expect(milliseconds() - before >= 39)
    for wrong in [Duration.seconds(-1), .nanoseconds(-1)] {
      let error = failure(SocketError.self) { () throws(SocketError) in
        try socket.setOption(.receiveTimeout, to: wrong)
      }
      #expect(error == SocketError(code: .invalidArgument, .setOption))
    }
    // The longest duration, and one below a microsecond.
    let longest = Duration(secondsComponent: .max, attosecondsComponent: 999_999_999_999_999_999)
    try socket.setOption(.receiveTimeout, to: longest)
    let none = try socket.option(.receiveTimeout)
    try socket.setOption(.receiveTimeout, to: .nanoseconds(1))
    let shortest = try socket.option(.receiveTimeout)
    #expect(none == .zero && shortest > .zero && shortest < .milliseconds(20))
  }

  /// The window that the socket advertises never exceeds the clamp.
  @Test func theWindowIsClamped() throws {
    let pair = try connection { (socket) throws(SocketError) in try socket.setOption(.windowClamp, to: 10_000) }
    let clamp = try pair.second.option(.windowClamp)
    try pair.first.writeAll([1].span, until: .after(.seconds(5)))
    var buffer: [UInt8] = [0]
    try pair.second.readExactly(into: buffer.mutableSpan, until: .after(.seconds(5)))
    let window = try pair.first.option(.tcpInfo).sendWindow
    #expect(clamp == 10_000 && window > 0 && window <= 10_000)
  }

  @Test func orphansWaitAsLongAsTheyAreTold() throws {
    let socket = try TCPSocket.open(for: .loopback(port: 0))
    let initial = try socket.option(.finWaitTimeout)
    var read: [Duration?] = []
    for time in [.seconds(20), .milliseconds(1001), nil, .seconds(120)] as [Duration?] {
      try socket.setOption(.finWaitTimeout, to: time)
      read.append(try socket.option(.finWaitTimeout))
    }
    #expect(initial != nil && read == [.seconds(20), .seconds(2), nil, .seconds(120)])
    try socket.setOption(.finWaitTimeout, to: .zero)
    let host = try socket.option(.finWaitTimeout)
    #expect(host == initial)
    let tooMuch: [Duration] = [.seconds(121), .seconds(120) + .nanoseconds(1), .seconds(Int64.max)]
    for wrong in tooMuch + [.seconds(-1), .nanoseconds(-1)] {
      let error = failure(SocketError.self) { () throws(SocketError) in
        try socket.setOption(.finWaitTimeout, to: wrong)
      }
      #expect(error == SocketError(code: .invalidArgument, .setOption), "\(wrong)")
    }
  }

  /// With nil, closing a connection whose peer has not ended resets it once the own end is acknowledged.
  @Test func withoutTheTimeoutClosingResets() throws {
    try connection().split { (first, second) in
      try first.setOption(.finWaitTimeout, to: nil)
      try first.shutdown(.write)
      // The end must have been acknowledged: then the connection is in FIN_WAIT2.
      let deadline = Deadline.after(.seconds(5))
      while try first.option(.tcpInfo).state != .finWait2, !deadline.hasPassed { sleep(milliseconds: 1) }
      let state = try first.option(.tcpInfo).state
      try first.close()
      var byte: [UInt8] = [0]
      let end = failure(SocketError.self) { () throws(SocketError) in
        while try second.read(into: byte.mutableSpan, until: .after(.seconds(5))) != .endOfStream {}
      }
      // The peer reads the end, which came before the reset.
      #expect(state == .finWait2 && end == nil)
      while try second.option(.tcpInfo).state != .closed, !deadline.hasPassed { sleep(milliseconds: 1) }
      let state2 = try second.option(.tcpInfo).state
      #expect(state2 == .closed)
    }
  }
}
