import Glibc
import SocketKit
import TestSupport
import Testing

/// What TCP's options do, where loopback shows it.
@Suite(.exclusive) struct TCPOptionEffectTests {
  private func pair(
    _ configure: (borrowing TCPSocket) throws -> Void = { _ in }
  ) throws -> SocketPair<TCPSocket> {
    let listener = try TCPSocket.listen(on: .loopback(port: 0))
    let client = try TCPSocket.connect(to: listener.localAddress(), until: .after(soon), configure: configure)
    return SocketPair(client, try listener.accept(until: .after(soon)))
  }

  /// Reads what is there within a time; nil when nothing comes.
  private func read(_ socket: borrowing TCPSocket, within time: Duration) throws -> [UInt8]? {
    var bytes = [UInt8](repeating: 0, count: 100)
    do throws(SocketError) {
      guard case .bytes(let count) = try socket.read(into: bytes.mutableSpan, until: .after(time)) else { return [] }
      return Array(bytes.prefix(count))
    } catch {
      #expect(error.code == .timedOut)
      return nil
    }
  }

  /// An acknowledgement that may wait waits 40 ms at least (TCP_DELACK_MIN); the sender's TCP_INFO tells whether it
  /// came.
  @Test func quickAcknowledgementsComeAtOnceAndOthersWait() throws {
    func unacknowledgedAfterReading(quick: Bool) throws -> UInt32 {
      let pair = try pair()
      try pair.second.setOption(.quickAcknowledge, to: quick)
      #expect(try pair.second.option(.quickAcknowledge) == quick)
      _ = try pair.first.write([1].span)
      // The segment has been handled when its byte is there to read; whether it was answered is decided by then.
      #expect(try read(pair.second, within: soon) == [1])
      return try pair.first.option(.tcpInfo).unacknowledged
    }
    // A busy machine may take 40 ms between two lines.
    let waiting = try (0..<5).map { _ in try unacknowledgedAfterReading(quick: false) }
    let quick = try (0..<5).map { _ in try unacknowledgedAfterReading(quick: true) }
    #expect(waiting.contains(1) && quick == [0, 0, 0, 0, 0], "\(waiting) \(quick)")
  }

  @Test func corkedBytesWaitForEachOther() throws {
    let pair = try pair { (socket) throws(SocketError) in try socket.setOption(.cork, to: true) }
    _ = try pair.first.write([1].span)
    _ = try pair.first.write([2].span)
    // The kernel lets them go by itself after 200 ms.
    #expect(try read(pair.second, within: .milliseconds(30)) == nil)
    try pair.first.setOption(.cork, to: false)
    #expect(try read(pair.second, within: soon) == [1, 2])
  }

  /// Nagle's rule (RFC 896): a small segment waits while an earlier one is unanswered.
  @Test func noDelaySendsSmallSegmentsAtOnce() throws {
    func segments(noDelay: Bool) throws -> UInt32 {
      let pair = try pair { (socket) throws(SocketError) in try socket.setOption(.noDelay, to: noDelay) }
      try pair.second.setOption(.quickAcknowledge, to: false)
      for byte: UInt8 in 1...3 { _ = try pair.first.write([byte].span) }
      return try pair.first.option(.tcpInfo).dataSegmentsOut
    }
    let (prompt, collected) = (try segments(noDelay: true), try (0..<5).map { _ in try segments(noDelay: false) })
    #expect(prompt == 3 && collected.contains(1), "\(collected)")
  }

  @Test func theLargestSegmentIsWhatWasAskedFor() throws {
    let pair = try pair { (socket) throws(SocketError) in try socket.setOption(.maximumSegment, to: 1000) }
    try pair.second.writeAll([UInt8](repeating: 0, count: 3000).span, until: .after(soon))
    let info = try pair.second.option(.tcpInfo)
    // Timestamps take 12 bytes of each.
    #expect(info.sendMaximumSegment == (info.hasTimestamps ? 988 : 1000))
    #expect(try pair.first.option(.tcpInfo).advertisedMaximumSegment <= 1000 + 12)
  }

  /// Not writable above the mark although the buffer has room.
  @Test func theLowWaterMarkOfUnsentBytesKeepsTheSocketFromBeingWritable() throws {
    let pair = try pair()
    try pair.first.setOption(.sendBuffer, to: 1 << 20)
    var poller = try EpollPoller()
    try poller.register(pair.first, for: .writable, token: Token(index: 1))
    let block = [UInt8](repeating: 0, count: 1 << 16)
    // More than the peer's window, so that some stays unsent.
    while try pair.first.option(.tcpInfo).notSentBytes < 1 << 17 {
      guard try pair.first.write(block.span) != nil else { break }
    }
    #expect(try pair.first.option(.tcpInfo).notSentBytes >= 1 << 17)
    let before = try poller.wait(until: .past)
    try pair.first.setOption(.notSentLowWater, to: 16384)
    let after = try poller.wait(until: .past)
    #expect(before == 1 && after == 0)
    try poller.deregister(pair.first)
  }

  /// A connection without data is kept from accept.
  @Test func aDeferredConnectionIsAcceptedWithItsData() throws {
    let listener = try TCPSocket.listen(on: .loopback(port: 0)) { (socket) throws(SocketError) in
      try socket.setOption(.deferAccept, to: .seconds(5))
    }
    let client = try TCPSocket.connect(to: listener.localAddress(), until: .after(soon))
    sleep(milliseconds: 20)
    let early = try listener.accept() == nil
    _ = try client.write([5].span)
    let server = try listener.accept(until: .after(soon))
    var byte: [UInt8] = [0]
    let outcome = try server.read(into: byte.mutableSpan)
    #expect(early && outcome == .bytes(1) && byte == [5])
  }

  /// TFO_CLIENT_ENABLE, TFO_SERVER_ENABLE, and no cookies: the first connection carries data.
  @Test func aFastOpenListenerTakesDataWithTheRequest() throws {
    try inNamespaceWithLoopback {
      let path = "/proc/sys/net/ipv4/tcp_fastopen"
      guard writeFile(path, "\(1 | 2 | 4 | 0x200)") else { return unavailable("\(path) cannot be written") }
      for queue in [5, 0] {
        let listener = try TCPSocket.listen(on: .loopback(port: 0))
        try listener.setOption(.fastOpenQueue, to: queue)
        let address = try listener.localAddress()
        let client = try TCPSocket.open(for: address)
        let number = client.descriptor.value
        let sent = address.withBytes { bytes in
          // The kernel reads the bytes and the address only during the call.
          unsafe bytes.withUnsafeBytes {
            unsafe sendto(
              number, [1, 2, 3] as [UInt8], 3, 0x2000_0000, $0.baseAddress?.assumingMemoryBound(to: sockaddr.self),
              socklen_t($0.count))
          }
        }
        // A listener that takes none answers the request alone, and the kernel sends the bytes again.
        #expect(sent == 3, "errno \(errno)")
        let server = try listener.accept(until: .after(soon))
        #expect(try server.option(.tcpInfo).fastOpenDataAccepted == (queue > 0), "queue \(queue)")
        if queue > 0 {
          var bytes: [UInt8] = [0, 0, 0, 0]
          let outcome = try server.read(into: bytes.mutableSpan)
          #expect(outcome == .bytes(3) && bytes == [1, 2, 3, 0])
        }
      }
    }
  }
}
