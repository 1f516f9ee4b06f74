internal import CSocketKit
internal import Glibc
internal import SocketKitCore

// The thread of a packet sender, and the one that gives a forgotten sender up.
extension PacketSenderState {
  /// Starts the thread, with the lock held; false when the system has none to give.
  @inline(never)
  static func startSending(_ state: UnsafeMutablePointer<PacketSenderState>) -> Bool {
    state.pointee.threadRuns = start(state) { argument in
      if let argument { PacketSenderState.serve(argument.assumingMemoryBound(to: PacketSenderState.self)) }
      return nil
    }
    return state.pointee.threadRuns
  }

  /// A detached thread that uses the state and that no signal reaches: one amid a send would tear the packet.
  private static func start(
    _ state: UnsafeMutablePointer<PacketSenderState>,
    _ body: @convention(c) (UnsafeMutableRawPointer?) -> UnsafeMutableRawPointer?
  ) -> Bool {
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
    if pthread_create(&thread, &attributes, body, state) == 0 { return true }
    state.pointee.users -= 1
    return false
  }

  private static func serve(_ state: UnsafeMutablePointer<PacketSenderState>) {
    state.pointee.lock()
    while true {
      if let (bytes, flags) = state.pointee.queue.first {
        state.pointee.setBlocking(true)
        let descriptor = state.pointee.descriptor
        state.pointee.unlock()
        let result = csk_send(descriptor, bytes.baseAddress, bytes.count, flags | CSK_MSG_NOSIGNAL)
        state.pointee.lock()
        state.pointee.queue.removeFirst()
        if result != bytes.count { state.pointee.end(IOResult(raw: result)) }
        state.pointee.tellProgress()
        if state.pointee.queue.isEmpty || state.pointee.hasWantedRoom { state.pointee.finishWithRoom() }
        continue
      }
      state.pointee.setBlocking(false)
      if state.pointee.mustShutDown {
        state.pointee.mustShutDown = false
        _ = csk_shutdown(state.pointee.descriptor, CSK_SHUT_WR)
      }
      if state.pointee.isAbandoned { break }
      let isIdle = state.pointee.waitForWork(seconds: 1)
      if isIdle && state.pointee.queue.isEmpty { break }
    }
    state.pointee.threadRuns = false
    leave(state)
  }

  private var hasWantedRoom: Bool { wanted > 0 && wanted != .max && queue.hasRoom(for: wanted) }

  /// A packet could not be sent, or in part: nothing may follow it.
  private mutating func end(_ result: IOResult) {
    queue.removeAll()
    switch result.errno {
    // Stopped and continued (a signal, a debugger): what of the packet was sent is not known.
    case CSK_EINTR: failure = CSK_ECONNABORTED
    case CSK_EAGAIN: failure = CSK_ETIMEDOUT
    // Longer than the peer's buffer: EMSGSIZE, out of which older kernels make ENOMEM.
    case CSK_ENOMEM: failure = 90
    case 0: failure = CSK_EPROTO
    default: failure = result.namingTransportReset(on: RawDescriptor(descriptor)).errno
    }
    // A peer that only reads no more may still have something to say.
    if failure != CSK_EPIPE { _ = csk_shutdown(descriptor, CSK_SHUT_RDWR) }
  }

  /// The socket closes while packets wait, with the lock held: waits for what the peer has room for, and leaves the rest
  /// to the thread.
  static func outliveSocket(_ state: UnsafeMutablePointer<PacketSenderState>) {
    while !state.pointee.queue.isEmpty && state.pointee.peerHasRoom {
      _ = state.pointee.waitForProgress(.milliseconds(1))
    }
    if state.pointee.queue.isEmpty { return }
    let copy = csk_fcntl(state.pointee.descriptor, 1030, 0)
    if copy < 0 {
      // No descriptor to spare: the connection ends before what is left of the packets.
      _ = csk_shutdown(state.pointee.descriptor, CSK_SHUT_RDWR)
      while !state.pointee.queue.isEmpty { _ = state.pointee.waitForProgress(nil) }
      return
    }
    state.pointee.descriptor = Int32(truncatingIfNeeded: copy)
    state.pointee.ownsDescriptor = true
    _ = start(state) { argument in
      if let argument { PacketSenderState.watch(argument.assumingMemoryBound(to: PacketSenderState.self)) }
      return nil
    }
  }

  private var peerHasRoom: Bool {
    var watched = csk_pollfd(fd: descriptor, events: Int16(CSK_POLLOUT), revents: 0)
    var time = csk_timespec()
    return csk_ppoll(&watched, 1, &time) == 1 && Int32(watched.revents) & CSK_POLLOUT != 0
  }

  /// Ends the connection of a forgotten sender when for a minute its peer has received nothing.
  private static func watch(_ state: UnsafeMutablePointer<PacketSenderState>) {
    state.pointee.lock()
    while !state.pointee.queue.isEmpty {
      if !state.pointee.waitForProgress(.seconds(60)) {
        _ = csk_shutdown(state.pointee.descriptor, CSK_SHUT_RDWR)
        break
      }
    }
    leave(state)
  }
}
