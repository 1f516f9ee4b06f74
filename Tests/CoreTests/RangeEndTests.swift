import SocketKit
import TestSupport
import Testing

/// Arguments at the ends of their ranges and beyond. The library refuses what is out of range; no argument wraps, traps
/// or is changed.
@Suite(.exclusive) struct RangeEndTests {
  private func socket() throws(SocketError) -> TCPSocket { try TCPSocket.open(for: .loopback(port: 0)) }

  private func code(_ body: () throws(SocketError) -> Void) -> SocketError.Code? {
    do throws(SocketError) {
      try body()
      return nil
    } catch {
      return error.code
    }
  }

  /// 4750 s became 4751.
  @Test func everyWholeSecondStaysWhatItIs() throws {
    let socket = try socket()
    for seconds in 1...32767 {
      try socket.setOption(.keepAliveIdle, to: .seconds(seconds))
      let value = try socket.option(.keepAliveIdle)
      if value != .seconds(seconds) { Issue.record("\(seconds) s became \(value)") }
    }
    try socket.setOption(.linger, to: .seconds(2363))
    #expect(try socket.option(.linger) == .seconds(2363))
  }

  /// 295 151 ms became 295 152.
  @Test func everyWholeMillisecondStaysWhatItIs() throws {
    let socket = try socket()
    for count in [1, 295_151, 295_155, 300_000, 2_363_000, Int(Int32.max) - 1, Int(Int32.max)] {
      try socket.setOption(.userTimeout, to: .milliseconds(count))
      #expect(try socket.option(.userTimeout) == .milliseconds(count))
    }
    for count in stride(from: 290_000, through: 320_000, by: 1) {
      try socket.setOption(.userTimeout, to: .milliseconds(count))
      let value = try socket.option(.userTimeout)
      if value != .milliseconds(count) { Issue.record("\(count) ms became \(value)") }
    }
  }

  @Test func partsOfAUnitAreRoundedUp() throws {
    let socket = try socket()
    let attosecond = Duration(secondsComponent: 0, attosecondsComponent: 1)
    try socket.setOption(.userTimeout, to: attosecond)
    #expect(try socket.option(.userTimeout) == .milliseconds(1))
    try socket.setOption(.userTimeout, to: .milliseconds(5) + attosecond)
    #expect(try socket.option(.userTimeout) == .milliseconds(6))
    try socket.setOption(.userTimeout, to: .zero)
    #expect(try socket.option(.userTimeout) == .zero)
  }

  private static let tooLong: [Duration] = [
    .seconds(Int64.max), .milliseconds(Int64(Int32.max)) + .nanoseconds(1), .seconds(Int64.min), .nanoseconds(-1),
    Duration(secondsComponent: .max, attosecondsComponent: 999_999_999_999_999_999),
  ]

  @Test(arguments: tooLong) func durationsOutOfRangeAreRefused(_ duration: Duration) throws {
    let socket = try socket()
    #expect(code { () throws(SocketError) in try socket.setOption(.userTimeout, to: duration) } == .invalidArgument)
    #expect(try socket.option(.userTimeout) == .zero)
    // Whole seconds have more room.
    if duration < .zero || duration > .seconds(Int64(Int32.max)) {
      #expect(code { () throws(SocketError) in try socket.setOption(.linger, to: duration) } == .invalidArgument)
      #expect(code { () throws(SocketError) in try socket.setOption(.keepAliveIdle, to: duration) } == .invalidArgument)
    }
  }

  /// A mark is an unsigned number of 32 bits. The upper half of the marks could not be set, and read as negative
  /// numbers.
  @Test func aMarkHas32Bits() throws {
    let socket = try socket()
    for mark in [0, 1, 0x7fff_ffff, 0x8000_0000, 0xffff_ffff] {
      guard let refused = code({ () throws(SocketError) in try socket.setOption(.mark, to: mark) }) else {
        #expect(try socket.option(.mark) == mark)
        continue
      }
      #expect(refused == .permissionDenied && !mustBeAvailable, "unavailable: marks need CAP_NET_ADMIN")
    }
    for mark in [-1, 0x1_0000_0000, Int.min, Int.max] {
      #expect(code { () throws(SocketError) in try socket.setOption(.mark, to: mark) } == .invalidArgument)
    }
  }

  @Test func theLowWaterMarkOfUnsentBytesHas32Bits() throws {
    let socket = try socket()
    for count in [0, 1, 0x7fff_ffff, 0x8000_0000, 0xffff_ffff] {
      try socket.setOption(.notSentLowWater, to: count)
      #expect(try socket.option(.notSentLowWater) == count)
    }
    for count in [-1, 0x1_0000_0000, Int.min] {
      #expect(code { () throws(SocketError) in try socket.setOption(.notSentLowWater, to: count) } == .invalidArgument)
    }
  }

