internal import CSocketKit
public import SocketKitCore

/// Sends a socket's packets in order, and each packet whole, with blocking calls on a dedicated thread.
///
/// ``VsockSequencedPacketSocket`` describes the behavior and the reason for it.
@frozen
@usableFromInline
struct PacketSender: ~Copyable, @unchecked Sendable {
  // A raw pointer, because a class reference would be retained and released around every send.
  @usableFromInline let memory: UnsafeMutableRawPointer

  /// Takes ownership of the descriptor, because the number of the descriptor must not be reused while a packet is being
  /// sent.
  @usableFromInline
  init(_ descriptor: consuming Descriptor) { memory = PacketSenderShare(descriptor.release()).memory }

  @inlinable
  deinit { _ = Self.abandon(memory) }

  private var share: PacketSenderShare { PacketSenderShare(at: memory) }

  /// Closes the socket and returns the result of close(2). While packets are queued, the descriptor stays open and the
  /// result is 0.
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
    // When no packets are queued, the thread does not use the descriptor.
    let result = state.pointee.queue.isEmpty ? state.pointee.closeDescriptor() : 0
    share.wakeThread()
    share.leave()
    return result
  }

  /// Waits until no packets are queued, then transfers ownership of the descriptor to the caller.
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

  /// The descriptor that a poller watches for writability. It is an event counter. While the queue is full, the counter
  /// is at its maximum and therefore not writable.
  @usableFromInline var source: RawDescriptor {
    let share = share
    let state = share.state
    share.lock()
    defer { share.unlock() }
    if state.pointee.room < 0 {
      let result = state.pointee.hasNoRoomSource ? -1 : csk_eventfd()
      // If no descriptor is available for the event counter, this property returns the socket's own descriptor from
      // then on, because a poller identifies a source by its number. In that case a poller reports the socket as
      // writable more often than necessary. It omits no report, except with edge triggering.
      if result < 0 {
        state.pointee.hasNoRoomSource = true
        return RawDescriptor(state.pointee.descriptor)
      }
      state.pointee.room = Int32(truncatingIfNeeded: result)
      if state.pointee.wanted > 0 { state.pointee.setWritable(false) }
    }
    return RawDescriptor(state.pointee.room)
  }

  /// A send with one of these flags fails: MSG_OOB (1) and MSG_ZEROCOPY. Of the other flags, only MSG_EOR has an
  /// effect.
  private static var refusedFlags: SendFlags { [.zeroCopy, SendFlags(rawValue: 1)] }

  @usableFromInline
  func attemptSend(_ bytes: Span<UInt8>, _ flags: SendFlags) -> IOResult {
    if bytes.isEmpty || bytes.count > Int32.max { return .failure(errno: CSK_EINVAL) }
    if !flags.isDisjoint(with: Self.refusedFlags) { return .failure(errno: CSK_EOPNOTSUPP) }
    let share = share
    let state = share.state
    // The socket is borrowed during this call, so the descriptor does not change and is read without the lock.
    let descriptor = RawDescriptor(state.pointee.descriptor)
    // For an empty send, the kernel checks the connection and sends nothing (net/vmw_vsock/af_vsock.c).
    let probe = IOResult(raw: csk_send(descriptor.value, nil, 0, CSK_MSG_NOSIGNAL | CSK_MSG_DONTWAIT))
    share.lock()
    defer { share.unlock() }
    // The recorded failure takes precedence, because it is more specific than the error that the kernel returns now.
    if state.pointee.failure != 0 { return .failure(errno: state.pointee.failure) }
    if probe.isFailure { return probe.namingTransportReset(on: descriptor) }
    if state.pointee.isEnding { return .failure(errno: CSK_EPIPE) }
    if bytes.count > state.pointee.longest {
      let limit = state.pointee.learnLongest()
      if limit.isFailure { return limit }
      if bytes.count > state.pointee.longest { return .failure(errno: CSK_EMSGSIZE) }
    }
    if !state.pointee.queue.append(bytes, flags: flags.intersection(.endOfRecord).rawValue) {
      let size = PacketQueue.size(bytes.count)
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
    return IOResult(raw: bytes.count)
  }

  /// Shuts down one or both directions (shutdown(2)). Writing ends after the queued packets are sent.
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
      // This wakes the callers that wait for queue space, because the socket accepts no more packets.
      state.pointee.finishWithRoom()
    }
    return IOResult(raw: result)
  }

  /// Returns 0 if no packet is queued, -EAGAIN if at least one packet is queued, or the error that ended the connection
  /// before all packets were sent.
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
