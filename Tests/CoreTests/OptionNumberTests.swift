import Glibc
import SocketKit
import TestSupport
import Testing

/// Each named option is the kernel's option of that name. An option that is set and read by the same wrong number reads
/// back as it was set. So these tests set an option by its name and read it by the number in the kernel's headers
/// (asm-generic/socket.h, linux/in.h, linux/in6.h, linux/tcp.h, linux/udp.h).
@Suite(.exclusive) struct OptionNumberTests {
  /// The value of an option, read through the C library.
  private func kernel(_ socket: RawDescriptor, _ level: Int32, _ name: Int32) -> Int32? {
    var value: Int32 = 0
    var length = socklen_t(4)
    // The kernel writes at most `length` bytes, only during the call.
    return unsafe getsockopt(socket.value, level, name, &value, &length) == 0 ? value : nil
  }

  /// The same for an option whose value is a text of up to 16 bytes.
  private func kernelText(_ socket: RawDescriptor, _ level: Int32, _ name: Int32) -> String? {
    var value = [UInt8](repeating: 0, count: 16)
    var length = socklen_t(16)
    // The kernel writes at most `length` bytes, only during the call.
    guard unsafe getsockopt(socket.value, level, name, &value, &length) == 0 else { return nil }
    return String(decoding: value.prefix { $0 != 0 }, as: UTF8.self)
  }

  private func tcp() throws -> TCPSocket { try TCPSocket.open(for: .loopback(port: 0)) }
  private func udp() throws -> UDPSocket { try UDPSocket.open(for: .loopback(port: 0)) }
  private func six() throws -> UDPSocket { try UDPSocket.open(for: .loopbackIPv6(port: 0)) }

  /// Checks that each option switches its own number and no other number in the list.
  private func check(
    _ options: [(name: Int32, level: Int32, set: (Bool) throws -> Void)], on socket: RawDescriptor
  ) throws {
    for (index, option) in options.enumerated() {
      for isOn in [true, false] {
        try option.set(isOn)
        for (other, entry) in options.enumerated() {
          let value = kernel(socket, entry.level, entry.name)
          #expect(value == (isOn && other == index ? 1 : 0), "option \(option.name) \(isOn), number \(entry.name)")
        }
      }
    }
  }

  @Test func flagsOfTheSocketLevel() throws {
    let socket = try udp()
    try check(
      [
        (2, 1, { try socket.setOption(.reuseAddress, to: $0) }), (6, 1, { try socket.setOption(.broadcast, to: $0) }),
        (9, 1, { try socket.setOption(.keepAlive, to: $0) }), (15, 1, { try socket.setOption(.reusePort, to: $0) }),
        (40, 1, { try socket.setOption(.dropCount, to: $0) }), (60, 1, { try socket.setOption(.zeroCopy, to: $0) }),
      ], on: socket.descriptor)
    // Only one of the two forms is on at a time.
    try socket.setOption(.timestamps, to: true)
    #expect(kernel(socket.descriptor, 1, 29) == 1 && kernel(socket.descriptor, 1, 35) == 0)
    try socket.setOption(.nanosecondTimestamps, to: true)
    #expect(kernel(socket.descriptor, 1, 29) == 0 && kernel(socket.descriptor, 1, 35) == 1)
    let listener = try TCPSocket.listen(on: .loopback(port: 0))
    #expect(try listener.option(.isListening) && kernel(listener.descriptor, 1, 30) == 1)
  }

