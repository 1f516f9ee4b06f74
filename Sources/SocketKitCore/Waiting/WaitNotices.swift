internal import CSocketKit

/// Wakes threads whose wait the kernel does not end.
///
/// - **Shutdowns.** poll(2) on Unix and vsock sockets does not report `shutdown(.write)` while the send buffer is full
///   (net/unix/af_unix.c, net/vmw_vsock/af_vsock.c), and vsock listeners cannot be shut down at all.
/// - **Changes of a socket that holds bytes.** The kernel does not know what a wrapper holds: see ``Interest/changes``.
///
/// A thread that waits for one of these for longer than ``patience`` registers an event descriptor here, and a shutdown
/// or a change through this library signals it. Before that, the thread sleeps for at most ``patience`` without
/// registration, and then tries again.
enum WaitNotices {
  private struct State {
    /// Counts the shutdowns.
    var shutdowns: UInt32 = 0
    /// Counts the changes, by the lowest bits of the descriptor's number. Where two sockets share a count, a thread
    /// makes an unnecessary try.
    var changes: InlineArray<64, UInt32> = .init(repeating: 0)
    var waiting: [(bell: RawDescriptor, changing: RawDescriptor?)] = []

    func generation(_ changing: RawDescriptor?) -> UInt32 {
      guard let changing else { return shutdowns }
      return shutdowns &+ changes[Self.place(of: changing)]
    }

    static func place(of descriptor: RawDescriptor) -> Int { Int(descriptor.value & 63) }
  }
  private static let state = Guarded(State())

  /// The time in nanoseconds that a wait lasts before it registers.
  static var patience: Int64 { 20_000_000 }

  /// Returns a number that differs after a shutdown, and after a change of the given descriptor's socket.
  /// - Parameter changing: the descriptor whose changes the thread waits for; nil when it waits for shutdowns only.
  static func generation(_ changing: RawDescriptor?) -> UInt32 { state.withLock { $0.generation(changing) } }

  /// Registers a thread's event descriptor.
  /// - Returns: the generation. If it differs from the generation before the last try, try again: the thread may have
  ///   missed the notice.
  static func enter(_ bell: RawDescriptor, _ changing: RawDescriptor?) -> UInt32 {
    state.withLock { state in
      state.waiting.append((bell, changing))
      return state.generation(changing)
    }
  }

  static func leave(_ bell: RawDescriptor) {
    state.withLock { state in state.waiting.removeAll { $0.bell == bell } }
  }

  /// Wakes all registered threads. Call it after shutdown(2). It wakes all of them because several descriptors may
  /// refer to one socket (dup(2)). A thread whose socket was not shut down makes one unnecessary try.
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
  /// For implementers: calls shutdown(2). Calls of this process that wait to write on the descriptor try again, even
  /// where the kernel does not wake them.
  /// - Returns: 0 or -errno.
  public func attemptShutdown(_ direction: ShutdownDirection) -> IOResult {
    let result = IOResult(raw: csk_shutdown(value, direction.rawValue))
    WaitNotices.announce()
    return result
  }
}
