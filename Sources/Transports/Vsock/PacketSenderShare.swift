internal import CSocketKit
internal import Glibc
internal import SocketKitCore

/// The memory that a ``PacketSender`` and its threads share: a lock, two conditions, and the state that the lock
/// guards.
///
/// The memory is freed when its last user leaves. The lock is not a field of the state: a mutating method of the state
/// requires exclusive access to the whole state, while other threads access the lock to wait for it.
struct PacketSenderShare {
  let memory: UnsafeMutableRawPointer

  // Each libc object occupies one cache line, which is large enough for every libc type used here.
  private static var line: Int { 64 }
  private static var stateOffset: Int { 3 * line }

  init(at memory: UnsafeMutableRawPointer) { self.memory = memory }

  init(_ descriptor: RawDescriptor) {
    memory = .allocate(byteCount: Self.stateOffset + MemoryLayout<PacketSenderState>.size, alignment: Self.line)
    state.initialize(to: PacketSenderState(descriptor.value))
    mutex.initialize(to: pthread_mutex_t())
    work.initialize(to: pthread_cond_t())
    progress.initialize(to: pthread_cond_t())
    // This code uses the types of libc, because ThreadSanitizer does not support those of the standard library.
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
  /// The condition that the thread waits for: a packet is queued, or the sender ends.
  private var work: UnsafeMutablePointer<pthread_cond_t> {
    (memory + Self.line).assumingMemoryBound(to: pthread_cond_t.self)
  }
  /// The condition that callers wait for: a packet was sent.
  private var progress: UnsafeMutablePointer<pthread_cond_t> {
    (memory + 2 * Self.line).assumingMemoryBound(to: pthread_cond_t.self)
  }

  func lock() { pthread_mutex_lock(mutex) }
  func unlock() { pthread_mutex_unlock(mutex) }

  /// Releases the lock, and frees the shared memory when the last user leaves.
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

  /// Waits until a packet is queued or the sender ends. Returns true if neither happened in time, so that the thread
  /// can exit.
  func waitForWork(seconds: Int) -> Bool {
    var until = Self.now(plus: .seconds(seconds))
    state.pointee.threadWaits = true
    let result = pthread_cond_timedwait(work, mutex, &until)
    state.pointee.threadWaits = false
    return result == ETIMEDOUT
  }

  func tellProgress() { pthread_cond_broadcast(progress) }

  /// Waits until packets were sent or dropped. Returns false if the time limit passed first.
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
