import Glibc
import SocketKit
import TestSupport
import Testing

/// What implementers wait with.
@Suite(.exclusive) struct WaitOperationTests {
  /// Blocks until the wait ends with an error: the error, how often it returned, and milliseconds of CPU.
  private func blockRepeatedly(
    on source: RawDescriptor, for interest: Interest, _ time: Duration = .milliseconds(150)
  ) -> (SocketError?, Int, Double) {
    let used = threadCPUTime()
    var returns = 0
    do throws(SocketError) {
      var wait = try WaitOperation(.wait, until: .after(time), strategy: .park)
      while true {
        try wait.block(on: source, for: interest)
        returns += 1
      }
    } catch {
      return (error, returns, threadCPUTime() - used)
    }
  }

  /// Its first end is readable and writable.
  private func readyPair() throws -> SocketPair<UnixStreamSocket> {
    let pair = try UnixStreamSocket.pair()
    #expect(try pair.second.write([1].span) == .bytes(1))
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
    // Not ready any more: the wait sleeps until it is.
    let other = spawn {
      sleep(milliseconds: 60)
      var byte: UInt8 = 0
      _ = recv(number, &byte, 1, 0)
    }
    let (error, returns, _) = blockRepeatedly(on: pair.first.descriptor, for: .readable, .milliseconds(400))
    other.join()
    #expect(error == SocketError(code: .timedOut, .wait))
    #expect(returns < 200, "\(returns) tries")
  }

  @Test func aHangUpThatNobodyAskedForCostsNothing() throws {
    let pair = try UnixStreamSocket.pair()
    try pair.first.shutdown(.both)
    // For nothing: only errors are waited for.
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
    var wait = try WaitOperation(.wait, until: .never, strategy: .park)
    for _ in 0..<500 {
      try wait.block(on: pair.first.descriptor, for: .readable)
      wait.progressed()
    }
    // Without it there would be 484 pauses, most of a millisecond.
    #expect(milliseconds() - began < 300)
  }
}