  @Test func flagsOfTheIPLevels() throws {
    let four = try udp()
    try check(
      [
        (15, 0, { try four.setOption(.freeBind, to: $0) }), (8, 0, { try four.setOption(.packetInfo, to: $0) }),
        (11, 0, { try four.setOption(.receiveErrors, to: $0) }),
        (12, 0, { try four.setOption(.receiveHopLimit, to: $0) }),
        (13, 0, { try four.setOption(.receiveTrafficClass, to: $0) }),
      ], on: four.descriptor)
    let six = try six()
    try check(
      [
        (26, 41, { try six.setOption(.v6Only, to: $0) }), (49, 41, { try six.setOption(.packetInfo, to: $0) }),
        (25, 41, { try six.setOption(.receiveErrors, to: $0) }),
        (51, 41, { try six.setOption(.receiveHopLimit, to: $0) }),
        (66, 41, { try six.setOption(.receiveTrafficClass, to: $0) }),
      ], on: six.descriptor)
    // On by default.
    for isOn in [false, true] {
      try four.setOption(.multicastLoop, to: isOn)
      try four.setOption(.multicastAll, to: !isOn)
      #expect(kernel(four.descriptor, 0, 34) == (isOn ? 1 : 0) && kernel(four.descriptor, 0, 49) == (isOn ? 0 : 1))
      try six.setOption(.multicastLoop, to: isOn)
      try six.setOption(.multicastAll, to: !isOn)
      #expect(kernel(six.descriptor, 41, 19) == (isOn ? 1 : 0) && kernel(six.descriptor, 41, 29) == (isOn ? 0 : 1))
      // For the IPv4 packets of a dual-stack socket too.
      #expect(kernel(six.descriptor, 0, 34) == (isOn ? 1 : 0) && kernel(six.descriptor, 0, 49) == (isOn ? 0 : 1))
    }
  }

  @Test func flagsOfTCPAndUDP() throws {
    let tcp = try tcp()
    try check(
      [
        (1, 6, { try tcp.setOption(.noDelay, to: $0) }), (3, 6, { try tcp.setOption(.cork, to: $0) }),
        (30, 6, { try tcp.setOption(.fastOpenConnect, to: $0) }),
      ], on: tcp.descriptor)
    let udp = try udp()
    try check(
      [(1, 17, { try udp.setOption(.cork, to: $0) }), (104, 17, { try udp.setOption(.coalescing, to: $0) })],
      on: udp.descriptor)
    try udp.setOption(.segmentSize, to: 77)
    #expect(kernel(udp.descriptor, 17, 103) == 77)
  }

  @Test func numbersOfTheSocketLevel() throws {
    let socket = try udp()
    let number = socket.descriptor
    try socket.setOption(.priority, to: 4)
    #expect(kernel(number, 1, 12) == 4)
    try socket.setOption(.receiveBuffer, to: 10_000)
    try socket.setOption(.sendBuffer, to: 11_000)
    #expect(kernel(number, 1, 8) == 20_000 && kernel(number, 1, 7) == 22_000)
    try socket.setOption(.receiveLowWater, to: 7)
    #expect(kernel(number, 1, 18) == 7)
    try socket.setOption(.incomingCPU, to: 1)
    #expect(kernel(number, 1, 49) == 1)
    try socket.setOption(.timestampingFlags, to: 8 | 16)
    #expect(kernel(number, 1, 37) == 24)
    try socket.setOption(.boundInterface, to: 1)
    #expect(kernel(number, 1, 62) == 1)
    try socket.setOption(.linger, to: .seconds(6))
    var linger = Glibc.linger()
    var length = socklen_t(MemoryLayout<Glibc.linger>.size)
    // The kernel writes at most `length` bytes, only during the call.
    let result = unsafe getsockopt(number.value, SOL_SOCKET, SO_LINGER, &linger, &length)
    #expect(result == 0 && linger.l_onoff == 1 && linger.l_linger == 6)
    #expect(kernelText(number, SOL_SOCKET, SO_BINDTODEVICE) == "lo")
  }

