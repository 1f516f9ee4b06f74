import SocketKit
import Testing

/// The book of zero-copy sends, against completions as the kernel may send them.
@Suite struct ZeroCopyTrackerTests {
  /// struct sock_extended_err of a completion.
  private func completion(_ first: UInt32, _ last: UInt32, copied: Bool = false, origin: UInt8 = 5) -> ExtendedError? {
    var bytes = [UInt8](repeating: 0, count: 16)
    bytes[4] = origin
    bytes[6] = copied ? 1 : 0
    bytes.put(first, at: 8)
    bytes.put(last, at: 12)
    return ExtendedError(bytes.span.integerBytes)
  }

  private func owners(_ tracker: inout ZeroCopyTracker, _ error: ExtendedError?) throws -> [UInt64] {
    var found: [UInt64] = []
    tracker.complete(try #require(error)) { owner, _ in found.append(owner) }
    return found
  }

  @Test func rangesInAnyOrder() throws {
    var tracker = ZeroCopyTracker(capacity: 8)
    for owner: UInt64 in 100..<106 { tracker.noteSend(of: owner) }
    let late = try owners(&tracker, completion(3, 4))
    let stillThere = tracker.inFlight
    var copies: [Bool] = []
    var early: [UInt64] = []
    tracker.complete(try #require(completion(0, 2, copied: true))) { owner, wasCopied in
      early.append(owner)
      copies.append(wasCopied)
    }
    let left = tracker.inFlight
    let last = try owners(&tracker, completion(5, 5))
    let none = tracker.inFlight
    #expect(late == [103, 104] && stillThere == 6 && early == [100, 101, 102] && left == 1)
    #expect(last == [105] && none == 0 && copies == [true, true, true])
  }

  @Test func whatIsNotInFlightIsIgnored() throws {
    var tracker = ZeroCopyTracker(capacity: 4)
    tracker.noteSend(of: 1)
    tracker.noteSend(of: 2)
    for error in [
      completion(1, 0), completion(.max, .max), completion(.max, 0), completion(0, 1, origin: 2),
    ] {
      let found = try owners(&tracker, error)
      #expect(found.isEmpty)
    }
    let first = try owners(&tracker, completion(0, 0))
    let again = try owners(&tracker, completion(0, 0))
    // A range that reaches back into what is completed already completes the rest.
    tracker.noteSend(of: 3)
    let rest = try owners(&tracker, completion(1, 2))
    #expect(first == [1] && again.isEmpty && rest == [2, 3])
  }

  @Test func numbersGoRoundAfter32Bits() throws {
    var tracker = ZeroCopyTracker(capacity: 6, nextNumber: .max - 2)
    for owner: UInt64 in 0..<6 { tracker.noteSend(of: owner) }
    let isFull = tracker.isFull
    let across = try owners(&tracker, completion(.max - 1, 1))
    let inFlight = tracker.inFlight
    let first = try owners(&tracker, completion(.max - 2, .max - 2))
    let last = try owners(&tracker, completion(2, 2))
    let none = tracker.inFlight
    #expect(isFull && across == [1, 2, 3, 4] && inFlight == 6 && first == [0] && last == [5] && none == 0)
    // Over and over.
    for round: UInt64 in 0..<20 {
      for owner: UInt64 in 0..<6 { tracker.noteSend(of: round * 6 + owner) }
      let start = UInt32(3 + round * 6)
      let found = try owners(&tracker, completion(start, start + 5))
      #expect(found.count == 6 && found.first == round * 6)
    }
  }

  /// A number that was not noted was used up by a failed send. The test has one alone, one behind a send in flight, one
  /// in the same range as that send, and one at the end of the numbers.
  @Test func aFailedSendsNumberMovesTheCountOn() throws {
    var tracker = ZeroCopyTracker(capacity: 4, nextNumber: .max)
    let alone = try owners(&tracker, completion(.max, .max))
    tracker.noteSend(of: 1)
    let behind = try owners(&tracker, completion(1, 1))
    tracker.noteSend(of: 2)
    let inFlight = tracker.inFlight
    let first = try owners(&tracker, completion(0, 0))
    let second = try owners(&tracker, completion(2, 3))
    tracker.noteSend(of: 3)
    let third = try owners(&tracker, completion(4, 4))
    let none = tracker.inFlight
    #expect(alone.isEmpty && behind.isEmpty && inFlight == 3)
    #expect(first == [1] && second == [2] && third == [3] && none == 0)
  }

  /// Any number of sends may fail while one is in flight. The tracker counts them until it is full.
  @Test func failedSendsFillTheBookAndNoMore() throws {
    var tracker = ZeroCopyTracker(capacity: 3)
    tracker.noteSend(of: 7)
    var failed: UInt32 = 1
    while !tracker.isFull {
      let none = try owners(&tracker, completion(failed, failed))
      #expect(none.isEmpty)
      failed += 1
    }
    let last = try owners(&tracker, completion(0, failed - 1))
    let inFlight = tracker.inFlight
    #expect(failed == 3 && last == [7] && inFlight == 0)
  }
}