  /// The kernel takes -1 as the largest buffer or the largest low-water mark, and 256 as type of service 0.
  @Test func whatTheKernelWouldWrapIsRefused() throws {
    let socket = try socket()
    let receive = try socket.option(.receiveBuffer)
    let send = try socket.option(.sendBuffer)
    for value in [-1, Int.min, Int(Int32.min), Int(Int32.max) + 1, Int.max] {
      let options: [SocketOption<TCPSocketOptions, Int>] = [.receiveBuffer, .sendBuffer, .receiveLowWater, .priority]
      for option in options {
        #expect(code { () throws(SocketError) in try socket.setOption(option, to: value) } == .invalidArgument)
      }
    }
    #expect(try socket.option(.receiveBuffer) == receive)
    #expect(try socket.option(.sendBuffer) == send)
    #expect(try socket.option(.receiveLowWater) == 1)
    try socket.setOption(.typeOfService, to: 255)
    // The kernel keeps the two bits of ECN on TCP sockets.
    #expect(try socket.option(.typeOfService) & 0xfc == 0xfc)
    for value in [-1, 256, Int.min, Int.max] {
      #expect(code { () throws(SocketError) in try socket.setOption(.typeOfService, to: value) } == .invalidArgument)
    }
    for value in [0, 256, -2, Int.min, Int.max] {
      #expect(code { () throws(SocketError) in try socket.setOption(.timeToLive, to: value) } == .invalidArgument)
    }
    for value in [0, 128, 256] {
      #expect(code { () throws(SocketError) in try socket.setOption(.synRetries, to: value) } == .invalidArgument)
    }
    try socket.setOption(.synRetries, to: 127)
  }

  @Test func aNameWithAZeroByteIsRefused() throws {
    let socket = try socket()
    #expect(code { () throws(SocketError) in try socket.setOption(.boundDevice, to: "lo\0x") } == .invalidArgument)
    #expect(try socket.option(.boundDevice) == "")
    #expect(
      code { () throws(SocketError) in try socket.setOption(.congestionControl, to: "reno\0") } == .invalidArgument)
  }

  @Test func backlogsAreCheckedInTheSameWayEverywhere() throws {
    for backlog in [-1, Int.min] {
      #expect(throws: SocketError(code: .invalidArgument, .listen).with(address: "127.0.0.1:0")) {
        _ = try TCPSocket.listen(on: .loopback(port: 0), backlog: backlog)
      }
      var socket = try socket()
      try socket.bind(to: IPSocketAddress.loopback(port: 0))
      do throws(SocketError) {
        _ = try socket.listen(backlog: backlog)
        Issue.record("listened with a backlog of \(backlog)")
      } catch {
        #expect(error == SocketError(code: .invalidArgument, .listen))
      }
    }
    for backlog in [0, Int(Int32.max), Int(Int32.max) + 1, Int.max] {
      _ = try TCPSocket.listen(on: .loopback(port: 0), backlog: backlog)
      var socket = try socket()
      try socket.bind(to: IPSocketAddress.loopback(port: 0))
      _ = try socket.listen(backlog: backlog)
    }
  }

  /// Deadlines at both ends of time.
  @Test func deadlinesDoNotWrap() {
    let least = Duration(secondsComponent: .min, attosecondsComponent: -999_999_999_999_999_999)
    let most = Duration(secondsComponent: .max, attosecondsComponent: 999_999_999_999_999_999)
    #expect(Deadline.after(most).isNever && Deadline.after(least).isPast)
    #expect(Deadline.past.advanced(by: most).isNever && Deadline.past.advanced(by: least).isPast)
    #expect(Deadline.never.advanced(by: least).isNever)
    // As many nanoseconds as 64 bits hold, and one less.
    let edge = Duration(secondsComponent: -9_223_372_036, attosecondsComponent: -854_775_808_000_000_000)
    #expect(Deadline.past.advanced(by: edge).isPast)
    #expect(Deadline.past.advanced(by: edge - .nanoseconds(1)).isPast)
    #expect(Deadline.past.advanced(by: edge - .nanoseconds(145_224_191)).isPast)
    #expect(Deadline.past.advanced(by: .nanoseconds(Int64.max)).isNever)
    #expect(Deadline.past.advanced(by: .zero - edge).isNever)
    #expect(Deadline.past.advanced(by: .nanoseconds(Int64.max - 1)).remainingNanoseconds > 0)
  }

  /// Waits with such deadlines end at once, or they sleep.
  @Test func waitsTakeDurationsOfAnyLength() throws {
    let pair = try UnixStreamSocket.pair()
    var buffer: [UInt8] = [0]
    for duration in [Duration.seconds(Int64.min), .seconds(-1), .nanoseconds(Int64.min), .zero] {
      #expect(throws: SocketError(code: .timedOut, .read)) {
        _ = try pair.first.read(into: buffer.mutableSpan, until: .after(duration))
      }
    }
    for duration in [Duration.seconds(Int64.max), .nanoseconds(Int64.max), .seconds(9_000_000_000)] {
      let control = WaitControl()
      let number = pair.second.descriptor.value
      let other = spawn {
        sleep(milliseconds: 10)
        CLibrary.send(number, [1])
      }
      #expect(
        try pair.first.read(into: buffer.mutableSpan, until: .after(duration).cancellable(by: control)) == .bytes(1))
      other.join()
    }
  }

  @Test func delaysOfARaceOutOfRangeAreBrought() throws {
    let listener = try TCPSocket.listen(on: .loopback(port: 0))
    let port = try listener.localAddress().port
    for duration in [Duration.seconds(Int64.min), .seconds(-1), .zero, .seconds(Int64.max)] {
      var racing = HappyEyeballs(resolutionDelay: duration, attemptDelay: duration)
      #expect(racing.attemptDelay >= .milliseconds(10))
      racing.attemptDelay = duration
      #expect(racing.attemptDelay >= .milliseconds(10))
      if duration > .seconds(1) { racing.resolutionDelay = .zero }
      let endpoint = IPEndpoint.host("localhost", port: port)
      _ = try racing.connect(TCPSocket.self, to: endpoint, until: .after(.seconds(20)))
    }
  }
}
