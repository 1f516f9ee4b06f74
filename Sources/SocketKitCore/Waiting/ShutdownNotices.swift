internal import CSocketKit

/// Wakes threads that wait where the kernel does not report the end of the waiting direction.
///
/// poll(2) on Unix and vsock sockets does not report `shutdown(.write)` while the send buffer is full
/// (net/unix/af_unix.c, net/vmw_vsock/af_vsock.c), and vsock listeners cannot be shut down at all. So a thread that
/// waits to write or to accept for longer than ``patience`` registers an event descriptor here, and a shutdown through
/// this library signals it. A shorter wait does not register; it tries again when that time has passed.
enum ShutdownNotices {
  private struct State {
    var generation: UInt32 = 0
    var waiting: [RawDescriptor] = []
  }
  private static let state = Guarded(State())

  /// How long a wait goes on without registration.
  static var patience: Int64 { 20_000_000 }

  /// Counts the shutdowns.
  static var generation: UInt32 { state.withLock { $0.generation } }

  /// Registers a thread's event descriptor.
  /// - Returns: the generation. When it differs from the one before the last try, try again: the notice may have been
  ///   missed.
  static func enter(_ bell: RawDescriptor) -> UInt32 {
    state.withLock { state in
      state.waiting.append(bell)
      return state.generation
    }
  }

  static func leave(_ bell: RawDescriptor) {
    state.withLock { state in state.waiting.removeAll { $0 == bell } }
  }

  /// Wakes the threads that are registered. Call it after shutdown(2). All of them, because several descriptors may
  /// name one socket (dup(2)); one whose socket was not shut down tries once more than it has to.
  static func announce() {
    state.withLock { state in
      state.generation &+= 1
      for bell in state.waiting { _ = csk_event_signal(bell.value) }
    }
  }
}

extension RawDescriptor {
  /// For implementers: shutdown(2). Calls of this process that wait to write on the descriptor try again, also where
  /// the kernel does not wake them.
  /// - Returns: 0 or -errno.
  public func attemptShutdown(_ direction: ShutdownDirection) -> IOResult {
    let result = IOResult(raw: csk_shutdown(value, direction.rawValue))
    ShutdownNotices.announce()
    return result
  }
}
