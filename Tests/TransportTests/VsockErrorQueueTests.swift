import Glibc
import SocketKit
import TestSupport
import Testing

@Suite(.exclusive, .guestOnly) struct VsockErrorQueueTests {
  /// Linux 6.1 ignores MSG_ERRQUEUE and would give the bytes; 6.7 and later have a queue, which is empty.
  @Test func readingTheErrorQueueTakesNoBytes() throws {
    let pair = try vsockPair(VsockStreamSocket.self)
    #expect(try pair.first.write([1, 2].span) == 2)
    #expect((polledEvents(pair.second.descriptor.value, for: POLLIN, milliseconds: 5000) ?? 0) != 0)
    if GuestKernel.isLinux61 {
      #expect(throws: SocketError(code: .notSupported, .receive)) { _ = try pair.second.nextQueuedError() }
    } else {
      #expect(try pair.second.nextQueuedError()?.error == nil)
    }
    var bytes = [UInt8](repeating: 0, count: 4)
    #expect(try pair.second.read(into: bytes.mutableSpan, until: .after(patience)) == .bytes(2))
  }
}
