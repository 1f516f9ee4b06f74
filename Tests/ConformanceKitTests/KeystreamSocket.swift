import Glibc
import SocketKit
import SocketKitConformance
import Synchronization
import TestSupport

/// A wrapper whose bytes depend on their position, as a cipher's do: one in seven is combined with its
/// number in the stream.
struct KeystreamSocket<Base: StreamSocket & ~Copyable, Fault: KeystreamFault>: ~Copyable, StreamSocket {
  typealias Address = Base.Address

  let base: Base
  let received = Mutex(0)
  let sent = Mutex(0)

  init(_ base: consuming Base) { self.base = base }
  static var capabilities: SocketCapabilities { Base.capabilities }
  var readSource: RawDescriptor { base.readSource }
  var writeSource: RawDescriptor { base.writeSource }
  var pending: Readiness { base.pending }
  borrowing func sources(for interest: Interest) -> Interest { base.sources(for: interest) }
  borrowing func attemptShutdown(_ direction: ShutdownDirection) -> IOResult { base.attemptShutdown(direction) }
  consuming func attemptClose() -> IOResult { base.attemptClose() }
  borrowing func localAddress() throws(SocketError) -> Base.Address { try base.localAddress() }
  borrowing func remoteAddress() throws(SocketError) -> Base.Address { try base.remoteAddress() }

  borrowing func attemptReceive(into buffer: inout MutableSpan<UInt8>) -> IOResult {
    let asked = buffer.count
    return Fault.advance(received) { position in
      let result = base.attemptReceive(into: &buffer)
      if result.raw > 0 {
        for index in masked(position, result.raw) { buffer[index] ^= UInt8(truncatingIfNeeded: position + index) }
      }
      return (result, Fault.step(result, asked))
    }
  }

  // A piece at a time: a write may be short.
  borrowing func attemptSend(_ bytes: Span<UInt8>) -> IOResult {
    let piece = bytes.extracting(first: min(4096, bytes.count))
    return Fault.advance(sent) { position in
      var bytes = [UInt8](copying: piece)
      for index in masked(position, bytes.count) { bytes[index] ^= UInt8(truncatingIfNeeded: position + index) }
      let result = base.attemptSend(bytes.span)
      return (result, Fault.step(result, bytes.count))
    }
  }
}

/// Every seventh byte of a stream: all of them would take long in a debug build.
private func masked(_ position: Int, _ count: Int) -> StrideTo<Int> {
  stride(from: (7 - position % 7) % 7, to: count, by: 7)
}

/// What a keystream does with its position.
protocol KeystreamFault: Sendable {
  /// By how much a call advances it.
  static func step(_ result: IOResult, _ asked: Int) -> Int
  /// Runs a call with the position.
  static func advance(_ position: borrowing Mutex<Int>, _ call: (Int) -> (IOResult, Int)) -> IOResult
}

extension KeystreamFault {
  static func step(_ result: IOResult, _ asked: Int) -> Int { max(0, result.raw) }
  static func advance(_ position: borrowing Mutex<Int>, _ call: (Int) -> (IOResult, Int)) -> IOResult {
    position.withLock { position in
      let (result, step) = call(position)
      position += step
      return result
    }
  }
}

enum SoundKeystream: KeystreamFault {}
/// Over a socket that takes all, nothing shows it.
enum AdvancesByWhatWasAsked: KeystreamFault {
  static func step(_ result: IOResult, _ asked: Int) -> Int { result.raw > 0 ? asked : 0 }
}
/// Holds its lock for the position only, as an atomic number would.
enum LocksForAMoment: KeystreamFault {
  static func advance(_ position: borrowing Mutex<Int>, _ call: (Int) -> (IOResult, Int)) -> IOResult {
    let now = position.withLock { $0 }
    // Now and then for long enough that another thread comes between, on a busy machine too.
    if now % 64 == 0 { usleep(50) }
    let (result, step) = call(now)
    position.withLock { $0 += step }
    return result
  }
}
