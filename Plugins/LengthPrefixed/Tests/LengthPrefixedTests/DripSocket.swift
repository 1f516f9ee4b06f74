import SocketKitCore
import Synchronization

/// A stream that moves a few bytes at a time, and every other time none: what framing must survive.
struct DripSocket<Base: StreamSocket & ~Copyable>: ~Copyable, StreamSocket where Base.AcceptContext == Void {
  typealias Address = Base.Address
  typealias AcceptContext = Int

  let base: Base
  let step: Int
  let reads = Atomic<Int>(0)
  let writes = Atomic<Int>(0)

  init(_ base: consuming Base, step: Int) {
    self.base = base
    self.step = step
  }
  init(accepted descriptor: consuming Descriptor, context: borrowing Int) {
    base = Base(accepted: descriptor, context: ())
    step = copy context
  }

  static var capabilities: SocketCapabilities { Base.capabilities }
  var readSource: RawDescriptor { base.readSource }
  var writeSource: RawDescriptor { base.writeSource }
  borrowing func shutdown(_ direction: ShutdownDirection) throws(SocketError) { try base.shutdown(direction) }
  borrowing func localAddress() throws(SocketError) -> Address { try base.localAddress() }
  borrowing func remoteAddress() throws(SocketError) -> Address { try base.remoteAddress() }

  borrowing func attemptReceive(into buffer: inout MutableRawSpan) -> IOResult {
    if reads.wrappingAdd(1, ordering: .relaxed).newValue % 2 == 1 { return .wouldBlock }
    var front = buffer._mutatingExtracting(first: min(step, buffer.byteCount))
    return base.attemptReceive(into: &front)
  }
  borrowing func attemptSend(_ bytes: RawSpan) -> IOResult {
    if writes.wrappingAdd(1, ordering: .relaxed).newValue % 2 == 1 { return .wouldBlock }
    return base.attemptSend(bytes.extracting(first: min(step, bytes.byteCount)))
  }
}
