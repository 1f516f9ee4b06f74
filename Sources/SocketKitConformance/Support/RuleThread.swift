internal import SocketKitCore
internal import Synchronization

/// A dedicated thread of a rule. Blocking calls would stall Swift's own thread pool, which has only one thread per CPU.
final class RuleThread<Value: Sendable>: @unchecked Sendable {
  private var outcome: Result<Value, any Error>?
  private let done = Gate()

  init(_ body: @escaping @Sendable () throws -> Value) {
    let box = BodyBox(body)
    startThread { [self] in
      outcome = Result { try box.run() }
      done.open()
    }
  }

  /// Returns the result, or nil if the thread does not end within the limit; the thread then continues to run.
  func result(within limit: Duration) -> Result<Value, any Error>? {
    done.wait(within: limit) ? outcome : nil
  }

  /// Whether the thread has ended with an error.
  var hasFailed: Bool {
    if case .failure = result(within: .zero) { true } else { false }
  }

  /// Waits for the thread to end, and rethrows its error.
  @discardableResult
  func join(within limit: Duration = Times.limit + .seconds(1)) throws -> Value {
    guard let result = result(within: limit) else {
      throw ConformanceFailure("a thread of the rule did not end within \(limit)")
    }
    return try result.get()
  }
}

/// Releases the body, and with it the sockets that it captures, before the thread reports that it has ended.
private final class BodyBox<Value>: @unchecked Sendable {
  private var body: (@Sendable () throws -> Value)?
  init(_ body: @escaping @Sendable () throws -> Value) { self.body = body }

  func run() throws -> Value {
    guard let body = body.take() else { throw ConformanceFailure("a thread's body ran twice") }
    return try body()
  }
}

/// A noncopyable value that several threads share.
///
/// Call `close()` at the end of a rule that passes. The call also keeps the value alive until then. After a failure, do
/// not call `close()`: the value is destroyed with the last reference.
///
/// `init` allocates the memory, and `deinit` frees it. The memory contains the value until `close()` is called. Every
/// access checks that `close()` was not called.
@safe final class Shared<Value: ~Copyable>: @unchecked Sendable {
  private let memory: UnsafeMutablePointer<Value>
  private var isClosed = false

  init(_ value: consuming Value) {
    unsafe memory = .allocate(capacity: 1)
    unsafe memory.initialize(to: value)
  }

  deinit {
    close()
    unsafe memory.deallocate()
  }

  var value: Value {
    _read {
      precondition(!isClosed, "the shared value was used after close()")
      yield unsafe memory.pointee
    }
    _modify {
      precondition(!isClosed, "the shared value was used after close()")
      yield unsafe &memory.pointee
    }
  }

  var isOpen: Bool { !isClosed }

  /// Destroys the value. No other thread may use the value during the call.
  func close() {
    if !isClosed { unsafe memory.deinitialize(count: 1) }
    isClosed = true
  }
}

/// A counter that several threads increment.
final class Counter: Sendable {
  private let number = Atomic<Int>(0)
  var count: Int { number.load(ordering: .acquiring) }
  func increment(by step: Int = 1) { number.add(step, ordering: .acquiringAndReleasing) }

  /// Waits until the counter exceeds `count`. Returns false if this takes as long as the time-out of a wait for an
  /// event.
  func awaitMore(than count: Int) -> Bool {
    let deadline = Deadline.after(Times.patience)
    while self.count <= count {
      if deadline.hasPassed { return false }
      pause(.microseconds(1))
    }
    return true
  }
}

/// The times used by rules: short for events that must not happen, long for events that must happen.
enum Times {
  /// The time that a thread has to reach its wait, before another thread acts on this wait.
  static var settle: Duration { .milliseconds(15) }
  /// The time during which an event must not happen.
  static var quiet: Duration { .milliseconds(30) }
  /// The time during which the processor time of a wait is measured.
  static var idle: Duration { .milliseconds(100) }
  /// A deadline that is expected to expire.
  static var short: Duration { .milliseconds(40) }
  /// The permitted delay of a result that should be immediate; it is long enough for a busy host, and less than
  /// ``limit``.
  static var prompt: Duration { (Haste.isOn ? .milliseconds(400) : .milliseconds(1500)) * SlowHost.factor }
  /// The time-out of a wait for an event or a message that should occur.
  static var patience: Duration { (Haste.isOn ? .milliseconds(500) : .seconds(3)) * SlowHost.factor }
  /// The time-out of a transfer, or of a wait that should end for another reason.
  static var limit: Duration { (Haste.isOn ? .milliseconds(600) : .seconds(5)) * SlowHost.factor }
}

/// Shortens time-outs in the kit's own tests: a conformer that is known to be broken does not need as much time as a
/// correct one on a busy host. Tests in which a rule must pass do not shorten time-outs.
package enum Haste {
  @TaskLocal private static var isWanted = false
  private static let state = Atomic<Bool>(false)
  /// Whether the time-outs of the rule that is running are short.
  package static var isOn: Bool { state.load(ordering: .relaxed) }

  /// Shortens the time-outs of the rules that `body` runs.
  package static func during<R>(_ body: () throws -> R) rethrows -> R {
    try $isWanted.withValue(true) { try body() }
  }

  /// Called when a rule takes its turn: another test may be waiting for its turn with other time-outs.
  static func beginTurn() { state.store(isWanted, ordering: .relaxed) }
}

/// Multiplies time-outs on an emulated machine, where all operations take several times as long.
package enum SlowHost {
  private static let number = Atomic<Int>(1)
  package static var factor: Int {
    get { number.load(ordering: .relaxed) }
    set { number.store(newValue, ordering: .relaxed) }
  }
}
