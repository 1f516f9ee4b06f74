import Glibc
import SocketKit
import TestSupport
import Testing

@Suite(.exclusive) struct OptionTests {
  private func socket() throws(SocketError) -> TCPSocket { try TCPSocket.open(for: .loopback(port: 0)) }

  @Test func flags() throws {
    let socket = try socket()
    let options: [SocketOption<TCPSocketOptions, Bool>] = [
      .keepAlive, .reuseAddress, .reusePort, .timestamps, .nanosecondTimestamps, .broadcast,
    ]
    for option in options {
      for value in [true, false] {
        try socket.setOption(option, to: value)
        #expect(try socket.option(option) == value)
      }
    }
    let tcp: [SocketOption<TCPSocketOptions, Bool>] = [.noDelay, .cork]
    for option in tcp {
      for value in [true, false] {
        try socket.setOption(option, to: value)
        #expect(try socket.option(option) == value)
      }
    }
    #expect(try !socket.option(.isListening))
  }

  @Test func integers() throws {
    let socket = try socket()
    try socket.setOption(.keepAliveCount, to: 7)
    #expect(try socket.option(.keepAliveCount) == 7)
    try socket.setOption(.notSentLowWater, to: 16384)
    #expect(try socket.option(.notSentLowWater) == 16384)
    try socket.setOption(.maximumSegment, to: 1000)
    #expect(try socket.option(.maximumSegment) == 1000)
    try socket.setOption(.synRetries, to: 2)
    #expect(try socket.option(.synRetries) == 2)
    try socket.setOption(.receiveLowWater, to: 10)
    #expect(try socket.option(.receiveLowWater) == 10)
    try socket.setOption(.priority, to: 3)
    #expect(try socket.option(.priority) == 3)
    try socket.setOption(.typeOfService, to: 0x10)
    #expect(try socket.option(.typeOfService) == 0x10)
    try socket.setOption(.timeToLive, to: 9)
    #expect(try socket.option(.timeToLive) == 9)
    #expect(try socket.option(.incomingCPU) == -1, "no packet has come yet")
    try socket.setOption(.incomingCPU, to: 1)
    #expect(try socket.option(.incomingCPU) == 1)
  }

  /// The counterpart of mdlayher/socket's TestLinuxConnBuffers: 8192 reads back doubled.
  @Test func buffersReadBackDoubled() throws {
    let socket = try socket()
    try socket.setOption(.receiveBuffer, to: 8192)
    try socket.setOption(.sendBuffer, to: 8192)
    #expect(try socket.option(.receiveBuffer) == 16384)
    #expect(try socket.option(.sendBuffer) == 16384)
  }

