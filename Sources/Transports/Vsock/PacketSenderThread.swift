internal import CSocketKit
internal import Glibc
internal import SocketKitCore
internal import Synchronization

/// How long the peer of a sender whose socket is gone may receive nothing, before what waits is given up. A minute; a test
/// has less patience.
package enum ForgottenSender {
  private static let milliseconds = Atomic<Int>(60_000)

  package static var patience: Duration {
    get { .milliseconds(milliseconds.load(ordering: .relaxed)) }
    set { milliseconds.store(Int(newValue / .milliseconds(1)), ordering: .relaxed) }
  }
}

// The thread of a packet sender, and the one that gives a forgotten sender up.
extension PacketSenderShare {
  /// Starts the thread, with the lock held; false when the system has none to give.
  @inline(never)
  func startSending() -> Bool {
    state.pointee.threadRuns = start { argument in
      if let argument { PacketSenderShare(at: argument).serve() }
      return nil
    }
    return state.pointee.threadRuns
  }

  /// A detached thread that uses the share and that no signal reaches: one amid a send would tear the packet.
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

  /// The socket closes while packets wait, with the lock held: waits for what the peer has room for, and leaves the rest
  /// to the thread.
  func outliveSocket() {
    while !state.pointee.queue.isEmpty && state.pointee.peerHasRoom { _ = waitForProgress(.milliseconds(1)) }
    if state.pointee.queue.isEmpty { return }
    let isWatched = start { argument in
      if let argument { PacketSenderShare(at: argument).watch() }
      return nil
    }
    // Nobody to keep the time: the connection ends before what is left of the packets.
    if !isWatched { _ = csk_shutdown(state.pointee.descriptor, CSK_SHUT_RDWR) }
  }

  /// Ends the connection of a forgotten sender when its peer receives nothing any more.
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
