import Glibc
import SocketKit
import Synchronization
import TestSupport
import Testing

/// `send(_:segmentSize:…)` without buffer space. On loopback a UDP socket always has buffer space, so the sender is a
/// wrapper that has none for chosen messages.
@Suite(.exclusive) struct UDPSegmentedWaitTests {
  private let bytes = pattern(10 * 100 + 7)

  private func expectAll(_ server: borrowing UDPSocket) throws {
    var received: [[UInt8]] = []
    for _ in 0..<11 { received.append(try server.next().bytes) }
    #expect(received == stride(from: 0, to: 1007, by: 100).map { Array(bytes[$0..<min(1007, $0 + 100)]) })
    #expect(try isQuiet(server))
  }

  /// A try returns what was sent, or nil for nothing, and the program sends the rest later.
  @Test(arguments: [1, 4]) func aTryIsResumed(_ together: Int) throws {
    let host = UDPHostCapabilities(maximumSegments: together, coalescing: false)
    let server = try UDPSocket.bind(to: .loopback(port: 0))
    // 1: eleven messages. 4: messages of four, four and three datagrams.
    let full = Set(together == 1 ? [0, 3, 4, 9, 13] : [0, 2])
    let client = FullNowAndThen(try UDPSocket.connect(to: server.localAddress())) { full.contains($0) }
    var sent = 0
    var counts: [Int] = []
    while sent < bytes.count {
      let part = try client.send(bytes.span.extracting(droppingFirst: sent), segmentSize: 100, using: host)
      counts.append(part?.datagrams ?? 0)
      sent += part?.bytes ?? 0
      #expect(part == nil || part?.offloaded == (together == 1 ? 0 : part?.datagrams))
    }
    #expect(counts == (together == 1 ? [0, 2, 0, 4, 3, 2] : [0, 4, 7]))
    try expectAll(server)
  }

  /// A call that waits sends each datagram once, however often it waits.
  @Test(arguments: [1, 4]) func aWaitResumes(_ together: Int) throws {
    let host = UDPHostCapabilities(maximumSegments: together, coalescing: false)
    let server = try UDPSocket.bind(to: .loopback(port: 0))
    let client = FullNowAndThen(try UDPSocket.connect(to: server.localAddress())) { $0 % 3 != 2 }
    let sent = try client.send(bytes.span, segmentSize: 100, using: host, until: .after(soon))
    #expect(sent.bytes == bytes.count && sent.datagrams == 11 && sent.offloaded == (together == 1 ? 0 : 11))
    #expect(client.attempts.load(ordering: .relaxed) == (together == 1 ? 33 : 9))
    try expectAll(server)
  }

  @Test func aTimeLimitReportsWhatWasSent() throws {
    let server = try UDPSocket.bind(to: .loopback(port: 0))
    let client = FullNowAndThen(try UDPSocket.connect(to: server.localAddress())) { $0 >= 4 }
    do throws(SocketError) {
      _ = try client.send(bytes.span, segmentSize: 100, using: .none, until: .after(.milliseconds(30)))
      Issue.record("sent everything")
    } catch {
      #expect(error.code == .timedOut && error.operation == .send && error.transferred == 400)
    }
    for start in stride(from: 0, to: 400, by: 100) {
      #expect(try server.next().bytes == Array(bytes[start..<start + 100]))
    }
    #expect(try isQuiet(server))
  }
}

/// A UDP socket that has no buffer space for those messages for which the condition is true. Messages are numbered from
/// 0, and an attempt without buffer space counts as a message.
private struct FullNowAndThen: ~Copyable, DatagramSocket {
  typealias Address = IPSocketAddress

  let base: UDPSocket
  let attempts = Atomic<Int>(0)
  let isFull: @Sendable (Int) -> Bool

  init(_ base: consuming UDPSocket, isFull: @escaping @Sendable (Int) -> Bool) {
    self.base = base
    self.isFull = isFull
  }

  static var capabilities: SocketCapabilities { UDPSocket.capabilities }
  var mayReceiveDescriptors: Bool { base.mayReceiveDescriptors }
  var readSource: RawDescriptor { base.readSource }
  var writeSource: RawDescriptor { base.writeSource }
  borrowing func attemptShutdown(_ direction: ShutdownDirection) -> IOResult { base.attemptShutdown(direction) }
  consuming func attemptClose() -> IOResult { base.attemptClose() }
  borrowing func localAddress() throws(SocketError) -> Address { try base.localAddress() }
  borrowing func connectedAddress() throws(SocketError) -> Address? { try base.connectedAddress() }
  borrowing func attemptReceive(
    into buffer: inout MutableSpan<UInt8>, ancillary: inout MutableRawSpan, flags: ReceiveFlags,
    _ info: inout MessageInfo
  ) -> IOResult { base.attemptReceive(into: &buffer, ancillary: &ancillary, flags: flags, &info) }

  borrowing func attemptSend(_ bytes: Span<UInt8>, ancillary: RawSpan, to address: RawSpan, flags: SendFlags)
    -> IOResult
  {
    if isFull(attempts.wrappingAdd(1, ordering: .relaxed).oldValue) { return .wouldBlock }
    return base.attemptSend(bytes, ancillary: ancillary, to: address, flags: flags)
  }
}
