import Glibc
import SocketKit
import TestSupport
import Testing

/// A sender that is not connected is writable although its receiver's queue is full: poll(2) says so at once, again and
/// again. A waiting send must not turn that into a busy loop.
@Suite(.exclusive) struct UnixFullReceiverTests {
  private func sockets() throws -> SocketPair<UnixDatagramSocket> {
    SocketPair(
      try UnixDatagramSocket.bind(to: UnixAddress(abstract: "socketkit-full-\(UInt64.random(in: 0 ... .max))")),
      try UnixDatagramSocket.bind(to: UnixAddress(abstract: "socketkit-full-\(UInt64.random(in: 0 ... .max))")))
  }

  private func fill(_ sender: borrowing UnixDatagramSocket, _ address: UnixAddress) throws -> Int {
    var count = 0
    while try sender.send([1].span, to: address) != nil { count += 1 }
    return count
  }

  @Test func waitsWithoutSpinning() throws {
    let pair = try sockets()
    let address = try pair.second.localAddress()
    #expect(try fill(pair.first, address) > 0)
    let (began, used) = (milliseconds(), threadCPUTime())
    do throws(SocketError) {
      try pair.first.send([2].span, to: address, until: .after(.milliseconds(300)))
      Issue.record("sent to a full receiver")
    } catch {
      #expect(error.code == .timedOut)
    }
    #expect(milliseconds() - began >= 290)
    #expect(threadCPUTime() - used < 60, "a busy loop takes 300 ms of cpu")
  }

  @Test func descriptorsWaitWithoutSpinning() throws {
    let pair = try sockets()
    let address = try pair.second.localAddress()
    #expect(try fill(pair.first, address) > 0)
    let used = threadCPUTime()
    do throws(SocketError) {
      let own = [pair.first.descriptor]
      _ = try pair.first.sendDescriptors(own.span, with: [2].span, to: address, until: .after(.milliseconds(300)))
      Issue.record("sent to a full receiver")
    } catch {
      #expect(error.code == .timedOut)
    }
    #expect(threadCPUTime() - used < 60, "a busy loop takes 300 ms of cpu")
  }

  @Test func goesOnWhenThereIsRoom() throws {
    let pair = try sockets()
    let address = try pair.second.localAddress()
    let count = try fill(pair.first, address)
    let full = pair.second.descriptor.value
    let thread = spawn {
      sleep(milliseconds: 50)
      var byte: [UInt8] = [0]
      CLibrary.receive(full, into: &byte)
    }
    try pair.first.send([2].span, to: address, until: .after(.seconds(5)))
    thread.join()
    var byte: [UInt8] = [0]
    var info = MessageInfo()
    for _ in 0..<count { _ = try pair.second.receive(into: byte.mutableSpan, &info) }
    #expect(byte == [2])
  }
}
