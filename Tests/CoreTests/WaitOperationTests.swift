import Glibc
import SocketKit
import TestSupport
import Testing

/// `WaitOperation`, by which implementers of sockets wait.
@Suite(.exclusive) struct WaitOperationTests {
  /// Blocks until a call fails. Returns the error, how often a call returned before, and milliseconds of CPU.
  private func blockRepeatedly(
    on source: RawDescriptor, for interest: Interest, _ time: Duration = .milliseconds(150)
  ) -> (SocketError?, Int, Double) {
    let used = threadCPUTime()
    var returns = 0
    do throws(SocketError) {
      var wait = try WaitOperation(.wait, until: .after(time))
      while true {
        try wait.block(on: source, for: interest)
        returns += 1
      }
    } catch {
      return (error, returns, threadCPUTime() - used)
    }
  }

  /// A pair whose first end is readable and writable.
  private func readyPair() throws -> SocketPair<UnixStreamSocket> {
    let pair = try UnixStreamSocket.pair()
    #expect(try pair.second.write([1].span) == 1)
    return pair
  }

  @Test func aSourceThatIsAlwaysReadyCostsLittle() throws {
    let pair = try readyPair()
    for interest in [Interest.readable, .writable, [.readable, .writable]] {
      let (error, returns, cpu) = blockRepeatedly(on: pair.first.descriptor, for: interest)
      #expect(error == SocketError(code: .timedOut, .wait))
      // Tries go on: at once at first, then once in a millisecond or so.
      #expect(returns >= 20 && returns < 400, "\(returns) tries")
      #expect(cpu < 150 / 20 + 2, "\(cpu) ms of CPU in 150 ms")
    }
  }

  @Test func readinessIsNoticedSoonAfterAPause() throws {
    let pair = try readyPair()
    let number = pair.first.descriptor.value
    let began = milliseconds()
    // Takes the byte: the wait sleeps from then on.
    let other = ThreadResult { () -> Double in
      sleep(milliseconds: 60)
      var byte: [UInt8] = [0]
      CLibrary.receive(number, into: &byte)
      return milliseconds() - began
    }
    let (error, returns, _) = blockRepeatedly(on: pair.first.descriptor, for: .readable, .milliseconds(400))
    let ready = other.join()
    #expect(error == SocketError(code: .timedOut, .wait))
    // The first tries come at once, then at most one in a millisecond. More than 150 would come in 400 ms.
    #expect(Double(returns) < 60 + ready, "\(returns) tries, ready for \(ready) ms")
  }

  @Test func aHangUpThatNobodyAskedForCostsNothing() throws {
    let pair = try UnixStreamSocket.pair()
    try pair.first.shutdown(.both)
    // With an empty interest the wait waits for errors only.
    let (error, returns, cpu) = blockRepeatedly(on: pair.second.descriptor, for: [])
    #expect(error == SocketError(code: .timedOut, .wait))
    #expect(returns < 5 && cpu < 10, "\(returns) tries, \(cpu) ms of CPU")
  }

  @Test func aClosedDescriptorIsAnError() throws {
    let number = dup(0)
    close(number)
    let (error, returns, _) = blockRepeatedly(on: RawDescriptor(number), for: .readable)
    #expect(error == SocketError(.failure(errno: EBADF), .wait) && returns == 1)
  }

  @Test func progressForgetsHowOftenItWasReady() throws {
    let pair = try readyPair()
    let began = milliseconds()
    var wait = try WaitOperation(.wait, until: .never)
    for _ in 0..<1000 {
      try wait.block(on: pair.first.descriptor, for: .readable)
      wait.progressed()
    }
    // Without it the wait would pause 984 times, mostly for four milliseconds.
    #expect(milliseconds() - began < 2000)
  }
}
