internal import CSocketKit
internal import Glibc
internal import SocketKitCore
internal import Synchronization

/// The time after which the queued packets of a closed socket are dropped if the peer receives nothing.
///
/// The default is one minute. Tests set a shorter time.
enum ForgottenSender {
  private static let milliseconds = Atomic<Int>(60_000)

  static var patience: Duration {
    get { .milliseconds(milliseconds.load(ordering: .relaxed)) }
    set { milliseconds.store(Int(newValue / .milliseconds(1)), ordering: .relaxed) }
  }
}

// These methods run two threads. One thread sends the packets of a socket. The other thread ends the connection of a
// closed socket when the peer stops receiving.
extension PacketSenderShare {
  /// Starts the thread; the caller holds the lock. Returns false if the system cannot create a thread.
  @inline(never)
  func startSending() -> Bool {
    // `start` passes the memory of a user that has not left, here and below.
    state.threadRuns = unsafe start { argument in
      if let argument = unsafe argument { unsafe PacketSenderShare(at: argument).serve() }
      return nil
    }
    return state.threadRuns
  }

  /// Starts a detached thread that uses the shared memory. The thread blocks all signals, because a signal during a
  /// send call would split the packet.
  ///
  /// The new thread is a user of the memory, so the memory exists until the thread leaves. The functions of libc access
  /// the other arguments only during the call.
  private func start(_ body: @convention(c) (UnsafeMutableRawPointer?) -> UnsafeMutableRawPointer?) -> Bool {
    var attributes = pthread_attr_t()
    unsafe pthread_attr_init(&attributes)
    defer { unsafe pthread_attr_destroy(&attributes) }
    unsafe pthread_attr_setdetachstate(&attributes, Int32(PTHREAD_CREATE_DETACHED))
    unsafe pthread_attr_setstacksize(&attributes, 256 * 1024)
    var all = sigset_t()
    var old = sigset_t()
    unsafe sigfillset(&all)
    unsafe pthread_sigmask(SIG_SETMASK, &all, &old)
    defer { unsafe pthread_sigmask(SIG_SETMASK, &old, nil) }
    state.users += 1
    var thread = pthread_t()
    if unsafe pthread_create(&thread, &attributes, body, memory) == 0 { return true }
    state.users -= 1
    return false
  }

  private consuming func serve() {
    lock()
    while true {
      if let (bytes, flags) = unsafe state.queue.first {
        state.setBlocking(true)
        let descriptor = state.descriptor
        unlock()
        // Only this thread removes the packet, so the bytes stay at their address during the call.
        let count = bytes.count
        let result = unsafe csk_send(descriptor, bytes.baseAddress, count, flags | CSK_MSG_NOSIGNAL)
        lock()
        state.queue.removeFirst()
        if result == count {
          state.longestSent = max(state.longestSent, result)
        } else {
          state.end(IOResult(raw: result), length: count)
        }
        tellProgress()
        if state.hasWantedRoom { state.finishWithRoom() }
        continue
      }
      state.setBlocking(false)
      if state.mustShutDown {
        state.mustShutDown = false
        _ = RawDescriptor(state.descriptor).attemptShutdown(.write)
      }
      if state.isAbandoned { break }
      let isIdle = waitForWork(seconds: 1)
      if isIdle && state.queue.isEmpty { break }
    }
    state.threadRuns = false
    leave()
  }

  /// Handles a socket that closes while packets are queued; the caller holds the lock.
  ///
  /// Waits while the peer has free buffer space, then leaves the remaining packets to the thread.
  func outliveSocket() {
    while !state.queue.isEmpty && state.peerHasRoom { _ = waitForProgress(.milliseconds(1)) }
    if state.queue.isEmpty { return }
    let isWatched = unsafe start { argument in
      if let argument = unsafe argument { unsafe PacketSenderShare(at: argument).watch() }
      return nil
    }
    // Without this thread, the time limit cannot be enforced, so the connection ends before the remaining packets are
    // sent.
    if !isWatched { _ = csk_shutdown(state.descriptor, CSK_SHUT_RDWR) }
  }

  /// Ends the connection of a closed socket when its peer stops receiving.
  private consuming func watch() {
    lock()
    while !state.queue.isEmpty {
      if !waitForProgress(ForgottenSender.patience) {
        _ = csk_shutdown(state.descriptor, CSK_SHUT_RDWR)
        break
      }
    }
    leave()
  }
}
