import SocketKit
import SocketKitToolSupport
import TestSupport
import Testing

/// What stands between the two ends of the same-thread load. It passes messages on; one of them, on the way back, it
/// changes, doubles, replaces or keeps.
final class BenchRelay: @unchecked Sendable {
  private let fault: String
  private let after: Int
  private let size: Int
  private var threads: [RunningThread] = []

  init(_ fault: String, after: Int = 6, size: Int = 64) {
    (self.fault, self.after, self.size) = (fault, after, size)
  }

  /// Listens, and gives the address where.
  func address(for target: String) throws -> String {
    let listener = Shared(try Listening(TCPSocket.listen(on: .loopback(port: 0))))
    let address = try listener.value.listener.localAddress().description
    threads.append(
      spawn { [self] in
        do {
          let near = Shared(try listener.value.listener.accept(until: .after(.seconds(20))))
          let far = Shared(
            try TCPSocket.connect(to: try #require(IPSocketAddress(target)), until: .after(.seconds(20))))
          let there = spawn { [self] in pass(from: near.value, to: far.value, withFault: false) }
          pass(from: far.value, to: near.value, withFault: true)
          there.join()
        } catch {
          Issue.record("the relay: \(error)")
        }
      })
    return address
  }

  /// Waits until both ends are closed.
  func join() {
    for thread in threads { thread.join() }
    threads = []
  }

  private struct Listening: ~Copyable, Sendable {
    let listener: Listener<TCPSocket>
    init(_ listener: consuming Listener<TCPSocket>) { self.listener = listener }
  }

  private func pass(from: borrowing TCPSocket, to: borrowing TCPSocket, withFault: Bool) {
    let deadline = Deadline.after(.seconds(20))
    var bytes = [UInt8](repeating: 0, count: size)
    var last = bytes
    var number = 0
    do {
      while true {
        guard case .bytes(let count) = try from.read(into: bytes.mutableSpan, until: deadline) else { break }
        number += 1
        // One message is on its way, so that it comes whole.
        let isFaulty = withFault && number >= after
        if isFaulty && fault == "dies" {
          try from.shutdown(.both)
          try to.shutdown(.both)
          return
        }
        let kept = bytes
        if isFaulty && fault == "lies" { bytes[count - 1] ^= 1 }
        if isFaulty && fault == "stale" { bytes = last }
        last = kept
        let times = isFaulty && (fault == "stalls" || fault == "drops" && number == after) ? 0 : 1
        for _ in 0..<(isFaulty && fault == "doubles" ? 2 : times) {
          try to.writeAll(bytes.span.extracting(first: count), until: deadline)
        }
      }
      try to.shutdown(.write)
    } catch {
      // The load has closed its end in the middle.
      try? from.shutdown(.both)
      try? to.shutdown(.both)
    }
  }
}
