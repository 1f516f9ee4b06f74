internal import SocketKitCore
internal import Synchronization

/// A thread of a rule: a real one, because blocking calls would stall Swift's own pool, which has as many threads as the
/// host has CPUs.
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

  /// nil when it has not ended in time; it runs on then.
  func result(within limit: Duration) -> Result<Value, any Error>? {
    done.wait(within: limit) ? outcome : nil
  }

  /// Whether it has ended with an error.
  var hasFailed: Bool {
    if case .failure = result(within: .zero) { true } else { false }
  }

  /// Waits for the end, and throws what the thread threw.
  @discardableResult
  func join(within limit: Duration = Times.limit + .seconds(1)) throws -> Value {
    guard let result = result(within: limit) else { throw ConformanceFailure("a thread did not end within \(limit)") }
    return try result.get()
  }
}

/// Drops the body, and with it the sockets that it holds, before the thread says that it has ended.
private final class BodyBox<Value>: @unchecked Sendable {
  private var body: (@Sendable () throws -> Value)?
  init(_ body: @escaping @Sendable () throws -> Value) { self.body = body }

  func run() throws -> Value {
    guard let body = body.take() else { throw ConformanceFailure("a thread ran twice") }
    return try body()
  }
}

/// Something that cannot be copied, shared by several threads.
///
/// Close it at the end of a rule that went well: that also keeps it alive until then. After a failure leave it alone:
/// the last thread that holds it closes it.
final class Shared<Value: ~Copyable>: @unchecked Sendable {
  private let memory: UnsafeMutablePointer<Value>
  private var isClosed = false

  init(_ value: consuming Value) {
    memory = .allocate(capacity: 1)
    memory.initialize(to: value)
  }

  deinit {
    close()
    memory.deallocate()
  }

  var value: Value {
    _read {
      precondition(!isClosed, "used after it was closed")
      yield memory.pointee
    }
    _modify {
      precondition(!isClosed, "used after it was closed")
      yield &memory.pointee
    }
  }

  var isOpen: Bool { !isClosed }

  /// Ends the value's life. No thread may be using it.
  func close() {
    if !isClosed { memory.deinitialize(count: 1) }
    isClosed = true
  }
}

/// A number that threads count up.
final class Counter: Sendable {
  private let number = Atomic<Int>(0)
  var count: Int { number.load(ordering: .acquiring) }
  func increment(by step: Int = 1) { number.add(step, ordering: .acquiringAndReleasing) }
}

/// The times that rules work with: short where something must not happen, long where something must.
enum Times {
  /// How long a thread gets to reach its wait before another acts on it.
  static var settle: Duration { .milliseconds(15) }
  /// How long something must not happen.
  static var quiet: Duration { .milliseconds(30) }
  /// How long a wait is watched for the processor time that it uses.
  static var idle: Duration { .milliseconds(100) }
  /// A deadline that is to pass.
  static var short: Duration { .milliseconds(40) }
  /// How late something prompt may be on a busy host: far below ``limit``.
  static var prompt: Duration { (Haste.isOn ? .milliseconds(400) : .milliseconds(1500)) * SlowHost.factor }
  /// When a poller's wait that ought to end by other means gives up.
  static var patience: Duration { (Haste.isOn ? .milliseconds(500) : .seconds(3)) * SlowHost.factor }
  /// When a transfer, or a wait that ought to end by other means, gives up.
  static var limit: Duration { (Haste.isOn ? .milliseconds(600) : .seconds(5)) * SlowHost.factor }
}

/// For the kit's own tests: a conformer that is known to be broken need not be waited for as long as a sound one on a busy
/// host. A rule that passes is run without it.
package enum Haste {
  private static let users = Atomic<Int>(0)
  package static var isOn: Bool { users.load(ordering: .relaxed) > 0 }

  package static func during<R>(_ body: () throws -> R) rethrows -> R {
    users.add(1, ordering: .relaxed)
    defer { users.subtract(1, ordering: .relaxed) }
    return try body()
  }
}

/// For an emulated machine, where everything takes several times as long: what is waited for at most, multiplied.
package enum SlowHost {
  private static let number = Atomic<Int>(1)
  package static var factor: Int {
    get { number.load(ordering: .relaxed) }
    set { number.store(newValue, ordering: .relaxed) }
  }
}
