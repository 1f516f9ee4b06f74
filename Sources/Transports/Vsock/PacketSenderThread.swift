internal import CSocketKit
internal import Glibc
internal import SocketKitCore
internal import Synchronization

/// How long the peer of a closed socket may receive nothing before the queued packets are dropped.
///
/// The default is one minute. Tests set a shorter time.
enum ForgottenSender {
  private static let milliseconds = Atomic<Int>(60_000)

  static var patience: Duration {
    get { .milliseconds(milliseconds.load(ordering: .relaxed)) }
    set { milliseconds.store(Int(newValue / .milliseconds(1)), ordering: .relaxed) }
  }
}

// These methods run two threads: one sends the packets of a socket, and one ends the first when the socket is closed.
extension PacketSenderShare {
  /// Starts the thread; the caller holds the lock. Returns false if the system cannot create a thread.
  @inline(never)
  func startSending() -> Bool {
    state.pointee.threadRuns = start { argument in
      if let argument { PacketSenderShare(at: argument).serve() }
      return nil
    }
    return state.pointee.threadRuns
  }

  /// Starts a detached thread that uses the shared memory. The thread blocks all signals, because a signal during a
  /// send would split the packet.
  private func start(_ body: @convention(c) (UnsafeMutableRawPointer?) -> UnsafeMutableRawPointer?) -> Bool {
    var attributes = pthread_attr_t()
    pthread_attr_init(&attributes)
    defer { pthread_attr_destroy(&attributes) }
    pthread_attr_setdetachstate(&attributes, Int32(PTHREAD_CREATE_DETACHED))
    pthread_attr_setstacksize(&attributes, 256 * 1024)
    var all = sigset_t()
    var old = sigset_t()
    sigfillset(&all)
    pthread_sigmask(SIG_SETMASK, &all, &old)
    defer { pthread_sigmask(SIG_SETMASK, &old, nil) }
    state.pointee.users += 1
    var thread = pthread_t()
    if pthread_create(&thread, &attributes, body, memory) == 0 { return true }
    state.pointee.users -= 1
    return false
  }

  private func serve() {
    lock()
    while true {
      if let (bytes, flags) = state.pointee.queue.first {
        state.pointee.setBlocking(true)
        let descriptor = state.pointee.descriptor
        unlock()
        let result = csk_send(descriptor, bytes.baseAddress, bytes.count, flags | CSK_MSG_NOSIGNAL)
        lock()
        state.pointee.queue.removeFirst()
        if result == bytes.count {
          state.pointee.longestSent = max(state.pointee.longestSent, result)
        } else {
          state.pointee.end(IOResult(raw: result), length: bytes.count)
        }
        tellProgress()
        if state.pointee.hasWantedRoom { state.pointee.finishWithRoom() }
        continue
      }
      state.pointee.setBlocking(false)
      if state.pointee.mustShutDown {
        state.pointee.mustShutDown = false
        _ = RawDescriptor(state.pointee.descriptor).attemptShutdown(.write)
      }
      if state.pointee.isAbandoned { break }
      let isIdle = waitForWork(seconds: 1)
      if isIdle && state.pointee.queue.isEmpty { break }
    }
    state.pointee.threadRuns = false
    leave()
  }

  /// Handles a socket that closes while packets are queued; the caller holds the lock.
  ///
  /// Waits while the peer has free buffer space, then leaves the remaining packets to the thread.
  func outliveSocket() {
    while !state.pointee.queue.isEmpty && state.pointee.peerHasRoom { _ = waitForProgress(.milliseconds(1)) }
    if state.pointee.queue.isEmpty { return }
    let isWatched = start { argument in
      if let argument { PacketSenderShare(at: argument).watch() }
      return nil
    }
    // Without this thread, the time limit cannot be enforced, so the connection ends before the remaining packets are
    // sent.
    if !isWatched { _ = csk_shutdown(state.pointee.descriptor, CSK_SHUT_RDWR) }
  }

  /// Ends the connection of a closed socket when its peer stops receiving.
  private func watch() {
    lock()
    while !state.pointee.queue.isEmpty {
      if !waitForProgress(ForgottenSender.patience) {
        _ = csk_shutdown(state.pointee.descriptor, CSK_SHUT_RDWR)
        break
      }
    }
    leave()
  }
}
