internal import CSocketKit

/// Wakes threads whose wait the kernel does not end when a shutdown ends the direction that they wait for.
///
/// poll(2) on Unix and vsock sockets does not report `shutdown(.write)` while the send buffer is full
/// (net/unix/af_unix.c, net/vmw_vsock/af_vsock.c), and vsock listeners cannot be shut down at all. So a thread that
/// waits to write or to accept for longer than ``patience`` registers an event descriptor here, and a shutdown through
/// this library signals it. Before that, the thread sleeps for at most ``patience`` without registration, and then
/// tries again.
enum ShutdownNotices {
  private struct State {
    var generation: UInt32 = 0
    var waiting: [RawDescriptor] = []
  }
  private static let state = Guarded(State())

  /// The time in nanoseconds that a wait lasts before it registers.
  static var patience: Int64 { 20_000_000 }

  /// Counts the shutdowns.
  static var generation: UInt32 { state.withLock { $0.generation } }

  /// Registers a thread's event descriptor.
  /// - Returns: the generation. If it differs from the generation before the last try, try again: the thread may have
  ///   missed the notice.
  static func enter(_ bell: RawDescriptor) -> UInt32 {
    state.withLock { state in
      state.waiting.append(bell)
      return state.generation
    }
  }

  static func leave(_ bell: RawDescriptor) {
    state.withLock { state in state.waiting.removeAll { $0 == bell } }
  }

  /// Wakes all registered threads. Call it after shutdown(2). It wakes all of them because several descriptors may
  /// refer to one socket (dup(2)). A thread whose socket was not shut down makes one unnecessary try.
  static func announce() {
    state.withLock { state in
      state.generation &+= 1
      for bell in state.waiting { _ = csk_event_signal(bell.value) }
    }
  }
}

extension RawDescriptor {
  /// For implementers: calls shutdown(2). Calls of this process that wait to write on the descriptor try again, even
  /// where the kernel does not wake them.
  /// - Returns: 0 or -errno.
  public func attemptShutdown(_ direction: ShutdownDirection) -> IOResult {
    let result = IOResult(raw: csk_shutdown(value, direction.rawValue))
    ShutdownNotices.announce()
    return result
  }
}
