import SocketKit
import TestSupport
import Testing

@Suite(.exclusive) struct WaitControlTests {
  final class Ends: Sendable {
    let near: UnixStreamSocket
    let far: UnixStreamSocket
    init() throws(SocketError) {
      let pair = try UnixStreamSocket.pair()
      near = pair.first
      far = pair.second
    }
  }

  /// How a pending read ends, and after how many milliseconds.
  private func pendingRead(
    _ ends: Ends, _ control: WaitControl, until deadline: Deadline = .after(.seconds(20))
  ) -> (SocketError.Code?, Double) {
    let start = milliseconds()
    var buffer: [UInt8] = [0]
    do throws(SocketError) {
      _ = try ends.near.read(into: buffer.mutableSpan, until: deadline.cancellable(by: control))
      return (nil, milliseconds() - start)
    } catch {
      return (error.code, milliseconds() - start)
    }
  }

  @Test func cancelEndsAPendingRead() throws {
    let ends = try Ends()
    let control = WaitControl()
    let began = milliseconds()
    let other = spawn {
      sleep(milliseconds: 50)
      control.cancel()
    }
    let (code, time) = pendingRead(ends, control)
    #expect(milliseconds() - began >= 49)
    other.join()
    #expect(code == .cancelled && time < 2000)
    #expect(pendingRead(ends, control).0 == .cancelled, "for good")
  }

  @Test func anEarlierDeadlineActsOnAPendingRead() throws {
    let ends = try Ends()
    let control = WaitControl()
    let began = milliseconds()
    let other = spawn {
      sleep(milliseconds: 50)
      control.setDeadline(.past)
    }
    let (code, time) = pendingRead(ends, control)
    #expect(milliseconds() - began >= 49)
    other.join()
    #expect(code == .timedOut && time < 2000)
    control.setDeadline(.never)
    #expect(pendingRead(ends, control, until: .after(.milliseconds(20))).0 == .timedOut)
  }

  @Test func aLaterDeadlineActsOnAPendingRead() throws {
    let ends = try Ends()
    let control = WaitControl()
    control.setDeadline(.after(.milliseconds(100)))
    let other = spawn {
      sleep(milliseconds: 30)
      control.setDeadline(.after(.milliseconds(200)))
    }
    let (code, time) = pendingRead(ends, control)
    other.join()
    #expect(code == .timedOut && time >= 228 && time < 2000)
  }

  @Test func everyWaiterOfOneControlIsCalled() throws {
    let control = WaitControl()
    for round in 0..<20 {
      let ends = try (0..<4).map { _ in try Ends() }
      let shared = round == 19 ? control : WaitControl()
      let threads = ends.map { ends in
        spawn { #expect(self.pendingRead(ends, shared).0 == .cancelled) }
      }
      sleep(milliseconds: UInt32(round % 3))
      shared.cancel()
      for thread in threads { thread.join() }
    }
  }

  @Test func acceptAndConnectAndLookupEndToo() throws {
    let control = WaitControl()
    let listener = try TCPSocket.listen(on: .loopback(port: 0))
    let other = spawn {
      sleep(milliseconds: 30)
      control.cancel()
    }
    #expect(throws: SocketError(code: .cancelled, .accept)) {
      _ = try listener.accept(until: .after(.seconds(20)).cancellable(by: control))
    }
    other.join()
    // Connects to a full backlog, where a connect takes until its deadline unless it is cancelled.
    let full = try TCPSocket.listen(on: .loopback(port: 0), backlog: 0)
    let address = try full.localAddress()
    let queued = try TCPSocket.connect(to: address, until: .after(.seconds(5)))
    let late = WaitControl()
    let cancelling = spawn {
      sleep(milliseconds: 30)
      late.cancel()
    }
    for cancelled in [control, late] {
      #expect(throws: SocketError(code: .cancelled, .connect).with(address: "\(address)")) {
        _ = try TCPSocket.connect(to: address, until: .after(.seconds(5)).cancellable(by: cancelled))
      }
    }
    cancelling.join()
    _ = queued.descriptor
    do throws(SocketError) {
      _ = try NameLookup("localhost", port: 1).wait(until: .never.cancellable(by: control))
      Issue.record("not cancelled")
    } catch {
      #expect(error.code == .cancelled && error.address == "localhost")
    }
  }

  @Test func anAdaptiveWaitSleepsInTheEnd() throws {
    let ends = try Ends()
    var buffer: [UInt8] = [0]
    let before = threadCPUTime()
    #expect(throws: SocketError(code: .timedOut, .read)) {
      _ = try ends.near.read(into: buffer.mutableSpan, until: .after(.milliseconds(200)).spinning(40, thenYielding: 4))
    }
    #expect(threadCPUTime() - before < 50)
  }

  @Test func strategiesEndAtTheDeadline() throws {
    let ends = try Ends()
    var buffer: [UInt8] = [0]
    func time(_ limit: (Deadline) -> some WaitLimit) -> Double {
      let start = milliseconds()
      do throws(SocketError) {
        _ = try ends.near.read(into: buffer.mutableSpan, until: limit(.after(.milliseconds(30))))
        Issue.record("read something")
      } catch {
        #expect(error.code == .timedOut && error.errno == 0)
      }
      return milliseconds() - start
    }
    let all = [
      time { $0 }, time { $0.spinning() }, time { $0.spinning(40, thenYielding: 4) }, time { $0.spinning(3) },
      time { $0.spinning(0, thenYielding: .max) },
    ]
    for elapsed in all {
      #expect(elapsed >= 30 && elapsed < 5000)
    }
  }
}

