import Glibc
import SocketKit
import TestSupport
import Testing

/// SIOCINQ and SIOCOUTQ, transport by transport.
@Suite(.exclusive) struct QueuedBytesTests {
  /// Asks until the number is there, or five seconds have passed.
  private func eventually(_ wanted: Int, _ ask: () throws(SocketError) -> Int) throws(SocketError) -> Int {
    let deadline = Deadline.after(.seconds(5))
    while true {
      let count = try ask()
      if count == wanted || deadline.hasPassed { return count }
      sleep(milliseconds: 1)
    }
  }

  @Test func tcpCountsBytes() throws {
    let pair = try TCPSocket.pair(until: .after(.seconds(5)))
    try pair.first.writeAll([UInt8](repeating: 1, count: 1000).span, until: .after(.seconds(5)))
    let arrived = try eventually(1000) { () throws(SocketError) in try pair.second.option(.queuedInputBytes) }
    let acknowledged = try eventually(0) { () throws(SocketError) in try pair.first.option(.queuedOutputBytes) }
    #expect(arrived == 1000 && acknowledged == 0)
    var some = [UInt8](repeating: 0, count: 300)
    try pair.second.readExactly(into: some.mutableSpan, until: .after(.seconds(5)))
    let left = try pair.second.option(.queuedInputBytes)
    #expect(left == 700)
    // A peer that does not read: what its kernel has no room for stays here.
    let block = [UInt8](repeating: 2, count: 1 << 16)
    var written = 0
    while let count = try pair.first.write(block.span) { written += count }
    let unsent = try pair.first.option(.queuedOutputBytes)
    let info = try pair.first.option(.tcpInfo)
    #expect(unsent > 0 && unsent <= written && Int(info.notSentBytes) <= unsent)
  }

  @Test func aTCPListenerHasNone() throws {
    let listener = try TCPSocket.listen(on: .loopback(port: 0))
    let socket = try TCPSocket.open(for: .loopback(port: 0))
    let bytes = [try socket.option(.queuedInputBytes), try socket.option(.queuedOutputBytes)]
    #expect(bytes == [0, 0])
    let copy = try listener.descriptor.duplicate()
    let listening = TCPSocket(owning: copy)
    let input = failure(SocketError.self) { () throws(SocketError) in _ = try listening.option(.queuedInputBytes) }
    let output = failure(SocketError.self) { () throws(SocketError) in _ = try listening.option(.queuedOutputBytes) }
    #expect(input?.code == .invalidArgument && output?.code == .invalidArgument)
  }

  @Test func udpReportsTheNextDatagram() throws {
    let pair = try UDPSocket.pair(until: .after(.seconds(5)))
    let nothing = try pair.second.option(.queuedInputBytes)
    _ = try pair.first.send([1, 2, 3].span)
    _ = try pair.first.send([4].span)
    let next = try eventually(3) { () throws(SocketError) in try pair.second.option(.queuedInputBytes) }
    var buffer: [UInt8] = [0]
    var info = MessageInfo()
    _ = try pair.second.receive(into: buffer.mutableSpan, &info)
    let after = try eventually(1) { () throws(SocketError) in try pair.second.option(.queuedInputBytes) }
    let out = try eventually(0) { () throws(SocketError) in try pair.first.option(.queuedOutputBytes) }
    #expect(nothing == 0 && next == 3 && after == 1 && out == 0)
  }

  @Test func unixStreamsAndPacketsReportEverything() throws {
    let streams = try UnixStreamSocket.pair()
    let packets = try UnixSequencedPacketSocket.pair()
    for bytes in [[1, 2, 3], [4, 5]] as [[UInt8]] {
      _ = try streams.first.write(bytes.span)
      _ = try packets.first.send(bytes.span)
    }
    let waiting = [try streams.second.option(.queuedInputBytes), try packets.second.option(.queuedInputBytes)]
    #expect(waiting == [5, 5])
    // The memory in use, which is more than the bytes.
    let held = try streams.first.option(.queuedOutputBytes)
    #expect(held >= 5)
    var buffer = [UInt8](repeating: 0, count: 8)
    while case .bytes = try streams.second.read(into: buffer.mutableSpan) {}
    let freed = try streams.first.option(.queuedOutputBytes)
    #expect(freed == 0)
  }

  @Test func unixDatagramsReportTheNext() throws {
    let pair = try UnixDatagramSocket.pair()
    _ = try pair.first.send([1, 2, 3].span)
    _ = try pair.first.send([4].span)
    let next = try pair.second.option(.queuedInputBytes)
    let held = try pair.first.option(.queuedOutputBytes)
    #expect(next == 3 && held >= 4)
  }

  /// The kernel fails an ioctl that the socket does not have with ENOTTY.
  @Test func whoHasNoAnswerSaysSo() throws {
    let netlink = try GenericMessageSocket<AnySocketAddress, SocketLevelOptions>.open(
      SocketKind(AddressFamily(rawValue: 16), .raw, protocolNumber: 0))
    let input = failure(SocketError.self) { () throws(SocketError) in _ = try netlink.option(.queuedInputBytes) }
    let output = failure(SocketError.self) { () throws(SocketError) in _ = try netlink.option(.queuedOutputBytes) }
    #expect(input == SocketError(code: .notSupported, .getOption, errno: ENOTTY))
    #expect(output == SocketError(code: .notSupported, .getOption, errno: ENOTTY))
  }

  @Test func icmpHasNoAnswer() throws {
    try inNamespaceWithLoopback {
      let path = "/proc/sys/net/ipv4/ping_group_range"
      guard writeFile(path, "0 2147483647") else { return unavailable("\(path) cannot be written") }
      let socket = try ICMPSocket.connect(to: .loopback(port: 0))
      let input = failure(SocketError.self) { () throws(SocketError) in _ = try socket.option(.queuedInputBytes) }
      let output = failure(SocketError.self) { () throws(SocketError) in _ = try socket.option(.queuedOutputBytes) }
      #expect(input?.code == .notSupported && output?.code == .notSupported)
    }
  }

  @Test func rawSocketsReportTheNextPacket() throws {
    do throws(SocketError) {
      let receiver = try RawIPSocket.open(.experiment, over: .ipv4)
      let outcome = try receiver.send([1, 2, 3].span, to: .loopback(port: 0))
      // With the IP header of 20 bytes.
      let next = try eventually(23) { () throws(SocketError) in try receiver.option(.queuedInputBytes) }
      let out = try eventually(0) { () throws(SocketError) in try receiver.option(.queuedOutputBytes) }
      #expect(outcome == 3 && next == 23 && out == 0)
    } catch {
      guard error.code == .permissionDenied else { throw error }
      unavailable("\(error)")
    }
  }
}
