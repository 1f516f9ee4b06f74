internal import CSocketKit
public import SocketKitCore

/// Sends a socket's packets with blocking calls on a thread of its own, in order and whole: what
/// ``VsockSequencedPacketSocket`` says and why.
@frozen
@usableFromInline
struct PacketSender: ~Copyable, @unchecked Sendable {
  // Behind a bare pointer: a class would be retained and released around every send.
  @usableFromInline let memory: UnsafeMutableRawPointer

  /// Takes the descriptor over: its number must not become somebody else's while a packet is sent by it.
  @usableFromInline
  init(_ descriptor: consuming Descriptor) { memory = PacketSenderShare(descriptor.release()).memory }

  @inlinable
  deinit { _ = Self.abandon(memory) }

  private var share: PacketSenderShare { PacketSenderShare(at: memory) }

  /// Closes; what close(2) says, 0 when packets are left, with which the descriptor stays.
  @usableFromInline
  consuming func close() -> Int {
    let memory = memory
    discard self
    return Self.abandon(memory)
  }

  @usableFromInline
  static func abandon(_ memory: UnsafeMutableRawPointer) -> Int {
    let share = PacketSenderShare(at: memory)
    let state = share.state
    share.lock()
    state.pointee.finishWithRoom()
    state.pointee.isAbandoned = true
    if state.pointee.room >= 0 { _ = csk_close(state.pointee.room) }
    state.pointee.room = -1
    if !state.pointee.queue.isEmpty { share.outliveSocket() }
    // Without packets the thread has no business with it.
    let result = state.pointee.queue.isEmpty ? state.pointee.closeDescriptor() : 0
    share.wakeThread()
    share.leave()
    return result
  }

  /// Gives the descriptor away when all packets are sent: waits for that.
  @usableFromInline
  consuming func release() -> Descriptor {
    let share = share
    share.lock()
    while !share.state.pointee.queue.isEmpty { _ = share.waitForProgress(nil) }
    let number = RawDescriptor(share.state.pointee.descriptor)
    share.state.pointee.descriptor = -1
    share.unlock()
    return unsafe Descriptor(unsafeOwning: number)
  }

  /// What a poller watches for writing: an event counter that is full, hence not writable, while the queue is.
  @usableFromInline var source: RawDescriptor {
    let share = share
    let state = share.state
    share.lock()
    defer { share.unlock() }
    if state.pointee.room < 0 {
      let result = state.pointee.hasNoRoomSource ? -1 : csk_eventfd()
      // Without a descriptor to spare the socket's own will do, from then on, because a poller knows a source by its
      // number: it is reported too often, never too seldom, unless edge-triggered.
      if result < 0 {
        state.pointee.hasNoRoomSource = true
        return RawDescriptor(state.pointee.descriptor)
      }
      state.pointee.room = Int32(truncatingIfNeeded: result)
      if state.pointee.wanted > 0 { state.pointee.setWritable(false) }
    }
    return RawDescriptor(state.pointee.room)
  }

  /// MSG_OOB (1) and MSG_ZEROCOPY. Of the others only the end of a record means anything here.
  private static var refusedFlags: SendFlags { [.zeroCopy, SendFlags(rawValue: 1)] }

  @usableFromInline
  func attemptSend(_ bytes: RawSpan, _ flags: SendFlags) -> IOResult {
    if bytes.isEmpty || bytes.byteCount > Int32.max { return .failure(errno: CSK_EINVAL) }
    if !flags.isDisjoint(with: Self.refusedFlags) { return .failure(errno: CSK_EOPNOTSUPP) }
    let share = share
    let state = share.state
    // The socket is this one's while it is borrowed, so the number needs no lock.
    let descriptor = RawDescriptor(state.pointee.descriptor)
    // A send of nothing: the kernel looks at the connection and sends nothing (net/vmw_vsock/af_vsock.c).
    let probe = IOResult(raw: csk_send(descriptor.value, nil, 0, CSK_MSG_NOSIGNAL | CSK_MSG_DONTWAIT))
    share.lock()
    defer { share.unlock() }
    // What ended the connection here says more than what the kernel has left of it.
    if state.pointee.failure != 0 { return .failure(errno: state.pointee.failure) }
    if probe.isFailure { return probe.namingTransportReset(on: descriptor) }
    if state.pointee.isEnding { return .failure(errno: CSK_EPIPE) }
    if bytes.byteCount > state.pointee.longest {
      let limit = state.pointee.learnLongest()
      if limit.isFailure { return limit }
      if bytes.byteCount > state.pointee.longest { return .failure(errno: 90) }
    }
    if !state.pointee.queue.append(bytes, flags: flags.intersection(.endOfRecord).rawValue) {
      let size = PacketQueue.size(bytes.byteCount)
      if !state.pointee.queue.isEmpty {
        state.pointee.wantRoom(size)
        return .wouldBlock
      }
      state.pointee.makeRoom(size)
      _ = state.pointee.queue.append(bytes, flags: flags.intersection(.endOfRecord).rawValue)
    }
    if state.pointee.threadRuns {
      share.wakeThread()
    } else if !share.startSending() {
      state.pointee.queue.removeAll()
      return .failure(errno: CSK_ENOMEM)
    }
    return IOResult(raw: bytes.byteCount)
  }

  /// shutdown(2), the end of writing behind the queued packets.
  @usableFromInline
  func shutdown(_ direction: Int32) -> IOResult {
    let share = share
    let state = share.state
    share.lock()
    defer { share.unlock() }
    let descriptor = state.pointee.descriptor
    if direction == CSK_SHUT_RD || state.pointee.queue.isEmpty {
      let result = RawDescriptor(descriptor).attemptShutdown(ShutdownDirection(rawValue: direction) ?? .both)
      if !result.isFailure && direction != CSK_SHUT_RD { state.pointee.isEnding = true }
      return result
    }
    let result = direction == CSK_SHUT_RDWR ? csk_shutdown(descriptor, CSK_SHUT_RD) : 0
    if result >= 0 {
      state.pointee.isEnding = true
      state.pointee.mustShutDown = true
      // Who waits for room learns that there will be none.
      state.pointee.finishWithRoom()
    }
    return IOResult(raw: result)
  }

  /// 0 when no packet waits, -EAGAIN when one does; or what ended the connection with packets unsent.
  @usableFromInline
  func attemptFlush() -> IOResult {
    let share = share
    let state = share.state
    share.lock()
    defer { share.unlock() }
    if state.pointee.failure != 0 { return .failure(errno: state.pointee.failure) }
    if state.pointee.queue.isEmpty { return .zero }
    state.pointee.wantRoom(.max)
    return .wouldBlock
  }
}