/// Runs an action between a wait's last look at its control and its sleep. Another thread could not do so reliably.
private struct ActingBeforeTheSleep: WaitLimit {
  let deadline: Deadline
  /// Before which sleep of the wait.
  var sleep: UInt8 = 1
  let action: @Sendable () -> Void
  func begin() -> UInt8 { 0 }
  func next(_ progress: inout UInt8) -> WaitStep {
    progress += 1
    if progress == sleep { action() }
    return .park
  }
}

@Suite(.exclusive) struct LateActionTests {
  /// The code of a read for which the action runs just before it sleeps; nil when it sleeps until its own deadline.
  private func code(_ control: WaitControl, _ action: @escaping @Sendable () -> Void) throws -> SocketError.Code? {
    let pair = try UnixStreamSocket.pair()
    var buffer: [UInt8] = [0]
    let deadline = Deadline.after(.seconds(3))
    do throws(SocketError) {
      _ = try pair.first.read(
        into: buffer.mutableSpan,
        until: ActingBeforeTheSleep(deadline: deadline, action: action).cancellable(by: control))
      return nil
    } catch {
      return deadline.hasPassed ? nil : error.code
    }
  }

  @Test func aCancelJustBeforeTheSleepIsSeen() throws {
    let control = WaitControl()
    #expect(try code(control) { control.cancel() } == .cancelled)
  }

  /// The first sleep is short. From the second on a shutdown must be noticed too.
  @Test(arguments: [1, 2] as [UInt8]) func aCancelJustBeforeAnAcceptSleepsIsSeen(_ sleep: UInt8) throws {
    let control = WaitControl()
    let listener = try UnixStreamSocket.listen(on: .unnamed)
    let deadline = Deadline.after(.seconds(3))
    let limit = ActingBeforeTheSleep(deadline: deadline, sleep: sleep) { control.cancel() }.cancellable(by: control)
    #expect(throws: SocketError(code: .cancelled, .accept)) {
      _ = try listener.accept(until: limit)
    }
    #expect(!deadline.hasPassed)
  }

  @Test func aDeadlineSetJustBeforeTheSleepIsSeen() throws {
    let control = WaitControl()
    #expect(try code(control) { control.setDeadline(.past) } == .timedOut)
  }
}

@Suite(.exclusive) struct PollerControlTests {
  @Test func aControlEndsAPollersWait() throws {
    var poller = try EpollPoller()
    let control = WaitControl()
    let other = spawn {
      sleep(milliseconds: 30)
      control.cancel()
    }
    let start = milliseconds()
    #expect(throws: SocketError(code: .cancelled, .wait)) {
      _ = try poller.wait(until: .after(.seconds(20)).cancellable(by: control))
    }
    other.join()
    #expect(milliseconds() - start < 2000)
    #expect(throws: SocketError(code: .cancelled, .wait)) {
      _ = try poller.wait(until: .after(.seconds(20)).cancellable(by: control))
    }
  }

  @Test func aChangedDeadlineActsOnAPollersWait() throws {
    var poller = try PollPoller()
    let control = WaitControl()
    let other = spawn {
      sleep(milliseconds: 30)
      control.setDeadline(.past)
    }
    let start = milliseconds()
    var waits = 0
    while !control.deadline.hasPassed {
      #expect(try poller.wait(until: .after(.seconds(20)).cancellable(by: control)) == 0)
      waits += 1
    }
    other.join()
    #expect(waits <= 2 && milliseconds() - start < 2000)
    control.setDeadline(.never)
    #expect(try poller.wait(until: .after(.milliseconds(10)).cancellable(by: control)) == 0)
  }

  @Test func eventsAreReportedBesideAControl() throws {
    let pair = try UnixStreamSocket.pair()
    var poller = try BusySpinPoller(.init(base: .init()))
    try poller.register(pair.first, for: .readable, token: Token(index: 4))
    _ = try pair.second.write([1].span)
    #expect(try poller.wait(until: .after(.seconds(1)).cancellable(by: WaitControl())) == 1)
  }
}
