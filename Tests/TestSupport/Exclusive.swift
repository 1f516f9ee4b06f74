internal import Glibc
public import Testing

/// Runs one test at a time in the whole process, fails a test that leaves a descriptor open, and ends the process when
/// a test does not end (``Watchdog``).
///
/// Every suite that touches sockets carries it: descriptor counts mean nothing while another test opens some.
public struct Exclusive: SuiteTrait, TestTrait, TestScoping {
  public var isRecursive: Bool { true }

  public func scopeProvider(for test: Test, testCase: Test.Case?) -> Exclusive? { testCase == nil ? nil : self }

  public func provideScope(
    for test: Test, testCase: Test.Case?, performing function: @Sendable () async throws -> Void
  ) async throws {
    let settled = await Gate.shared.enter()
    Watchdog.shared.begin("\(test.id)")
    var before = openDescriptors()
    // A thread of the test before may have opened one for a moment since that test was counted.
    for _ in 0..<20 where before != settled ?? before {
      usleep(5000)
      before = openDescriptors()
    }
    let began = milliseconds()
    let result: Result<Void, any Error>
    do {
      try await function()
      result = .success(())
    } catch {
      result = .failure(error)
    }
    var after = openDescriptors()
    // A thread that the test left behind may still be closing its last one.
    for _ in 0..<50 where after != before {
      usleep(10_000)
      after = openDescriptors()
    }
    if environmentVariable("SOCKETKIT_TIMES") != nil {
      // Swift Testing's own times have the waiting for a turn in them.
      print("took \(Int(milliseconds() - began)) ms: \(test.id)")
    }
    Watchdog.shared.end()
    await Gate.shared.leave(after)
    if after != before {
      Issue.record("descriptors before the test: \(before), after it: \(after)", sourceLocation: test.sourceLocation)
    }
    try result.get()
  }
}

extension Trait where Self == Exclusive {
  /// One test at a time, with its descriptors counted.
  public static var exclusive: Exclusive { Exclusive() }
}

private actor Gate {
  static let shared = Gate()
  private var busy = false
  private var waiting: [CheckedContinuation<Void, Never>] = []
  private var descriptors: [Int32]?

  /// - Returns: the descriptors that the test before has left.
  func enter() async -> [Int32]? {
    if busy { await withCheckedContinuation { waiting.append($0) } }
    busy = true
    return descriptors
  }

  func leave(_ descriptors: [Int32]) {
    self.descriptors = descriptors
    if waiting.isEmpty {
      busy = false
    } else {
      waiting.removeFirst().resume()
    }
  }
}
