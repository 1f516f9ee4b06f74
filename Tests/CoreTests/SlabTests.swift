import SocketKitCore
import SocketKitUnix
import TestSupport
import Testing

@Suite(.exclusive) struct SlabTests {
  struct Item: ~Copyable { let number: Int }
  private func number(_ item: consuming Item?) -> Int? {
    switch item {
    case .some(let item): item.number
    case .none: nil
    }
  }

  @Test func tokensFindTheirElementAndNoOther() throws {
    var slab = Slab<Item>(capacity: 2)
    let first = slab.insert(Item(number: 1))
    let next = slab.nextToken
    let second = slab.insert(Item(number: 2))
    #expect(next == second)
    // The macros copy their operands, and a slab has no copies.
    let (isFull, none, count) = (slab.isFull, slab.nextToken, slab.count)
    #expect(isFull && none == nil && count == 2)
    let found = slab.withElement(first) { $0.number }
    let removed = number(slab.remove(first))
    let foundLater = slab.withElement(first) { $0.number }
    #expect(found == 1 && removed == 1 && foundLater == nil)
    let third = slab.insert(Item(number: 3))
    #expect(third.index == first.index && third != first)
    let (hasFirst, hasThird) = (slab.contains(first), slab.contains(third))
    #expect(!hasFirst && hasThird)
    let removedAgain = number(slab.remove(first))
    let removedUnknown = number(slab.remove(Token(index: 77)))
    #expect(removedAgain == nil && removedUnknown == nil)
  }

  @Test func takingAStaleTokenIsATypedError() throws {
    var slab = Slab<Item>(capacity: 1)
    let token = slab.insert(Item(number: 1))
    _ = try slab.take(token)
    do throws(SocketError) {
      _ = try slab.take(token)
      Issue.record("took it twice")
    } catch {
      #expect(error.code == .staleToken && error.operation == .lookup && error.remedy != nil)
    }
  }

  @Test func generationsWrapWithoutTouchingTheHighestBit() {
    #expect(Token(index: 5, generation: .max).rawValue >> 63 == 0)
    #expect(Token(rawValue: 1 << 62).rawValue == 1 << 62)
  }

  @Test func changingAnElementInPlace() throws {
    struct Counter: ~Copyable { var value = 0 }
    var slab = Slab<Counter>(capacity: 1)
    let token = slab.insert(Counter())
    slab.withMutableElement(token) { $0.value = 4 }
    struct Failure: Error {}
    do throws(Failure) {
      try slab.withMutableElement(token) { (counter: inout Counter) throws(Failure) in
        counter.value = 5
        throw Failure()
      }
      Issue.record("did not throw")
    } catch {}
    let value = slab.withElement(token) { $0.value }
    #expect(value == 5)
  }

  @Test func whatItHoldsClosesWithIt() throws {
    let before = openDescriptors().count
    do {
      var slab = Slab<UnixStreamSocket>(capacity: 8)
      let pair = try UnixStreamSocket.pair()
      pair.split { first, second in
        _ = slab.insert(first)
        _ = slab.insert(second)
      }
      #expect(openDescriptors().count == before + 2)
    }
    #expect(openDescriptors().count == before)
  }
}
