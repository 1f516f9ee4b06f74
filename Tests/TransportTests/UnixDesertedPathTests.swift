import CSocketKit
import Glibc
import SocketKit
import Synchronization
import TestSupport
import Testing

/// Of several servers that want one path, exactly one gets it and can be reached there.
@Suite(.exclusive) struct UnixDesertedPathTests {
  private final class Tally: Sendable {
    let winners = Atomic<Int>(0)
    let unreachable = Atomic<Int>(0)
    let other = Atomic<Int>(0)
  }

  private func listen(_ address: UnixAddress, _ tally: Tally) -> Listener<UnixStreamSocket>? {
    do throws(SocketError) {
      let listener = try UnixStreamSocket.listen(on: address)
      tally.winners.add(1, ordering: .relaxed)
      return listener
    } catch {
      if error.code != .addressInUse { tally.other.add(1, ordering: .relaxed) }
      return nil
    }
  }

  /// Whether a connection to the path reaches this listener.
  private func isReached(_ listener: borrowing Listener<UnixStreamSocket>, _ address: UnixAddress) -> Bool {
    do {
      _ = try UnixStreamSocket.connect(to: address, until: .after(patience))
      guard let _ = try listener.accept() else { return false }
      return true
    } catch {
      return false
    }
  }

  /// Several servers start at the same moment and find the file of a dead program.
  @Test func ofServersThatStartTogetherOneGetsTheDesertedPath() throws {
    let path = temporaryPath()
    let address = try UnixAddress(path: path)
    let rounds = stressRounds ?? 400
    var wrong: [Int: Int] = [:]
    let (servers, tally) = (3, Tally())
    let (ready, done) = (Barrier(servers + 1), Barrier(servers + 1))
    let threads = (0..<servers).map { _ in
      spawn {
        for _ in 0..<rounds {
          ready.wait()
          let listener = listen(address, tally)
          // No server lets its listener go before all have tried.
          done.wait()
          if let listener {
            if !isReached(listener, address) { tally.unreachable.add(1, ordering: .relaxed) }
            _ = listener.release()
          }
          done.wait()
        }
      }
    }
    for _ in 0..<rounds {
      if !Files.exists(path) { _ = try UnixStreamSocket.listen(on: address).release() }
      tally.winners.store(0, ordering: .relaxed)
      ready.wait()
      done.wait()
      wrong[tally.winners.load(ordering: .relaxed), default: 0] += 1
      done.wait()
    }
    for thread in threads { thread.join() }
    #expect(wrong == [1: rounds], "rounds by the number of servers that listen")
    #expect(tally.unreachable.load(ordering: .relaxed) == 0 && tally.other.load(ordering: .relaxed) == 0)
    #expect(!Files.exists(path + ".socketkit-lock"), "the lock's file stays behind")
    CLibrary.unlink(path)
  }

  /// Servers come, close or die, and others take their place. A server that listens can always be reached.
  @Test func whoListensIsReachedWhileOthersComeAndGo() throws {
    let path = temporaryPath()
    let address = try UnixAddress(path: path)
    let tally = Tally()
    let rounds = stressRounds ?? 500
    let threads = (0..<4).map { number in
      spawn {
        for round in 0..<rounds {
          guard let listener = listen(address, tally) else { continue }
          if !isReached(listener, address) { tally.unreachable.add(1, ordering: .relaxed) }
          // Two of three die and leave their file.
          if (round + number) % 3 != 0 { _ = listener.release() }
        }
      }
    }
    for thread in threads { thread.join() }
    #expect(tally.unreachable.load(ordering: .relaxed) == 0, "of \(tally.winners.load(ordering: .relaxed))")
    #expect(tally.other.load(ordering: .relaxed) == 0 && tally.winners.load(ordering: .relaxed) >= rounds / 10)
    #expect(!Files.exists(path + ".socketkit-lock"), "the lock's file stays behind")
    CLibrary.unlink(path)
  }

  /// Where another process holds the lock, or its file is not a lock, the path stays as it is.
  @Test func withoutTheLockNothingIsRemoved() throws {
    let path = temporaryPath()
    let address = try UnixAddress(path: path)
    do { _ = try UnixStreamSocket.listen(on: address).release() }
    defer { CLibrary.unlink(path) }
    let lock = path + ".socketkit-lock"
    for content in ["", "a text of somebody's"] {
      let file = Files.create(lock)
      #expect(CLibrary.write(file, Array(content.utf8)) == content.utf8.count)
      if content.isEmpty {
        // F_OFD_SETLK, as another process has it.
        var held = flock()
        held.l_type = Int16(F_WRLCK)
        // The kernel reads the structure during the call.
        let result = unsafe fcntl(file, CSK_F_OFD_SETLK, &held)
        #expect(result == 0)
      }
      let (began, used) = (milliseconds(), threadCPUTime())
      let code = endpointFailure { () throws(SocketError) in _ = try UnixStreamSocket.listen(on: address) }
      #expect(code == .addressInUse && Files.exists(path) && Files.exists(lock))
      #expect(milliseconds() - began < 10_000 && threadCPUTime() - used < 300)
      close(file)
      CLibrary.unlink(lock)
    }
    // The kernel reads the paths during the call.
    unsafe symlink("/dev/null", lock)
    #expect(
      endpointFailure { () throws(SocketError) in _ = try UnixStreamSocket.listen(on: address) } == .addressInUse)
    #expect(Files.exists(path))
    CLibrary.unlink(lock)
    // Left behind by a process that died with the lock.
    close(Files.create(lock))
    try UnixStreamSocket.listen(on: address).close()
    #expect(!Files.exists(path) && !Files.exists(lock))
  }

  /// More rounds than a test's, for long runs.
  private var stressRounds: Int? { environmentVariable("SOCKETKIT_STRESS_ROUNDS").flatMap { Int($0) } }
}

/// A meeting point of so many threads. The memory is allocated with the object and does not move; `init` makes the
/// barrier there, and `deinit` destroys it and frees the memory, when no thread refers to it any more.
@safe private final class Barrier: @unchecked Sendable {
  private let barrier = UnsafeMutablePointer<pthread_barrier_t>.allocate(capacity: 1)

  init(_ count: Int) { unsafe pthread_barrier_init(barrier, nil, UInt32(count)) }
  deinit {
    unsafe pthread_barrier_destroy(barrier)
    unsafe barrier.deallocate()
  }
  func wait() { _ = unsafe pthread_barrier_wait(barrier) }
}
