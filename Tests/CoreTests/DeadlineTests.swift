import SocketKitCore
import Testing

@Suite struct DeadlineTests {
  @Test func extremesSaturate() {
    #expect(Deadline.after(.seconds(Int64.max)).isNever)
    #expect(Deadline.after(.seconds(Int64.min)).isPast)
    #expect(Deadline.after(.seconds(-1)).hasPassed)
    #expect(Deadline.never.advanced(by: .seconds(-1)).isNever)
    #expect(!Deadline.never.hasPassed && Deadline.past.hasPassed)
    #expect(Deadline.never.remaining == nil && Deadline.past.remaining == .zero)
    #expect(Deadline.past.remainingNanoseconds == 0 && Deadline.never.remainingNanoseconds == -1)
  }

  @Test func orderIsThatOfTime() {
    let soon = Deadline.after(.milliseconds(1))
    let late = Deadline.after(.seconds(10))
    #expect(Deadline.past < soon && soon < late && late < .never)
    #expect(late.remaining ?? .zero > .seconds(9))
  }
}
