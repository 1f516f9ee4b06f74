internal import Glibc
internal import SocketKitCore

/// Runs the body on a new thread, and waits until the thread has exited. The thread exits when the body has returned.
/// Use this function for calls that change the state of the thread.
func onThreadOfItsOwn<R: ~Copyable & Sendable>(_ body: () throws -> R) throws -> R {
  try withoutActuallyEscaping(body) { body throws -> R in
    let job = BodyJob<R>(body)
    var thread = pthread_t()
    // The argument is the job, which exists until the thread has ended. This function uses the job only after
    // pthread_join(3).
    let failure = unsafe pthread_create(
      &thread, nil,
      { argument in
        if let argument = unsafe argument {
          unsafe Unmanaged<ThreadJob>.fromOpaque(argument).takeUnretainedValue().run()
        }
        return nil
      }, Unmanaged<ThreadJob>.passUnretained(job).toOpaque())
    if failure != 0 { throw SocketError(threadFailure: failure, .enterNamespace) }
    pthread_join(thread, nil)
    return try withExtendedLifetime(job) { try job.takeResult() }
  }
}

private class ThreadJob {
  func run() {}
}

/// The body, and its result after the thread has run.
private final class BodyJob<R: ~Copyable & Sendable>: ThreadJob {
  private let body: () throws -> R
  private var value: R?
  private var error: (any Error)?

  init(_ body: @escaping () throws -> R) { self.body = body }

  override func run() {
    do {
      value = try body()
    } catch {
      self.error = error
    }
  }

  func takeResult() throws -> R {
    if let error { throw error }
    guard let taken = value.take() else { fatalError("the thread has not run") }
    return taken
  }
}
