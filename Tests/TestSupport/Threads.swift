internal import Glibc

/// Runs the body on a thread of its own and waits for it.
public func onThread<R>(_ body: @escaping () -> R) -> R {
  var result: R?
  withoutActuallyEscaping({ result = body() }) { run in spawn(run).join() }
  guard let result else { fatalError("the thread left no result") }
  return result
}

/// A thread under way.
public struct RunningThread {
  let thread: pthread_t

  public func join() { pthread_join(thread, nil) }

  /// Sends the signal to this very thread.
  public func signal(_ number: Int32) { pthread_kill(thread, number) }
}

/// Starts a thread.
public func spawn(_ body: @escaping () -> Void) -> RunningThread {
  final class Job {
    let body: () -> Void
    init(_ body: @escaping () -> Void) { self.body = body }
  }
  var thread = pthread_t()
  // The thread receives the pointer to the job and takes over its reference.
  let job = unsafe Unmanaged.passRetained(Job(body))
  let failure = unsafe pthread_create(
    &thread, nil,
    { argument in
      if let argument = unsafe argument { unsafe Unmanaged<Job>.fromOpaque(argument).takeRetainedValue().body() }
      return nil
    }, job.toOpaque())
  precondition(failure == 0, "no thread: \(failure)")
  return RunningThread(thread: thread)
}

/// A thread under way that gives a result.
public final class ThreadResult<R>: @unchecked Sendable {
  private var result: R?
  private var thread: RunningThread?

  public init(_ body: @escaping () -> R) { thread = spawn { self.result = body() } }

  public func join() -> R {
    thread?.join()
    guard let result else { fatalError("the thread left no result") }
    return result
  }
}

/// A socket that another thread may use too.
public final class Shared<S: ~Copyable & Sendable>: Sendable {
  public let value: S
  public init(_ value: consuming S) { self.value = value }
}

/// What the calling thread has used of the processor, in milliseconds.
public func threadCPUTime() -> Double { milliseconds(of: CLOCK_THREAD_CPUTIME_ID) }

/// Runs the body on a thread in a new network namespace, where not even loopback is up; nil when the kernel does not
/// let this process make one.
public func inNewNetworkNamespace<R>(_ body: @escaping () -> R) -> R? {
  onThread { unshare(0x4000_0000) == 0 ? body() : nil }
}

@_silgen_name("unshare") private func unshare(_ flags: Int32) -> Int32

/// Milliseconds of the monotonic clock.
public func milliseconds() -> Double { milliseconds(of: CLOCK_MONOTONIC) }

private func milliseconds(of clock: clockid_t) -> Double {
  var now = timespec()
  // The kernel writes the time only during the call.
  unsafe clock_gettime(clock, &now)
  return Double(now.tv_sec) * 1000 + Double(now.tv_nsec) / 1_000_000
}

public func sleep(milliseconds: UInt32) { usleep(milliseconds * 1000) }
