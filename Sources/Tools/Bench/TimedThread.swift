internal import CSocketKit
internal import Glibc
internal import SocketKitCore
internal import SocketKitToolSupport

/// A thread whose result can be awaited with a time limit. It inherits CPU affinity and scheduling from the thread that
/// creates it.
final class TimedThread<R: Sendable>: Sendable {
  private let result = Guarded<Result<R, any Error>?>(nil)
  private let bell: Int32

  init(_ body: @escaping @Sendable () throws -> R) throws {
    bell = Int32(truncatingIfNeeded: try checked(csk_eventfd(), "creating an event descriptor"))
    // The thread retains this object, and thereby the event descriptor, until the thread ends. The thread takes over
    // the reference to the job. If no thread can be created, this initializer releases the reference.
    let job = unsafe Unmanaged.passRetained(
      Job { [self] in
        let outcome = Result(catching: body)
        result.withLock { $0 = outcome }
        _ = csk_event_signal(bell)
      })
    var thread = pthread_t()
    let failure = unsafe pthread_create(
      &thread, nil,
      { argument in
        if let argument = unsafe argument { unsafe Unmanaged<Job>.fromOpaque(argument).takeRetainedValue().body() }
        return nil
      }, job.toOpaque())
    if failure != 0 {
      unsafe job.release()
      throw ToolError("starting a thread: \(systemText(failure))")
    }
    pthread_detach(thread)
  }

  deinit { close(bell) }

  /// Returns the result, or nil if the time limit passes first; the thread then continues to run.
  func outcome(within seconds: Double) -> Result<R, any Error>? {
    let end = csk_monotonic_nanoseconds() + Int64(seconds * 1e9)
    while true {
      let left = max(0, end - csk_monotonic_nanoseconds())
      // Round up, so that the loop does not spin during the last millisecond.
      let hasEnded = waitForEvent(POLLIN, of: bell, milliseconds: Int32(clamping: (left + 999_999) / 1_000_000))
      if hasEnded || left == 0 { return result.withLock { $0 } }
    }
  }
}

/// The body of a thread. The type is not nested, because a C function cannot refer to a type that depends on a generic
/// parameter.
private final class Job: Sendable {
  let body: @Sendable () -> Void
  init(_ body: @escaping @Sendable () -> Void) { self.body = body }
}
