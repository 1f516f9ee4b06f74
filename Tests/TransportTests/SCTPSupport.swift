import SocketKit
import Testing

let sctpSoon = Duration.seconds(10)

/// What a call failed with, whichever error carries it; nil when it did not fail.
func refusal(_ body: () throws -> Void) -> SocketError? {
  do {
    try body()
    return nil
  } catch let error as SocketError {
    return error
  } catch {
    return error as? SocketError
  }
}

/// A connected pair: the connecting end, then the accepted one.
func sctpPair(
  on address: IPSocketAddress = .loopback(port: 0),
  server: (borrowing SCTPSocket) throws -> Void = { _ in },
  client: (borrowing SCTPSocket) throws -> Void = { _ in }
) throws -> SocketPair<SCTPSocket> {
  let listener = try SCTPSocket.listen(on: address, configure: server)
  let near = try SCTPSocket.connect(to: listener.localAddress(), until: .after(sctpSoon), configure: client)
  return SocketPair(near, try listener.accept(until: .after(sctpSoon)))
}

extension IPSocketAddress {
  /// One of the addresses 127.0.0.x, all of which are this host's.
  static func local(_ last: UInt8, port: UInt16 = 0) -> Self {
    Self(IPv4Address(bits: 0x7f00_0000 | UInt32(last)), port: port)
  }
}

extension SCTPSocket {
  borrowing func say(_ text: String) throws { try writeAll(text.utf8.span, until: .after(sctpSoon)) }

  /// So many bytes as text, or less at the end.
  borrowing func hear(_ count: Int) throws -> String {
    var bytes = [UInt8](repeating: 0, count: count)
    try readExactly(into: bytes.mutableSpan, until: .after(sctpSoon))
    return String(decoding: bytes, as: UTF8.self)
  }

  /// One read, waited for: what it said, or how it failed.
  borrowing func ending() -> (outcome: ReadOutcome?, error: SocketError?) {
    var byte: [UInt8] = [0]
    do throws(SocketError) {
      return (try read(into: byte.mutableSpan, until: .after(sctpSoon)), nil)
    } catch {
      return (nil, error)
    }
  }

  /// Aborts, by a time limit that has passed.
  consuming func abort() throws {
    let ending = try close(until: .past)
    #expect(ending == .aborted)
  }

  /// Closing gracefully: how it ended, or how it failed. Consumed in a function of its own, because closures cannot.
  consuming func closing(
    within time: Duration, control: WaitControl? = nil
  ) -> (ending: SCTPEnding?, error: SocketError?) {
    do throws(SocketError) {
      return (try close(until: .after(time).cancellable(by: control)), nil)
    } catch {
      return (nil, error)
    }
  }
}

/// How a connect that was begun failed; nil when it did not.
func failure(of pending: consuming PendingConnection<SCTPSocket>) -> SocketError? {
  do throws(SocketError) {
    _ = try pending.finish(until: .after(sctpSoon))
    return nil
  } catch {
    return error
  }
}
