internal import CSocketKit
internal import Glibc
internal import SocketKitCore

/// What a ``PacketSender`` and its threads share: a lock, two conditions, and the state that the lock guards. It lives
/// until all are done with it.
///
/// The lock stands beside the state and not in it: a method that changes the state has all of it to itself, as Swift sees
/// it, and whoever waits for the lock has not.
struct PacketSenderShare {
  let memory: UnsafeMutableRawPointer

  // A line of the cache for each, which the largest of libc's types fits into.
  private static var line: Int { 64 }
  private static var stateOffset: Int { 3 * line }

  init(at memory: UnsafeMutableRawPointer) { self.memory = memory }

  init(_ descriptor: RawDescriptor) {
    memory = .allocate(byteCount: Self.stateOffset + MemoryLayout<PacketSenderState>.size, alignment: Self.line)
    state.initialize(to: PacketSenderState(descriptor.value))
    mutex.initialize(to: pthread_mutex_t())
    work.initialize(to: pthread_cond_t())
    progress.initialize(to: pthread_cond_t())
    // libc's and not the standard library's, which ThreadSanitizer does not know.
    pthread_mutex_init(mutex, nil)
    var attributes = pthread_condattr_t()
    pthread_condattr_init(&attributes)
    pthread_condattr_setclock(&attributes, CLOCK_MONOTONIC)
    pthread_cond_init(work, &attributes)
    pthread_cond_init(progress, &attributes)
    pthread_condattr_destroy(&attributes)
  }

  var state: UnsafeMutablePointer<PacketSenderState> {
    (memory + Self.stateOffset).assumingMemoryBound(to: PacketSenderState.self)
  }
  private var mutex: UnsafeMutablePointer<pthread_mutex_t> { memory.assumingMemoryBound(to: pthread_mutex_t.self) }
  /// The thread waits for it: packets, or the end.
  private var work: UnsafeMutablePointer<pthread_cond_t> {
    (memory + Self.line).assumingMemoryBound(to: pthread_cond_t.self)
  }
  /// Others wait for it: a packet was sent.
  private var progress: UnsafeMutablePointer<pthread_cond_t> {
    (memory + 2 * Self.line).assumingMemoryBound(to: pthread_cond_t.self)
  }

  func lock() { pthread_mutex_lock(mutex) }
  func unlock() { pthread_mutex_unlock(mutex) }

  /// Unlocks, and ends the life of all this with its last user's.
  func leave() {
    state.pointee.users -= 1
    let isLast = state.pointee.users == 0
    unlock()
    if !isLast { return }
    _ = state.pointee.closeDescriptor()
    state.pointee.queue.destroy()
    state.deinitialize(count: 1)
    pthread_cond_destroy(work)
    pthread_cond_destroy(progress)
    pthread_mutex_destroy(mutex)
    memory.deallocate()
  }

  func wakeThread() {
    if state.pointee.threadWaits { pthread_cond_signal(work) }
  }

  /// Waits for packets or the end; whether so long that the thread need not stay.
  func waitForWork(seconds: Int) -> Bool {
    var until = Self.now(plus: .seconds(seconds))
    state.pointee.threadWaits = true
    let result = pthread_cond_timedwait(work, mutex, &until)
    state.pointee.threadWaits = false
    return result == ETIMEDOUT
  }

  func tellProgress() { pthread_cond_broadcast(progress) }

  /// Waits until packets were sent or dropped; false when the time was up before.
  func waitForProgress(_ limit: Duration?) -> Bool {
    guard let limit else { return pthread_cond_wait(progress, mutex) == 0 }
    var until = Self.now(plus: limit)
    return pthread_cond_timedwait(progress, mutex, &until) == 0
  }

  private static func now(plus duration: Duration) -> timespec {
    var time = timespec()
    clock_gettime(CLOCK_MONOTONIC, &time)
    let (seconds, attoseconds) = duration.components
    let nanoseconds = time.tv_nsec + Int(attoseconds / 1_000_000_000)
    return timespec(
      tv_sec: time.tv_sec + Int(seconds) + nanoseconds / 1_000_000_000, tv_nsec: nanoseconds % 1_000_000_000)
  }
}
