import Glibc
import SocketKit
import Synchronization
import TestSupport
import Testing

/// The context ID of this machine in the guest kernel, where loopback alone is local(1).
@Suite(.exclusive, .guestOnly) struct VsockContextIDTests {
  @Test func loopbackAloneIsLocal() throws {
    #expect(try VsockContextID.current() == .local)
    #expect(try VsockContextID.current(until: .after(.seconds(1))) == .local)
    var watcher = VsockContextIDWatcher(last: .local, period: .milliseconds(10))
    #expect(
      failure { () throws(SocketError) in _ = try watcher.next(until: .after(.milliseconds(60))) }?.code == .timedOut)
    #expect(watcher.last == .local)
    var wrong = VsockContextIDWatcher(last: 3)
    #expect(try wrong.next(until: .after(.seconds(1))) == .local && wrong.last == .local)
  }

  @Test func aDeviceThatComesLaterIsWaitedFor() {
    let found = withOwnDeviceFolder { () -> VsockContextID? in
      let maker = spawn {
        sleep(milliseconds: 50)
        // /proc/misc has the minor number that the module got.
        let minor = vsockMinor()
        // The kernel reads the path during the call.
        unsafe mknod("/dev/vsock", S_IFCHR | 0o666, dev_t(10 << 8 | minor & 0xff | (minor & ~0xff) << 12))
      }
      defer { maker.join() }
      do throws(SocketError) {
        return try VsockContextID.current(until: .after(.seconds(5)), period: .milliseconds(10))
      } catch {
        return nil
      }
    }
    #expect(found == .local)
  }

  private func vsockMinor() -> UInt64 {
    for line in ((try? text(of: "/proc/misc")) ?? "").split(separator: "\n") {
      let words = line.split(separator: " ")
      if words.last == "vsock" { return UInt64(words[0]) ?? 0 }
    }
    return 0
  }
}

/// Watching, with the answers of a machine that moves. Needs no vsock.
@Suite(.exclusive) struct VsockContextIDWatcherTests {
  /// Answers by turns; the last one stays.
  private final class Machine: Sendable {
    private let answers: [VsockContextID?]
    private let asked = Atomic<Int>(0)
    init(_ answers: [VsockContextID?]) { self.answers = answers }
    var questions: Int { asked.load(ordering: .relaxed) }
    func answer() -> VsockContextID? {
      answers[min(asked.add(1, ordering: .relaxed).oldValue, answers.count - 1)]
    }
  }

  private func watcher(_ machine: Machine, last: VsockContextID?, period: Duration) -> VsockContextIDWatcher {
    VsockContextIDWatcher(last: last, period: period) { () throws(SocketError) in machine.answer() }
  }

  @Test func everyChangeIsToldOnce() throws {
    let machine = Machine([nil, nil, 3, 3, 3, 7, nil, 3])
    var watcher = watcher(machine, last: nil, period: .milliseconds(10))
    var seen: [VsockContextID?] = []
    for _ in 0..<4 { seen.append(try watcher.next(until: .after(.seconds(10)))) }
    #expect(seen == [3, 7, nil, 3] && watcher.last == 3)
    #expect(
      failure { () throws(SocketError) in _ = try watcher.next(until: .after(.milliseconds(30))) }?.code == .timedOut)
    #expect(watcher.last == 3)
  }

  @Test func itAsksOnceInAPeriodAndDoesNotSpin() {
    let machine = Machine([3])
    var slow = watcher(machine, last: 3, period: .milliseconds(50))
    let error = failure { () throws(SocketError) in _ = try slow.next(until: .after(.milliseconds(240))) }
    #expect(error?.code == .timedOut && error?.operation == .contextID)
    #expect(machine.questions <= 6 && machine.questions >= 2, "\(machine.questions) questions in 240 ms")
    #expect(watcher(machine, last: 3, period: .zero).period == .milliseconds(10))
  }

  @Test func aControlEndsIt() {
    let machine = Machine([3])
    var watcher = watcher(machine, last: 3, period: .seconds(100))
    let control = WaitControl()
    let canceller = spawn {
      sleep(milliseconds: 20)
      control.cancel()
    }
    let start = milliseconds()
    let error = failure { () throws(SocketError) in _ = try watcher.next(until: .never.cancellable(by: control)) }
    canceller.join()
    #expect(error?.code == .cancelled && milliseconds() - start < 5000 && machine.questions == 1)
    let later = WaitControl()
    later.setDeadline(.after(.milliseconds(30)))
    #expect(
      failure { () throws(SocketError) in _ = try watcher.next(until: .never.cancellable(by: later)) }?.code
        == .timedOut)
  }

  @Test func whatTheQuestionFailsWithIsThrown() {
    var watcher = VsockContextIDWatcher(last: 3) { () throws(SocketError) in
      throw SocketError(code: .permissionDenied, .contextID)
    }
    #expect(failure { () throws(SocketError) in _ = try watcher.next(until: .never) }?.code == .permissionDenied)
    #expect(watcher.last == 3)
  }
}