  @Test func numbersOfTheIPLevels() throws {
    let four = try udp()
    try four.setOption(.typeOfService, to: 0x28)
    try four.setOption(.timeToLive, to: 33)
    try four.setOption(.multicastHops, to: 34)
    try four.setOption(.pathMTUDiscovery, to: .probe)
    #expect(kernel(four.descriptor, 0, 1) == 0x28 && kernel(four.descriptor, 0, 2) == 33)
    #expect(kernel(four.descriptor, 0, 33) == 34 && kernel(four.descriptor, 0, 10) == 3)
    try four.setOption(.multicastInterfaceAddress, to: .loopback)
    #expect(kernel(four.descriptor, 0, 32).map { UInt32(bitPattern: $0).byteSwapped } == 0x7f00_0001)
    let six = try six()
    try six.setOption(.trafficClass, to: 0x30)
    try six.setOption(.hopLimit, to: 35)
    try six.setOption(.multicastHops, to: 36)
    try six.setOption(.multicastInterface, to: 1)
    try six.setOption(.pathMTUDiscovery, to: .always)
    #expect(kernel(six.descriptor, 41, 67) == 0x30 && kernel(six.descriptor, 41, 16) == 35)
    #expect(kernel(six.descriptor, 41, 18) == 36 && kernel(six.descriptor, 41, 17) == 1)
    #expect(kernel(six.descriptor, 41, 23) == 2)
    try four.connect(to: .loopback(port: 9))
    try six.connect(to: .loopbackIPv6(port: 9))
    #expect(try four.option(.pathMTU) == Int(try #require(kernel(four.descriptor, 0, 14))))
    #expect(try six.option(.pathMTU) == Int(try #require(kernel(six.descriptor, 41, 24))))
  }

  @Test func numbersOfTCP() throws {
    let socket = try tcp()
    let number = socket.descriptor
    try socket.setOption(.maximumSegment, to: 1001)
    try socket.setOption(.keepAliveIdle, to: .seconds(102))
    try socket.setOption(.keepAliveInterval, to: .seconds(103))
    try socket.setOption(.keepAliveCount, to: 104)
    try socket.setOption(.synRetries, to: 105)
    try socket.setOption(.userTimeout, to: .milliseconds(106))
    try socket.setOption(.notSentLowWater, to: 107)
    try socket.setOption(.deferAccept, to: .seconds(7))
    let read = [2, 4, 5, 6, 7, 18, 25, 9].map { kernel(number, 6, $0) }
    #expect(read == [1001, 102, 103, 104, 105, 106, 107, 7])
    try socket.setOption(.congestionControl, to: "reno")
    #expect(kernelText(number, Int32(IPPROTO_TCP), TCP_CONGESTION) == "reno")
    let listener = try TCPSocket.listen(on: .loopback(port: 0))
    try listener.setOption(.fastOpenQueue, to: 9)
    #expect(kernel(listener.descriptor, 6, 23) == 9)
  }

  /// The options that only a privileged process may set.
  @Test func numbersThatNeedPrivilege() throws {
    let socket = try udp()
    let number = socket.descriptor
    do throws(SocketError) {
      try socket.setOption(.mark, to: 108)
    } catch {
      #expect(error.code == .permissionDenied && !mustBeAvailable, "unavailable: CAP_NET_ADMIN is missing: \(error)")
      return
    }
    #expect(kernel(number, 1, 36) == 108)
    try socket.setOption(.busyPoll, to: .microseconds(109))
    try socket.setOption(.preferBusyPoll, to: true)
    #expect(kernel(number, 1, 46) == 109 && kernel(number, 1, 69) == 1)
    // This option cannot be read. Its limit, which no other of these options has, shows that the number is right.
    try socket.setOption(.busyPollBudget, to: 65535)
    #expect(throws: SocketError(.failure(errno: EINVAL), .setOption)) {
      try socket.setOption(.busyPollBudget, to: 65536)
    }
    try socket.setOption(.transparent, to: true)
    #expect(kernel(number, 0, 19) == 1)
    #expect(try socket.option(.mark) == 108 && socket.option(.busyPoll) == .microseconds(109))
    #expect(try socket.option(.preferBusyPoll) && socket.option(.transparent))
  }
}
