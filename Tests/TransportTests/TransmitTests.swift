import Glibc
import SocketKit
import TestSupport
import Testing

/// Packets at set times, and the rate of a socket.
@Suite(.exclusive) struct TransmitTests {
  @Test(arguments: [UDPWay.v4, .v6]) func aTimeOfSendingNeedsTheOption(_ way: UDPWay) throws {
    let server = try UDPSocket.bind(to: way.any)
    let client = try UDPSocket.open(for: way.any)
    let target = try server.localAddress()
    var metadata = OutgoingMetadata()
    metadata.transmitTime = Int64(milliseconds() * 1_000_000)
    #expect(!metadata.isEmpty)
    let error = failure(SocketError.self) { () throws(SocketError) in
      _ = try client.send([1].span, to: target, metadata: metadata)
    }
    #expect(error?.code == .invalidArgument && error?.errno == EINVAL)
    try client.setOption(.transmitTime, to: TransmitTime(.monotonic, reportsErrors: true))
    #expect(try client.option(.transmitTime) == TransmitTime(.monotonic, reportsErrors: true))
    #expect(try client.send([2].span, to: target, metadata: metadata) == 1)
    #expect(try server.next().bytes == [2])
    try client.setOption(.transmitTime, to: TransmitTime(.monotonic, isDeadline: true))
    #expect(try client.option(.transmitTime) == TransmitTime(.monotonic, isDeadline: true))
  }

  @Test func otherClocksNeedThePrivilege() throws {
    let denied = SocketError(.failure(errno: EPERM), .setOption)
    let errors = try onThread { () -> Result<[SocketError?], any Error> in
      Result {
        let socket = try UDPSocket.open(for: .loopback(port: 0))
        let privileged = failure(SocketError.self) { () throws(SocketError) in
          try socket.setOption(.transmitTime, to: TransmitTime(.tai))
        }
        let isSet = try socket.option(.transmitTime) == TransmitTime(.tai)
        #expect(isSet || privileged != nil)
        dropCapabilities()
        let monotonic = failure(SocketError.self) { () throws(SocketError) in
          try socket.setOption(.transmitTime, to: TransmitTime(.monotonic))
        }
        let realtime = failure(SocketError.self) { () throws(SocketError) in
          try socket.setOption(.transmitTime, to: TransmitTime(.realtime))
        }
        return [privileged, monotonic, realtime]
      }
    }.get()
    #expect(errors[1] == nil && errors[2] == denied && denied.code == .permissionDenied)
    if errors[0] == denied { return unavailable("CAP_NET_ADMIN is missing") }
    #expect(errors[0] == nil)
  }

  @Test func theRateIsReadBack() throws {
    let socket = try TCPSocket.open(for: .loopback(port: 0))
    #expect(try socket.option(.maximumPacingRate) == nil)
    for rate in [1, 1_000_000, Int(UInt32.max), 10_000_000_000] as [Int] {
      try socket.setOption(.maximumPacingRate, to: rate)
      #expect(try socket.option(.maximumPacingRate) == rate)
    }
    try socket.setOption(.maximumPacingRate, to: nil)
    #expect(try socket.option(.maximumPacingRate) == nil)
    for rate in [0, -1, Int.min] {
      #expect(throws: SocketError(code: .invalidArgument, .setOption)) {
        try socket.setOption(.maximumPacingRate, to: rate)
      }
    }
  }

  /// Two million bytes at five million a second: TCP's first segments go at once, the others take their time. Without a
  /// limit all of it takes a few milliseconds.
  @Test func aConnectionKeepsToItsRate() throws {
    let listener = try TCPSocket.listen(on: .loopback(port: 0))
    let address = try listener.localAddress()
    let client = try TCPSocket.connect(to: address, until: .after(soon)) { (socket) throws(SocketError) in
      try socket.setOption(.maximumPacingRate, to: 5_000_000)
    }
    let server = try listener.accept(until: .after(soon))
    let bytes = [UInt8](repeating: 1, count: 2_000_000)
    let start = milliseconds()
    let number = client.descriptor.value
    let writer = spawn {
      var sent = 0
      while sent < bytes.count {
        let count = CLibrary.send(number, bytes[sent...])
        if count > 0 { sent += count } else { sleep(milliseconds: 1) }
      }
    }
    var room = [UInt8](repeating: 0, count: bytes.count)
    try server.readExactly(into: room.mutableSpan, until: .after(.seconds(20)))
    let time = milliseconds() - start
    writer.join()
    #expect(time > 150, "\(time) ms")
  }
}

/// The queueing discipline `fq` obeys the times; the building machine's kernel may lack it.
@Suite(.exclusive, .guestOnly) struct GuestTransmitTimeTests {
  @Test(arguments: [UDPWay.v4, .v6]) func aPacketWaitsForItsTime(_ way: UDPWay) throws {
    try inNamespaceWithLoopback {
      guard runTool("tc", "qdisc add dev lo root fq") else { return }
      let server = try UDPSocket.bind(to: way.any)
      let client = try UDPSocket.open(for: way.any)
      try client.setOption(.transmitTime, to: TransmitTime(.monotonic))
      let target = try server.localAddress()
      var metadata = OutgoingMetadata()
      let start = milliseconds()
      metadata.transmitTime = Int64((start + 400) * 1_000_000)
      #expect(try client.send([1].span, to: target, metadata: metadata) == 1)
      #expect(try server.next().bytes == [1])
      let time = milliseconds() - start
      #expect(time >= 390, "\(time) ms")
    }
  }
}
