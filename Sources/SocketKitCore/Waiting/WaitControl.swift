internal import CSocketKit
internal import Synchronization

/// The handle by which other threads act on a waiting call: end it, or change its deadline while it waits.
///
/// One control may serve any number of waits, at the same time too; give reads and writes a control each to treat them
/// apart. Cancelling is how a connection is closed under a pending operation: the waits end with `.cancelled`, the
/// threads drop their borrows, and the descriptor closes with the socket's life, never under somebody's system call.
public final class WaitControl: Sendable {
  private struct Bells {
    var free: [RawDescriptor] = []
    var hung: [RawDescriptor] = []
  }
  private let cancelled = Atomic<Bool>(false)
  private let limit = Atomic<Int64>(.max)
  private let bells = Guarded(Bells())

  public init() {}

  deinit {
    bells.withLock { bells in
      for bell in bells.free + bells.hung { _ = csk_close(bell.value) }
    }
  }

  /// Ends every wait that uses this control, now and from now on, with `.cancelled`. For good: a control is not reused.
  public func cancel() {
    cancelled.store(true, ordering: .sequentiallyConsistent)
    ring()
  }

  /// Sets the deadline of every wait that uses this control, pending ones too; the earlier of this and the call's own
  /// counts. ``Deadline/never`` takes it away.
  public func setDeadline(_ deadline: Deadline) {
    limit.store(deadline.nanoseconds, ordering: .sequentiallyConsistent)
    ring()
  }

  public var isCancelled: Bool { cancelled.load(ordering: .acquiring) }
  /// The deadline last set; ``Deadline/never`` at first.
  public var deadline: Deadline { Deadline(nanoseconds: limit.load(ordering: .acquiring)) }

  private func ring() {
    bells.withLock { bells in
      for bell in bells.hung { _ = csk_event_signal(bell.value) }
    }
  }

  /// Hangs up a bell for one parked thread: each has its own, so that none can take another's call.
  func enter(_ operation: SocketError.Operation) throws(SocketError) -> RawDescriptor {
    let result = bells.withLock { bells -> IOResult in
      if let bell = bells.free.popLast() {
        bells.hung.append(bell)
        return IOResult(raw: Int(bell.value))
      }
      let result = IOResult(raw: csk_eventfd())
      if !result.isFailure { bells.hung.append(RawDescriptor(Int32(truncatingIfNeeded: result.raw))) }
      return result
    }
    if result.isFailure { throw SocketError(result, operation) }
    return RawDescriptor(Int32(truncatingIfNeeded: result.raw))
  }

  func leave(_ bell: RawDescriptor) {
    bells.withLock { bells in
      // Under the lock: no call can come between the removal and the drain.
      bells.hung.removeAll { $0 == bell }
      _ = csk_event_drain(bell.value)
      bells.free.append(bell)
    }
  }
}
