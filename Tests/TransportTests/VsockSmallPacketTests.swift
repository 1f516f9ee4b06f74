import Glibc
import SocketKit
import TestSupport
import Testing

/// Many small packets that nobody receives: kernels that count the memory beside the bytes reset the connection then,
/// and what waited is lost. Linux 6.1 does not, 6.12 does.
@Suite(.exclusive, .guestOnly) struct VsockSmallPacketTests {
  private static let count = 2000

  /// Sends numbered records until one fails; gives the failure.
  private func fill(_ socket: borrowing VsockSequencedPacketSocket, size: Int) -> SocketError? {
    failure { () throws(SocketError) in
      for number in 0..<Self.count { try socket.send(vsockRecord(number, size).span, until: .after(patience)) }
      try socket.flush(until: .after(patience))
      // The reset comes back by a thread of the kernel's.
      sleep(milliseconds: 100)
      try socket.send(vsockRecord(Self.count, size).span, until: .after(patience))
    }
  }

  /// Receives up to so many records, from a number on, all of which must be right; gives how many, and what ended them.
  private func drain(
    _ socket: borrowing VsockSequencedPacketSocket, from first: Int, atMost count: Int, size: Int
  ) -> (count: Int, isEnd: Bool, error: SocketError?) {
    var buffer = [UInt8](repeating: 0, count: 1024)
    var info = MessageInfo()
    for number in first..<first + count {
      do throws(SocketError) {
        let outcome = try socket.receive(into: buffer.mutableSpan, &info, until: .after(patience))
        guard case .bytes(let length) = outcome else { return (number - first, true, nil) }
        #expect(areSame(buffer, length, vsockRecord(number, size)), "record \(number) of \(length) bytes")
      } catch {
        return (number - first, false, error)
      }
    }
    return (count, false, nil)
  }

  private var resets: Bool { !GuestKernel.isLinux61 }

  /// - Parameters:
  ///   - size: of each packet.
  ///   - received: how many were received before the rest is sent.
  @Test(arguments: [8, 64], [0, 100])
  func tooManyEndTheConnectionAndSaySo(_ size: Int, _ received: Int) throws {
    let ends = try vsockPair(VsockSequencedPacketSocket.self)
    for number in 0..<received { try ends.first.send(vsockRecord(number, size).span, until: .after(patience)) }
    let before = drain(ends.second, from: 0, atMost: received, size: size)
    #expect(before.count == received)
    let sending = fill(ends.first, size: size)
    guard resets else {
      #expect(sending == nil)
      let found = drain(ends.second, from: 0, atMost: Self.count + 1, size: size)
      #expect(found.count == Self.count + 1 && found.error == nil)
      return
    }
    #expect(sending?.code == .brokenPipe && sending?.operation == .send)
    // Nothing that waited is delivered; and no try later does better.
    for _ in 0..<2 {
      let found = drain(ends.second, from: 0, atMost: 1, size: size)
      #expect(found.count == 0 && found.error?.code == .outOfMemory && found.error?.errno == ENOBUFS)
      #expect(found.error?.remedy?.contains("receive sooner") == true)
    }
    let answering = failure { () throws(SocketError) in _ = try ends.second.send([1].span) }
    #expect(answering?.code == .brokenPipe)
    let listening = drain(ends.first, from: 0, atMost: 1, size: size)
    #expect(listening.count == 0 && listening.isEnd)
  }

  /// Who takes the error from the socket by itself (SO_ERROR) gets what waited, whole and in order, and then the end.
  @Test func behindTheErrorIsAPrefix() throws {
    let ends = try vsockPair(VsockSequencedPacketSocket.self)
    _ = fill(ends.first, size: 64)
    var number: Int32 = 0
    var length = 0
    #expect(!ends.second.descriptor.readOption(SOL_SOCKET, SO_ERROR, into: &number, &length).isFailure)
    #expect(number == (resets ? ENOBUFS : 0))
    try ends.first.shutdown(.write)
    let found = drain(ends.second, from: 0, atMost: Self.count + 2, size: 64)
    #expect(
      found.isEnd && (resets ? 300..<Self.count : Self.count + 1..<Self.count + 2).contains(found.count), "\(found)")
  }

  @Test func aLargerBufferHoldsMore() throws {
    let ends = try vsockPair(VsockSequencedPacketSocket.self) { (socket) throws(SocketError) in
      try socket.setOption(.bufferMaximum, to: 1 << 21)
      try socket.setOption(.bufferSize, to: 1 << 21)
    }
    #expect(fill(ends.first, size: 64) == nil)
    let found = drain(ends.second, from: 0, atMost: Self.count + 1, size: 64)
    #expect(found.count == Self.count + 1 && found.error == nil)
  }

  @Test func whoReceivesSoonerLosesNothing() throws {
    let ends = try vsockPair(VsockSequencedPacketSocket.self)
    for round in 0..<7 {
      for number in 0..<300 {
        try ends.first.send(vsockRecord(round * 300 + number, 8).span, until: .after(patience))
      }
      let found = drain(ends.second, from: round * 300, atMost: 300, size: 8)
      #expect(found.count == 300)
    }
  }
}
