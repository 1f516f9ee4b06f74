internal import CSocketKit
public import SocketKitCore

/// Sends a socket's packets in order and never in part. A dedicated thread makes the blocking send calls.
///
/// ``VsockSequencedPacketSocket`` describes the behavior and the reason for it.
@frozen @safe
@usableFromInline
struct PacketSender: ~Copyable, @unchecked Sendable {
  // A raw pointer, because a class reference would be retained and released around every send. The socket is a user of
  // this memory (`PacketSenderShare`) until the socket is closed or destroyed.
  @usableFromInline let memory: UnsafeMutableRawPointer

  /// Takes ownership of the descriptor, because the number of the descriptor must not be reused while a packet is being
  /// sent.
  @usableFromInline
  init(_ descriptor: consuming Descriptor) { unsafe memory = PacketSenderShare(descriptor.release()).memory }

  @inlinable
  deinit { _ = unsafe Self.abandon(memory) }

  private var share: PacketSenderShare { unsafe PacketSenderShare(at: memory) }

  /// Closes the socket and returns the result of close(2). While packets are queued, the descriptor stays open and the
  /// result is 0.
  @usableFromInline
  consuming func close() -> Int {
    let memory = unsafe memory
    discard self
    return unsafe Self.abandon(memory)
  }

  /// Closes the socket as `close()` does.
  /// - Parameter memory: the shared memory. The socket is a user of this memory until this call returns.
  @usableFromInline
  static func abandon(_ memory: UnsafeMutableRawPointer) -> Int {
    let share = unsafe PacketSenderShare(at: memory)
    share.lock()
    share.state.finishWithRoom()
    share.state.isAbandoned = true
    if share.state.room >= 0 { _ = csk_close(share.state.room) }
    share.state.room = -1
    if !share.state.queue.isEmpty { share.outliveSocket() }
    // When no packets are queued, the thread does not use the descriptor.
    let result = share.state.queue.isEmpty ? share.state.closeDescriptor() : 0
    share.wakeThread()
    share.leave()
    return result
  }

  /// Waits until no packets are queued, then transfers ownership of the descriptor to the caller.
  @usableFromInline
  consuming func release() -> Descriptor {
    let share = share
    share.lock()
    while !share.state.queue.isEmpty { _ = share.waitForProgress(nil) }
    let number = RawDescriptor(share.state.descriptor)
    share.state.descriptor = -1
    share.unlock()
    // The sender no longer has the descriptor.
    return unsafe Descriptor(unsafeOwning: number)
  }

  /// The descriptor that a poller watches for writability. It is an event counter. While the queue is full, the counter
  /// is at its maximum and therefore not writable.
  @usableFromInline var source: RawDescriptor {
    let share = share
    share.lock()
    defer { share.unlock() }
    if share.state.room < 0 {
      let result = share.state.hasNoRoomSource ? -1 : csk_eventfd()
      // If no descriptor is available for the event counter, this property returns the socket's own descriptor. It then
      // always returns that descriptor, because a poller identifies a source by its number. A poller then reports the
      // socket as writable more often than necessary. Reports may be missing with edge triggering, but not with level
      // triggering.
      if result < 0 {
        share.state.hasNoRoomSource = true
        return RawDescriptor(share.state.descriptor)
      }
      share.state.room = Int32(truncatingIfNeeded: result)
      if share.state.wanted > 0 { share.state.setWritable(false) }
    }
    return RawDescriptor(share.state.room)
  }

  /// A send call with one of these flags fails: MSG_OOB (1) and MSG_ZEROCOPY. Of the other flags, only MSG_EOR has an
  /// effect.
  private static var refusedFlags: SendFlags { [.zeroCopy, SendFlags(rawValue: 1)] }

  @usableFromInline
  func attemptSend(_ bytes: Span<UInt8>, _ flags: SendFlags) -> IOResult {
    if bytes.isEmpty || bytes.count > Int32.max { return .failure(errno: CSK_EINVAL) }
    if !flags.isDisjoint(with: Self.refusedFlags) { return .failure(errno: CSK_EOPNOTSUPP) }
    let share = share
    let descriptor = share.descriptor
    let probe = descriptor.attemptEmptySend()
    share.lock()
    defer { share.unlock() }
    // The recorded failure takes precedence, because it is more specific than the error that the kernel returns now.
    if share.state.failure != 0 { return .failure(errno: share.state.failure) }
    if probe.isFailure { return probe.namingTransportReset(on: descriptor) }
    if share.state.isEnding { return .failure(errno: CSK_EPIPE) }
    if bytes.count > share.state.longest {
      let limit = share.state.learnLongest()
      if limit.isFailure { return limit }
      if bytes.count > share.state.longest { return .failure(errno: CSK_EMSGSIZE) }
    }
    if !share.state.queue.append(bytes, flags: flags.intersection(.endOfRecord).rawValue) {
      let size = PacketQueue.size(bytes.count)
      if !share.state.queue.isEmpty {
        share.state.wantRoom(size)
        return .wouldBlock
      }
      share.state.makeRoom(size)
      _ = share.state.queue.append(bytes, flags: flags.intersection(.endOfRecord).rawValue)
    }
    if share.state.threadRuns {
      share.wakeThread()
    } else if !share.startSending() {
      share.state.queue.removeAll()
      return .failure(errno: CSK_ENOMEM)
    }
    return IOResult(raw: bytes.count)
  }

  /// Shuts down one or both directions (shutdown(2)). Writing ends after the queued packets are sent.
  @usableFromInline
  func shutdown(_ direction: Int32) -> IOResult {
    let share = share
    share.lock()
    defer { share.unlock() }
    let descriptor = share.state.descriptor
    if direction == CSK_SHUT_RD || share.state.queue.isEmpty {
      let result = RawDescriptor(descriptor).attemptShutdown(ShutdownDirection(rawValue: direction) ?? .both)
      if !result.isFailure && direction != CSK_SHUT_RD { share.state.isEnding = true }
      return result
    }
    let result = direction == CSK_SHUT_RDWR ? csk_shutdown(descriptor, CSK_SHUT_RD) : 0
    if result >= 0 {
      share.state.isEnding = true
      share.state.mustShutDown = true
      // This wakes the callers that wait for queue space, because the socket accepts no more packets.
      share.state.finishWithRoom()
    }
    return IOResult(raw: result)
  }

  /// Returns 0 if no packet is queued, -EAGAIN if at least one packet is queued, or the error that ended the connection
  /// before all packets were sent.
  @usableFromInline
  func attemptFlush() -> IOResult {
    let share = share
    share.lock()
    defer { share.unlock() }
    if share.state.failure != 0 { return .failure(errno: share.state.failure) }
    if share.state.queue.isEmpty { return .zero }
    share.state.wantRoom(.max)
    return .wouldBlock
  }
}
