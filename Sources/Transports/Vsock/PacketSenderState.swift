internal import CSocketKit
internal import Glibc
internal import SocketKitCore

/// What a ``PacketSender`` and its thread share, behind a lock. It lives until both are done with it.
struct PacketSenderState {
  private var mutex = pthread_mutex_t()
  /// The thread waits for it: packets, or the end.
  private var work = pthread_cond_t()
  /// Others wait for it: a packet was sent.
  private var progress = pthread_cond_t()
  var users = 1

  var descriptor: Int32
  var ownsDescriptor = false
  var queue = PacketQueue()
  /// The event counter that pollers watch for writing; -1 until somebody asks.
  var room: Int32 = -1
  /// What a sender found no room for, in bytes of the queue; 0 when nobody waits, .max for the last packet's end.
  private(set) var wanted = 0
  /// The longest packet, as far as is known.
  private(set) var longest = 0
  /// What ended the connection.
  var failure: Int32 = 0
  /// Whether writing has ended or is to end behind the last packet, and whether the thread must do that.
  var isEnding = false
  var mustShutDown = false
  var isAbandoned = false
  var threadRuns = false
  private var threadWaits = false
  private var isBlocking = false
  private var hasTimeLimit = false

  init(_ descriptor: Int32) { self.descriptor = descriptor }

  // libc's mutex and not the standard library's, which ThreadSanitizer does not know.
  mutating func prepareLock() {
    pthread_mutex_init(&mutex, nil)
    var attributes = pthread_condattr_t()
    pthread_condattr_init(&attributes)
    pthread_condattr_setclock(&attributes, CLOCK_MONOTONIC)
    pthread_cond_init(&work, &attributes)
    pthread_cond_init(&progress, &attributes)
    pthread_condattr_destroy(&attributes)
  }

  mutating func lock() { pthread_mutex_lock(&mutex) }
  mutating func unlock() { pthread_mutex_unlock(&mutex) }

  /// Unlocks, and ends the state's life with its last user's.
  static func leave(_ state: UnsafeMutablePointer<PacketSenderState>) {
    state.pointee.users -= 1
    let isLast = state.pointee.users == 0
    state.pointee.unlock()
    if !isLast { return }
    if state.pointee.ownsDescriptor { _ = csk_close(state.pointee.descriptor) }
    state.pointee.queue.destroy()
    pthread_cond_destroy(&state.pointee.work)
    pthread_cond_destroy(&state.pointee.progress)
    pthread_mutex_destroy(&state.pointee.mutex)
    state.deinitialize(count: 1)
    state.deallocate()
  }

  /// Asks how long a packet may be: no longer than the socket's own buffer.
  @inline(never)
  mutating func learnLongest() -> IOResult {
    var size: UInt64 = 0
    var length: UInt32 = 8
    let result = csk_getsockopt(descriptor, CSK_AF_VSOCK, CSK_SO_VM_SOCKETS_BUFFER_SIZE, &size, &length)
    if result >= 0 { longest = Int(clamping: size) }
    return IOResult(raw: result)
  }

  /// Makes the empty queue long enough.
  @inline(never)
  mutating func makeRoom(_ size: Int) { queue.grow(to: max(size, 65536)) }

  mutating func wantRoom(_ size: Int) {
    if wanted == 0 { setWritable(false) }
    wanted = max(wanted, size)
  }

  func setWritable(_ writable: Bool) {
    guard room >= 0 else { return }
    // A counter at its largest value is not writable (eventfd(2)); reading sets it to zero.
    _ = writable ? csk_event_drain(room) : csk_event_fill(room)
  }

  mutating func finishWithRoom() {
    if wanted == 0 { return }
    wanted = 0
    setWritable(true)
  }

  mutating func wakeThread() {
    if threadWaits { pthread_cond_signal(&work) }
  }

  /// Waits for packets or the end; whether so long that the thread need not stay.
  mutating func waitForWork(seconds: Int) -> Bool {
    var until = Self.now(plus: .seconds(seconds))
    threadWaits = true
    defer { threadWaits = false }
    return pthread_cond_timedwait(&work, &mutex, &until) == ETIMEDOUT
  }

  mutating func tellProgress() { pthread_cond_broadcast(&progress) }

  /// Waits until packets were sent or dropped; false when the time was up before.
  mutating func waitForProgress(_ limit: Duration?) -> Bool {
    guard let limit else { return pthread_cond_wait(&progress, &mutex) == 0 }
    var until = Self.now(plus: limit)
    return pthread_cond_timedwait(&progress, &mutex, &until) == 0
  }

  private static func now(plus duration: Duration) -> timespec {
    var time = timespec()
    clock_gettime(CLOCK_MONOTONIC, &time)
    let (seconds, attoseconds) = duration.components
    let nanoseconds = time.tv_nsec + Int(attoseconds / 1_000_000_000)
    return timespec(
      tv_sec: time.tv_sec + Int(seconds) + nanoseconds / 1_000_000_000, tv_nsec: nanoseconds % 1_000_000_000)
  }

  /// Blocking is a matter of the open socket, not of a call.
  mutating func setBlocking(_ blocking: Bool) {
    if blocking == isBlocking { return }
    isBlocking = blocking
    let flags = csk_fcntl(descriptor, 3, 0)
    let nonBlocking = Int(CSK_SOCK_NONBLOCK)
    _ = csk_fcntl(descriptor, 4, blocking ? flags & ~nonBlocking : flags | nonBlocking)
    if blocking && !hasTimeLimit {
      hasTimeLimit = true
      // A stop and a continue interrupt the send even here, and without a limit it would begin anew, behind what it had
      // sent; with one it ends with EINTR (sock_intr_errno). 23 days, because the limit itself is of no use.
      var time = csk_timeval(tv_sec: 2_000_000, tv_usec: 0)
      _ = csk_setsockopt(
        descriptor, CSK_SOL_SOCKET, CSK_SO_SNDTIMEO, &time, UInt32(MemoryLayout<csk_timeval>.size))
    }
  }
}
