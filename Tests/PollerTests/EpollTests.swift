import Glibc
import SocketKit
import TestSupport
import Testing

@Suite(.exclusive) struct EpollTests {
  @Test func badConfigurationsAreRefused() {
    for count in [0, -1, Int.max] {
      #expect(throws: SocketError(code: .invalidArgument, .open)) {
        _ = try EpollPoller(.init(eventsPerWait: count))
      }
    }
    #expect(EpollPoller.configuration(capacity: 0).eventsPerWait == 1)
  }

  @Test func everyModeIsThereOnThisKernel() throws {
    let capabilities = try EpollPoller().capabilities
    #expect(capabilities.isSuperset(of: [.edge, .oneShot, .exclusive, .parks, .scalable]))
    #expect(capabilities.contains(.precise), "epoll_pwait2 is in Linux 5.11 and later")
  }

  @Test func regularFilesCannotBeWatched() throws {
    let file = CLibrary.open("/proc/self/exe", O_RDONLY | O_CLOEXEC)
    defer { close(file) }
    var poller = try EpollPoller()
    do throws(SocketError) {
      try poller.register(RawDescriptor(file), for: .readable, token: Token(index: 1))
      Issue.record("took it")
    } catch {
      #expect(error.code == .notSupported && error.errno == EPERM && error.operation == .register)
      #expect(error.remedy?.contains("regular files") == true)
    }
  }

  @Test func pollersNest() throws {
    let pair = try UnixStreamSocket.pair()
    var inner = try EpollPoller()
    try inner.register(pair.first, for: .readable, token: Token(index: 1))
    var outer = try EpollPoller()
    try outer.register(inner.descriptor, for: .readable, token: Token(index: 2))
    #expect(try outer.wait(until: .past) == 0)
    _ = try pair.second.write([1].span)
    #expect(try outer.wait(until: .after(.seconds(1))) == 1)
    #expect(try inner.wait(until: .past) == 1)
  }

  /// Two pollers watch one listener: an exclusive watch wakes one of them for a connection, not both.
  @Test func exclusiveWakesOne() throws {
    let listener = try TCPSocket.listen(on: .loopback(port: 0))
    let address = try listener.localAddress()
    let source = listener.descriptor
    let events = Guarded(0)
    let threads = (0..<2).map { _ in
      spawn {
        do throws(SocketError) {
          var poller = try EpollPoller()
          try poller.register(source: source, for: .readable, trigger: [.exclusive, .edge], token: Token(index: 1))
          let count = try poller.wait(until: .after(.milliseconds(300)))
          events.withLock { $0 += count }
        } catch {
          Issue.record("\(error)")
        }
      }
    }
    sleep(milliseconds: 80)
    let client = try TCPSocket.connect(to: address, until: .after(.seconds(5)))
    for thread in threads { thread.join() }
    #expect(events.withLock { $0 } == 1)
    _ = client.descriptor
  }

  @Test func aWakerOutlivesItsPoller() throws {
    let before = openDescriptors().count
    do {
      let waker: Waker
      do {
        let poller = try EpollPoller()
        waker = poller.waker
      }
      #expect(openDescriptors().count == before + 1, "what it writes to is its own")
      waker.wake()
      withExtendedLifetime(waker) {}
    }
    #expect(openDescriptors().count == before)
  }

  @Test func noDescriptorIsLeftWhenMakingOneFails() {
    let before = openDescriptors()
    let free = (0...).first { !before.contains($0) } ?? 0
    var code: SocketError.Code?
    // Room for the bell, none for epoll.
    withDescriptorLimit(free + 1) {
      do throws(SocketError) { _ = try EpollPoller() } catch { code = error.code }
    }
    #expect(code == .tooManyDescriptors && openDescriptors() == before)
  }
}
