import SocketKit
import SocketKitConformance
import TestSupport
import Testing

/// Calls of several steps, over a stream that moves at most 4 KiB with each step and never would block: only the clock
/// ends them. A kernel's call on a large buffer goes on as long as the peer keeps up, so a plain socket shows nothing.
@Suite(.exclusive) struct StepTests {
  private final class Far: Sendable {
    let socket: UnixStreamSocket
    init(_ socket: consuming UnixStreamSocket) { self.socket = socket }
  }

  private func transferred(
    _ name: String, peer: @escaping @Sendable (borrowing UnixStreamSocket, WaitControl) throws(SocketError) -> Void,
    _ call: (borrowing DripSocket<UnixStreamSocket>, inout [UInt8], Deadline) throws(SocketError) -> Void
  ) throws -> Int {
    let pair = try UnixStreamSocket.pair()
    let near = DripSocket(pair.first, most: 4096)
    let far = Far(pair.second)
    let control = WaitControl()
    let other = spawn {
      do throws(SocketError) {
        while true { try peer(far.socket, control) }
      } catch {}
    }
    var bytes = [UInt8](repeating: 0, count: 1 << 26)
    let began = milliseconds()
    defer {
      control.cancel()
      other.join()
    }
    do throws(SocketError) {
      try call(near, &bytes, .after(.milliseconds(2)))
      Issue.record("\(name): 64 MiB went within two milliseconds")
      return bytes.count
    } catch {
      #expect(error.code == .timedOut && error.errno == 0, "\(name)")
      #expect(milliseconds() - began < 1000, "\(name)")
      return error.transferred
    }
  }

  @Test func readingAWholeBufferEndsAtItsDeadline() throws {
    let count = try transferred("reading") { (socket, control) throws(SocketError) in
      let block = [UInt8](repeating: 1, count: 65536)
      _ = try socket.write(block.span, until: .never.cancellable(by: control))
    } _: { (socket, bytes, deadline) throws(SocketError) in
      try socket.readExactly(into: bytes.mutableSpan, until: deadline)
    }
    #expect(count < 1 << 26)
  }

  @Test func writingAWholeBufferEndsAtItsDeadline() throws {
    let count = try transferred("writing") { (socket, control) throws(SocketError) in
      var block = [UInt8](repeating: 1, count: 65536)
      _ = try socket.read(into: block.mutableSpan, until: .never.cancellable(by: control))
    } _: { (socket, bytes, deadline) throws(SocketError) in
      try socket.writeAll(bytes.span, until: deadline)
    }
    #expect(count < 1 << 26)
  }
}
