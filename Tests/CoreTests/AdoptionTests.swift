import Glibc
import SocketKit
import TestSupport
import Testing

/// Descriptors from elsewhere: adopting consumes the owner, and closes a descriptor that does not fit.
@Suite(.exclusive) struct AdoptionTests {
  private func refusal(_ body: () throws(SocketError) -> Void) -> SocketError.Code? {
    do throws(SocketError) {
      try body()
      return nil
    } catch {
      #expect(error.operation == .adopt && error.remedy != nil)
      return error.code
    }
  }

  private func flags(_ number: Int32) -> (descriptor: Int32, status: Int32) {
    (fcntl(number, F_GETFD), fcntl(number, F_GETFL))
  }

  @Test func aClosedNumberIsRefused() {
    #expect(refusal { () throws(SocketError) in _ = try TCPSocket(adopting: owning(9999)) } == .closed)
    #expect(refusal { () throws(SocketError) in _ = try TCPSocket(adopting: owning(-1)) } == .closed)
    #expect(refusal { () throws(SocketError) in _ = try Listener<TCPSocket>(adopting: owning(9999)) } == .closed)
    #expect(refusal { () throws(SocketError) in _ = try DescriptorStream(adopting: owning(9999)) } == .closed)
  }

  @Test func anotherFamilyTypeOrRoleIsRefusedAndClosed() {
    let stream = Int32(SOCK_STREAM.rawValue)
    let datagram = Int32(SOCK_DGRAM.rawValue)
    let before = openDescriptors().count
    let codes: [SocketError.Code] = [.wrongSocketKind, .wrongSocketKind, .wrongSocketKind, .notASocket]
    for (index, code) in codes.enumerated() {
      let number =
        switch index {
        case 0: socket(AF_UNIX, stream, 0)
        case 1: socket(AF_INET, datagram, 0)
        case 2: socket(AF_UNIX, datagram, 0)
        default: CLibrary.open("/dev/null", O_RDONLY)
        }
      // The open file is shared with a copy, whose flags show whether adopting changed it.
      let copy = dup(number)
      let status = flags(copy).status
      #expect(refusal { () throws(SocketError) in _ = try TCPSocket(adopting: owning(number)) } == code)
      #expect(fcntl(number, F_GETFD) == -1 && flags(copy).status == status)
      close(copy)
    }
    let number = socket(AF_UNIX, datagram, 0)
    #expect(
      refusal { () throws(SocketError) in _ = try UnixStreamSocket(adopting: owning(number)) } == .wrongSocketKind)
    #expect(openDescriptors().count == before)
  }

  @Test func aListenerIsNoConnectionAndTheOtherWayRound() throws {
    let listener = try TCPSocket.listen(on: .loopback(port: 0))
    let number = listener.descriptor
    #expect(
      refusal { () throws(SocketError) in _ = try TCPSocket(adopting: number.duplicate()) } == .wrongSocketKind)
    let plain = socket(AF_INET, Int32(SOCK_STREAM.rawValue), 0)
    #expect(
      refusal { () throws(SocketError) in _ = try Listener<TCPSocket>(adopting: owning(plain)) } == .wrongSocketKind)
  }

  @Test func aFittingOneIsMadeNonBlockingAndCloseOnExec() throws {
    var pair: [Int32] = [0, 0]
    // The kernel writes both numbers only during the call.
    let result = unsafe socketpair(AF_UNIX, Int32(SOCK_STREAM.rawValue), 0, &pair)
    #expect(result == 0)
    let first = try UnixStreamSocket(adopting: owning(pair[0]))
    let second = try UnixStreamSocket(adopting: owning(pair[1]))
    for number in pair {
      #expect(flags(number).descriptor & FD_CLOEXEC != 0)
      #expect(flags(number).status & O_NONBLOCK != 0)
    }
    try first.writeAll([1, 2].span, until: .after(.seconds(1)))
    var buffer: [UInt8] = [0, 0]
    try second.readExactly(into: buffer.mutableSpan, until: .after(.seconds(1)))
    #expect(buffer == [1, 2])
  }

  @Test func anAdoptedListenerAccepts() throws {
    let descriptor = try TCPSocket.listen(on: .loopback(port: 0)).release()
    let listener = try Listener<TCPSocket>(adopting: descriptor)
    let client = try TCPSocket.connect(to: listener.localAddress(), until: .after(.seconds(5)))
    let server = try listener.accept(until: .after(.seconds(5)))
    #expect(try client.localAddress() == server.remoteAddress())
  }

  @Test func releaseGivesAwayWithoutClosingAndCloseCloses() throws {
    let before = openDescriptors().count
    let pair = try UnixStreamSocket.pair()
    try pair.split { (first, second) throws(SocketError) in
      let raw = first.releaseDescriptor().release()
      #expect(openDescriptors().count == before + 2)
      try second.close()
      #expect(openDescriptors().count == before + 1)
      #expect(close(raw.value) == 0)
    }
  }

  @Test func closingWhatSomebodyElseClosedIsReported() throws {
    let number = CLibrary.open("/dev/null", O_RDONLY)
    let descriptor = owning(number)
    close(number)
    do throws(SocketError) {
      try descriptor.close()
      Issue.record("closed twice")
    } catch {
      #expect(error.code == .closed && error.operation == .close)
    }
  }

  @Test func aDuplicateIsAnotherOwnerOfTheSameSocket() throws {
    let pair = try UnixStreamSocket.pair()
    let number = pair.first.descriptor
    let owner = unsafe Descriptor(unsafeOwning: number)
    let copy = try owner.raw.duplicate()
    _ = owner.release()
    #expect(flags(copy.raw.value).descriptor & FD_CLOEXEC != 0)
    let socket = UnixStreamSocket(owning: copy)
    try socket.writeAll([9].span, until: .never)
    var buffer: [UInt8] = [0]
    try pair.second.readExactly(into: buffer.mutableSpan, until: .after(.seconds(1)))
    #expect(buffer == [9])
  }
}
