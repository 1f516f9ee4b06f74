internal import CSocketKit

/// Wakes waiting threads that the kernel does not wake.
///
/// - **Shutdowns.** poll(2) on Unix and vsock sockets does not report `shutdown(.write)` while the send buffer is full
///   (net/unix/af_unix.c, net/vmw_vsock/af_vsock.c). The kernel refuses to shut down vsock listeners.
/// - **Changes of a wrapper.** The kernel cannot report the bytes that a wrapper has already read from the kernel and
///   buffers itself: see ``Interest/changes``.
///
/// A thread first sleeps for at most ``patience`` without a registration, and then tries again. If it must wait longer
/// for a shutdown or a change, it registers an event descriptor in this type. When a call of this library shuts down a
/// socket or announces a change, it signals the registered descriptors.
enum WaitNotices {
  private struct State {
    /// The number of shutdowns.
    var shutdowns: UInt32 = 0
    /// The counters of changes. The low six bits of a descriptor's number are the index of the counter for this
    /// descriptor. If two sockets share a counter, a thread may make an unnecessary attempt.
    var changes: InlineArray<64, UInt32> = .init(repeating: 0)
    var waiting: [(bell: RawDescriptor, changing: RawDescriptor?)] = []

    func generation(_ changing: RawDescriptor?) -> UInt32 {
      guard let changing else { return shutdowns }
      return shutdowns &+ changes[Self.place(of: changing)]
    }

    static func place(of descriptor: RawDescriptor) -> Int { Int(descriptor.value & 63) }
  }
  private static let state = Guarded(State())

  /// The time in nanoseconds that a thread waits before it registers for notices.
  static var patience: Int64 { 20_000_000 }

  /// Returns a number that changes when this library shuts down any socket, and when a change of the given descriptor's
  /// socket is announced.
  /// - Parameter changing: the descriptor whose changes the thread waits for, or nil if the thread waits only for
  ///   shutdowns.
  static func generation(_ changing: RawDescriptor?) -> UInt32 { state.withLock { $0.generation(changing) } }

  /// Registers a thread's event descriptor.
  /// - Returns: the generation. If it differs from the generation before the last attempt, try again, because the
  ///   thread may have missed the notice.
  static func enter(_ bell: RawDescriptor, _ changing: RawDescriptor?) -> UInt32 {
    state.withLock { state in
      state.waiting.append((bell, changing))
      return state.generation(changing)
    }
  }

  static func leave(_ bell: RawDescriptor) {
    state.withLock { state in state.waiting.removeAll { $0.bell == bell } }
  }

  /// Wakes all registered threads. Call this function after shutdown(2). It wakes all threads, because several
  /// descriptors may refer to the same socket (dup(2)). A thread whose socket was not shut down makes one unnecessary
  /// attempt.
  static func announce() {
    state.withLock { state in
      state.shutdowns &+= 1
      for waiter in state.waiting { _ = csk_event_signal(waiter.bell.value) }
    }
  }

  /// Wakes the registered threads that wait for changes of the descriptor's socket.
  static func announceChange(of descriptor: RawDescriptor) {
    state.withLock { state in
      state.changes[State.place(of: descriptor)] &+= 1
      for waiter in state.waiting where waiter.changing == descriptor { _ = csk_event_signal(waiter.bell.value) }
    }
  }
}

extension RawDescriptor {
  /// For implementers of wrappers that buffer bytes themselves: wakes the threads that wait for this source, so that
  /// they try again. Call this method after a change of ``Watchable/pending`` or ``Watchable/sources(for:)``, when the
  /// thread no longer holds a lock of the wrapper. Call it on the socket's ``Watchable/readSource``, and on its
  /// ``Watchable/writeSource`` if that is a different descriptor.
  ///
  /// This method does not wake a thread that has waited for less than 20 milliseconds. Such a thread tries again when
  /// this time has passed. The method acquires a lock, but is cheap enough to call after each read from the kernel. It
  /// has no effect on a thread for which the last result of ``Watchable/sources(for:)`` did not contain
  /// ``Interest/changes``.
  public func announceChanges() { WaitNotices.announceChange(of: self) }

  /// For implementers: calls shutdown(2). If a thread of this process waits in a write or an accept on the descriptor,
  /// the thread then tries again, even if the kernel does not wake it.
  /// - Returns: 0 or -errno.
  public func attemptShutdown(_ direction: ShutdownDirection) -> IOResult {
    let result = IOResult(raw: csk_shutdown(value, direction.rawValue))
    WaitNotices.announce()
    return result
  }
}
