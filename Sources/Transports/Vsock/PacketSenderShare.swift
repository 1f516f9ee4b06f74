internal import CSocketKit
internal import Glibc
internal import SocketKitCore

/// The memory that a ``PacketSender`` and its threads share: a lock, two conditions, and the state that the lock
/// guards.
///
/// The memory is freed when its last user leaves, so a value of this type is valid until its user leaves. The lock is
/// not a field of the state: a mutating method of the state requires exclusive access to the whole state, but other
/// threads must be able to wait for the lock during such a method.
@safe
struct PacketSenderShare: ~Copyable {
  // Until the last user leaves, the memory exists and its four objects are initialized. `state.users` counts the users.
  // Each object starts at its own cache line and does not move. The functions of libc access their other arguments only
  // during the call.
  let memory: UnsafeMutableRawPointer

  // Each libc object occupies one cache line, which is large enough for every libc type used here.
  private static var line: Int { 64 }
  private static var stateOffset: Int { 3 * line }

  /// - Parameter memory: the memory of a user that has not left.
  init(at memory: UnsafeMutableRawPointer) { unsafe self.memory = memory }

  /// Allocates the memory for its first user, the socket.
  init(_ descriptor: RawDescriptor) {
    unsafe memory = .allocate(
      byteCount: Self.stateOffset + MemoryLayout<PacketSenderState>.size, alignment: Self.line)
    unsafe stateAddress.initialize(to: PacketSenderState(descriptor.value))
    unsafe mutex.initialize(to: pthread_mutex_t())
    unsafe work.initialize(to: pthread_cond_t())
    unsafe progress.initialize(to: pthread_cond_t())
    // This code uses the types of libc, because ThreadSanitizer does not support those of the standard library.
    unsafe pthread_mutex_init(mutex, nil)
    var attributes = pthread_condattr_t()
    unsafe pthread_condattr_init(&attributes)
    unsafe pthread_condattr_setclock(&attributes, CLOCK_MONOTONIC)
    unsafe pthread_cond_init(work, &attributes)
    unsafe pthread_cond_init(progress, &attributes)
    unsafe pthread_condattr_destroy(&attributes)
  }

  /// The state. The caller holds the lock.
  var state: PacketSenderState {
    _read { yield unsafe stateAddress.pointee }
    nonmutating _modify { yield unsafe &stateAddress.pointee }
  }

  /// The descriptor number of the socket. A thread that borrows the socket needs no lock, because the number does not
  /// change while the socket is borrowed.
  var descriptor: RawDescriptor { unsafe RawDescriptor(stateAddress.pointee.descriptor) }

  private var stateAddress: UnsafeMutablePointer<PacketSenderState> {
    unsafe (memory + Self.stateOffset).assumingMemoryBound(to: PacketSenderState.self)
  }
  private var mutex: UnsafeMutablePointer<pthread_mutex_t> {
    unsafe memory.assumingMemoryBound(to: pthread_mutex_t.self)
  }
  /// The condition that the thread waits for: a packet is queued, or the sender ends.
  private var work: UnsafeMutablePointer<pthread_cond_t> {
    unsafe (memory + Self.line).assumingMemoryBound(to: pthread_cond_t.self)
  }
  /// The condition that callers wait for: a packet was sent.
  private var progress: UnsafeMutablePointer<pthread_cond_t> {
    unsafe (memory + 2 * Self.line).assumingMemoryBound(to: pthread_cond_t.self)
  }

  func lock() { unsafe pthread_mutex_lock(mutex) }
  func unlock() { unsafe pthread_mutex_unlock(mutex) }

  /// Removes one user and releases the lock, which the caller holds. Frees the shared memory if this was the last user.
  consuming func leave() {
    state.users -= 1
    let isLast = state.users == 0
    unlock()
    if !isLast { return }
    _ = state.closeDescriptor()
    unsafe stateAddress.deinitialize(count: 1)
    unsafe pthread_cond_destroy(work)
    unsafe pthread_cond_destroy(progress)
    unsafe pthread_mutex_destroy(mutex)
    unsafe memory.deallocate()
  }

  func wakeThread() {
    if state.threadWaits { unsafe pthread_cond_signal(work) }
  }

  /// Waits until a packet is queued or the sender ends. Returns true if neither happened in time, so that the thread
  /// can exit.
  func waitForWork(seconds: Int) -> Bool {
    var until = Self.now(plus: .seconds(seconds))
    state.threadWaits = true
    let result = unsafe pthread_cond_timedwait(work, mutex, &until)
    state.threadWaits = false
    return result == ETIMEDOUT
  }

  func tellProgress() { unsafe pthread_cond_broadcast(progress) }

  /// Waits until packets were sent or dropped. Returns false if the time limit passed first.
  func waitForProgress(_ limit: Duration?) -> Bool {
    guard let limit else { return unsafe pthread_cond_wait(progress, mutex) == 0 }
    var until = Self.now(plus: limit)
    return unsafe pthread_cond_timedwait(progress, mutex, &until) == 0
  }

  private static func now(plus duration: Duration) -> timespec {
    var time = timespec()
    unsafe clock_gettime(CLOCK_MONOTONIC, &time)
    let (seconds, attoseconds) = duration.components
    let nanoseconds = time.tv_nsec + Int(attoseconds / 1_000_000_000)
    return timespec(
      tv_sec: time.tv_sec + Int(seconds) + nanoseconds / 1_000_000_000, tv_nsec: nanoseconds % 1_000_000_000)
  }
}
