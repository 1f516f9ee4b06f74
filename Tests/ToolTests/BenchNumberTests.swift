import SocketKitCore
import Testing

@testable import SocketKitTool

/// What the benchmark's numbers rest on.
@Suite struct BenchNumberTests {
  @Test func eachOrderComesOnceInSixRounds() {
    let orders = (0..<6).map { Comparison.order(ofRound: $0) }
    #expect(Set(orders).count == 6 && orders.allSatisfy { Set($0).count == 3 })
    // In three rounds each is first once, and each of C and ours follows the other.
    #expect(Set(orders.prefix(3).map { $0[0] }).count == 3)
    let pairs = orders.prefix(3).flatMap { zip($0, $0.dropFirst()) }
    #expect(pairs.contains { $0 == .ours && $1 == .baseline } && pairs.contains { $0 == .baseline && $1 == .ours })
  }

  @Test func roundsOfTwoBeginInTurn() throws {
    var order: [ServerKind] = []
    let runs = try InTurn(rounds: 3) { kind, round in
      order.append(kind)
      return round
    }
    #expect(order == [.c, .swift, .swift, .c, .c, .swift])
    #expect(runs[.c] == [0, 1, 2] && runs[.swift] == [0, 1, 2])
  }

  @Test func percentilesNeedValuesBeyondThem() {
    for (share, count) in [(0.5, 10), (0.9, 50), (0.99, 500), (0.999, 5000)] as [(Double, UInt64)] {
      #expect(Sample.supports(share, of: count) && !Sample.supports(share, of: count - 2), "\(share)")
    }
  }

  @Test(arguments: [1, 2, 7, 8, 9, 64, 300]) func aMessageIsItselfAndNoOther(_ size: Int) {
    var messages = NumberedMessages(size: size)
    for (number, place) in [(1, 0), (255, 3), (256, 70_000)] as [(Int, Int)] {
      for done in Set([0, size / 2, size - 1]) {
        let bytes = messages.withMessage(number, of: place, from: done) { span in span.indices.map { span[$0] } }
        #expect(bytes.count == size - done)
        #expect(matches(messages, bytes, number, of: place, from: done))
        // Of what is behind the numbers only the pattern tells them apart.
        #expect(!matches(messages, bytes, number - 1, of: place, from: done) || done > 0 && done < 8)
        if done == 0 && size >= 8 {
          for other in [0, 1, 2, 71_000] as [Int] where other != place {
            #expect(!matches(messages, bytes, number, of: other, from: 0))
            #expect(!matches(messages, bytes, number + place - other, of: other, from: 0))
          }
        }
        for index in bytes.indices {
          var changed = bytes
          changed[index] ^= 1
          #expect(!matches(messages, changed, number, of: place, from: done))
        }
      }
    }
  }

  // #expect cannot hold a span.
  private func matches(
    _ messages: NumberedMessages, _ bytes: [UInt8], _ number: Int, of place: Int, from done: Int
  ) -> Bool {
    messages.matches(bytes.span, number, of: place, from: done)
  }

  @Test(arguments: [1, 3, 64]) func aLedgerTakesEachDatagramOnce(_ size: Int) {
    let ledger = DatagramLedger(size: size)
    var first = [UInt8](repeating: 0, count: 3 * size)
    ledger.issue(3, into: &first)
    var second = [UInt8](repeating: 0, count: 2 * size)
    ledger.issue(2, into: &second)
    #expect(ledger.count == 5)
    #expect(ledger.complaint(about: second.span) == nil && ledger.count == 3)
    #expect(ledger.complaint(about: second.span) == "datagram 4 was returned twice or was never sent")
    #expect(ledger.complaint(about: first.span) == nil && ledger.count == 0)
    #expect(ledger.complaint(about: first.span) == "datagram 1 was returned twice or was never sent")
    if size > 1 {
      #expect(
        ledger.complaint(about: first.span.extracting(first: size - 1))
          == "a returned datagram is truncated")
    }
    if size > 8 {
      ledger.issue(1, into: &second)
      second[size - 1] ^= 1
      #expect(ledger.complaint(about: second.span) == "the contents of a returned datagram have changed")
    }
  }
}