  @Test func durationsAreRoundedUpToTheirUnit() throws {
    let socket = try socket()
    try socket.setOption(.keepAliveIdle, to: .milliseconds(1500))
    #expect(try socket.option(.keepAliveIdle) == .seconds(2))
    try socket.setOption(.keepAliveInterval, to: .seconds(3))
    #expect(try socket.option(.keepAliveInterval) == .seconds(3))
    try socket.setOption(.userTimeout, to: .milliseconds(1234))
    #expect(try socket.option(.userTimeout) == .milliseconds(1234))
    #expect(throws: SocketError(code: .invalidArgument, .setOption)) {
      try socket.setOption(.userTimeout, to: .seconds(-1))
    }
    #expect(throws: SocketError(code: .invalidArgument, .setOption)) {
      try socket.setOption(.keepAliveCount, to: Int.max)
    }
  }

  @Test func linger() throws {
    let socket = try socket()
    #expect(try socket.option(.linger) == nil)
    try socket.setOption(.linger, to: .zero)
    #expect(try socket.option(.linger) == .zero)
    try socket.setOption(.linger, to: .milliseconds(1))
    #expect(try socket.option(.linger) == .seconds(1))
    try socket.setOption(.linger, to: nil)
    #expect(try socket.option(.linger) == nil)
  }

  @Test func names() throws {
    let socket = try socket()
    try socket.setOption(.congestionControl, to: "reno")
    #expect(try socket.option(.congestionControl) == "reno")
    do throws(SocketError) {
      try socket.setOption(.congestionControl, to: "nosuch")
      Issue.record("took it")
    } catch {
      #expect(error.code == .noSuchPath)
    }
    #expect(try socket.option(.boundDevice) == "")
    try socket.setOption(.boundDevice, to: "lo")
    #expect(try socket.option(.boundDevice) == "lo")
    #expect(throws: SocketError(code: .invalidArgument, .setOption)) {
      try socket.setOption(.boundDevice, to: "a name of 16 b..")
    }
  }

  @Test func listenersHaveOptionsToo() throws {
    let listener = try TCPSocket.listen(on: .any(port: 0), backlog: 3) { (socket) throws(SocketError) in
      try socket.setOption(.reusePort, to: true)
    }
    #expect(try listener.option(.reusePort) && listener.option(.reuseAddress) && listener.option(.isListening))
    #expect(try !listener.option(.v6Only))
    // The kernel stores how often it repeats its SYN-ACK, so it rounds up to 1, 3, 7 … seconds.
    for (asked, got) in [(1, 1), (2, 3), (3, 3), (4, 7)] {
      try listener.setOption(.deferAccept, to: .seconds(asked))
      #expect(try listener.option(.deferAccept) == .seconds(got))
    }
    try listener.setOption(.fastOpenQueue, to: 5)
    #expect(try listener.option(.fastOpenQueue) == 5)
    #expect(try listener.option(.tcpInfo).state == .listening)
  }

  @Test func theRawEscapeHatchReachesWhatHasNoName() throws {
    let socket = try socket()
    #expect(try socket.option(SocketOption(bytes: SO_TYPE, level: SOL_SOCKET)) == [1, 0, 0, 0])
    // The kernel truncates a longer value, and sees the bytes of the request.
    #expect(try socket.option(SocketOption(bytes: SO_TYPE, level: SOL_SOCKET, capacity: 1)) == [1])
    #expect(try socket.option(SocketOption(bytes: SO_TYPE, level: SOL_SOCKET, capacity: 0, request: [7])) == [])
    #expect(try socket.option(SocketOption(bytes: SO_TYPE, level: SOL_SOCKET, capacity: -1)) == [])
    let (tcp, unknown) = (Int32(IPPROTO_TCP), Int32(9999))
    let on: [UInt8] = [1, 0, 0, 0]
    try socket.setOption(SocketOption(bytes: TCP_NODELAY, level: tcp), to: on)
    #expect(try socket.option(.noDelay))
    do throws(SocketError) {
      _ = try socket.option(SocketOption(bytes: unknown, level: tcp))
      Issue.record("read it")
    } catch {
      #expect(error.code == .notSupported && error.operation == .getOption)
    }
    do throws(SocketError) {
      try socket.setOption(SocketOption(bytes: unknown, level: tcp), to: on)
      Issue.record("took it")
    } catch {
      #expect(error.code == .notSupported && error.operation == .setOption)
    }
  }

  @Test func tcpInfoOfAConnection() throws {
    let listener = try TCPSocket.listen(on: .loopback(port: 0))
    let client = try TCPSocket.connect(to: listener.localAddress(), until: .after(.seconds(5)))
    let server = try listener.accept(until: .after(.seconds(5)))
    try client.writeAll([UInt8](repeating: 1, count: 1000).span, until: .after(.seconds(5)))
    var buffer = [UInt8](repeating: 0, count: 1000)
    try server.readExactly(into: buffer.mutableSpan, until: .after(.seconds(5)))
    let info = try server.option(.tcpInfo)
    #expect(info.state == .established && info.bytesReceived == 1000 && info.length >= 104)
    #expect(try client.option(.tcpInfo).bytesSent == 1000)
    #expect(info.pathMTU == 65535 || info.pathMTU == 65536)
    #expect(info.retransmissionTimeout >= .milliseconds(1) && info.sendMaximumSegment > 500)
  }
}
