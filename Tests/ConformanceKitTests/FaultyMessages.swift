import CSocketKit
import SocketKit
import SocketKitConformance
import Synchronization
import TestSupport

typealias ReceiveCall = (
  inout MutableSpan<UInt8>, inout MutableRawSpan, ReceiveFlags, inout MessageInfo
) -> IOResult
typealias ReceiveFromCall = (inout MutableSpan<UInt8>, inout AnySocketAddress) -> IOResult
typealias SendCall = (_ bytes: Span<UInt8>, _ ancillary: RawSpan, _ address: RawSpan, SendFlags) -> IOResult

/// What a broken message transport does otherwise than its base; everything not written is right.
protocol MessageFault: Sendable {
  static func receive(
    _ buffer: inout MutableSpan<UInt8>, _ ancillary: inout MutableRawSpan, _ flags: ReceiveFlags,
    _ info: inout MessageInfo,
    _ base: ReceiveCall
  ) -> IOResult
  static func receive(
    _ buffer: inout MutableSpan<UInt8>, from address: inout AnySocketAddress, _ base: ReceiveFromCall
  ) -> IOResult
  static func send(
    _ bytes: Span<UInt8>, _ ancillary: RawSpan, _ address: RawSpan, _ flags: SendFlags, _ base: SendCall
  ) -> IOResult
  static func receive(batch: inout MessageBatch, _ base: (inout MessageBatch) -> IOResult) -> IOResult
  static func send(batch: inout MessageBatch, _ base: (inout MessageBatch) -> IOResult) -> IOResult
  static func isEnd(_ info: MessageInfo) -> Bool
  static var mayReceiveDescriptors: Bool { get }
  /// Whether a shutdown of one direction does nothing.
  static var swallowsShutdown: Bool { get }
  static func made(_ descriptor: RawDescriptor)
  /// Whether packets tell their end from empty ones, by credentials: they take the room of descriptors then.
  static var tellsTheEnd: Bool { get }
  /// Whether the peer's address is given as another one.
  static var mistakesThePeer: Bool { get }
}

extension MessageFault {
  static func receive(
    _ buffer: inout MutableSpan<UInt8>, _ ancillary: inout MutableRawSpan, _ flags: ReceiveFlags,
    _ info: inout MessageInfo,
    _ base: ReceiveCall
  ) -> IOResult { base(&buffer, &ancillary, flags, &info) }
  static func receive(
    _ buffer: inout MutableSpan<UInt8>, from address: inout AnySocketAddress, _ base: ReceiveFromCall
  ) -> IOResult { base(&buffer, &address) }
  static func send(
    _ bytes: Span<UInt8>, _ ancillary: RawSpan, _ address: RawSpan, _ flags: SendFlags, _ base: SendCall
  ) -> IOResult { base(bytes, ancillary, address, flags) }
  static func receive(batch: inout MessageBatch, _ base: (inout MessageBatch) -> IOResult) -> IOResult { base(&batch) }
  static func send(batch: inout MessageBatch, _ base: (inout MessageBatch) -> IOResult) -> IOResult { base(&batch) }
  static func isEnd(_ info: MessageInfo) -> Bool { UnixSequencedPacketSocket.isEnd(info) }
  static var mayReceiveDescriptors: Bool { true }
  static var swallowsShutdown: Bool { false }
  static func made(_ descriptor: RawDescriptor) {}
  static var tellsTheEnd: Bool { true }
  static var mistakesThePeer: Bool { false }
}

/// A fault in what a receive gives, after the base has received.
protocol ReceivedFault: MessageFault {
  static func received(
    _ result: IOResult, _ buffer: inout MutableSpan<UInt8>, _ ancillary: inout MutableRawSpan, _ info: inout MessageInfo
  ) -> IOResult
}

extension ReceivedFault {
  static func receive(
    _ buffer: inout MutableSpan<UInt8>, _ ancillary: inout MutableRawSpan, _ flags: ReceiveFlags,
    _ info: inout MessageInfo,
    _ base: ReceiveCall
  ) -> IOResult { received(base(&buffer, &ancillary, flags, &info), &buffer, &ancillary, &info) }
}

/// A fault in what a send answers, after the base has sent.
protocol SentFault: MessageFault {
  static func sent(_ result: IOResult, _ bytes: Span<UInt8>) -> IOResult
}

extension SentFault {
  static func send(
    _ bytes: Span<UInt8>, _ ancillary: RawSpan, _ address: RawSpan, _ flags: SendFlags, _ base: SendCall
  ) -> IOResult { sent(base(bytes, ancillary, address, flags), bytes) }
}

/// Core's batches for a socket that is not the kernel's: what a wrapper inherits.
private struct InheritedBatches: ~Copyable {
  static func receive(_ batch: inout MessageBatch, _ one: ReceiveCall) -> IOResult {
    batch.removeAll()
    while !batch.isFull {
      // The base has the ancillary data from the kernel.
      let result = unsafe batch.withFreeSlot { one(&$0, &$1, [], &$2) }
      if result.isFailure { return batch.isEmpty ? result : IOResult(raw: batch.count) }
    }
    return IOResult(raw: batch.count)
  }

  static func send(_ batch: inout MessageBatch, _ one: SendCall) -> IOResult {
    var sent = 0
    while batch.sent < batch.count {
      let result = batch.withMessageToSend { one($0, $1, $2, []) }
      if result.isFailure { return sent == 0 ? result : IOResult(raw: sent) }
      batch.sent += 1
      sent += 1
    }
    return IOResult(raw: sent)
  }
}

/// Unix datagrams with a fault: a wrapper transport, as a third party would write one.
struct FaultyDatagramSocket<Fault: MessageFault>: ~Copyable, DatagramSocket {
  let base: UnixDatagramSocket

  init(_ base: consuming UnixDatagramSocket) {
    self.base = base
    Fault.made(self.base.descriptor)
  }

  static var capabilities: SocketCapabilities { .emptyMessages }
  var readSource: RawDescriptor { base.readSource }
  var writeSource: RawDescriptor { base.writeSource }
  borrowing func attemptReceive(
    into buffer: inout MutableSpan<UInt8>, ancillary: inout MutableRawSpan, flags: ReceiveFlags,
    _ info: inout MessageInfo
  ) -> IOResult {
    Fault.receive(&buffer, &ancillary, flags, &info) {
      base.attemptReceive(into: &$0, ancillary: &$1, flags: $2, &$3)
    }
  }
  borrowing func attemptReceive(
    into buffer: inout MutableSpan<UInt8>, from address: inout AnySocketAddress, flags: ReceiveFlags
  ) -> IOResult {
    Fault.receive(&buffer, from: &address) { buffer, address in
      var info = MessageInfo()
      var none = MutableRawSpan()
      let result = attemptReceive(into: &buffer, ancillary: &none, flags: flags, &info)
      if !result.isFailure { address = info.address }
      return result
    }
  }
  borrowing func attemptSend(_ bytes: Span<UInt8>, ancillary: RawSpan, to address: RawSpan, flags: SendFlags)
    -> IOResult
  {
    Fault.send(bytes, ancillary, address, flags) {
      base.attemptSend($0, ancillary: $1, to: $2, flags: $3)
    }
  }
  var mayReceiveDescriptors: Bool { Fault.mayReceiveDescriptors }
  borrowing func attemptReceive(batch: inout MessageBatch) -> IOResult {
    Fault.receive(batch: &batch) { batch in
      InheritedBatches.receive(&batch) { attemptReceive(into: &$0, ancillary: &$1, flags: $2, &$3) }
    }
  }
  borrowing func attemptSend(batch: inout MessageBatch) -> IOResult {
    Fault.send(batch: &batch) { batch in
      InheritedBatches.send(&batch) { attemptSend($0, ancillary: $1, to: $2, flags: $3) }
    }
  }
  borrowing func attemptShutdown(_ direction: ShutdownDirection) -> IOResult {
    direction == .both || !Fault.swallowsShutdown ? base.attemptShutdown(direction) : .zero
  }
  consuming func attemptClose() -> IOResult { base.attemptClose() }
  borrowing func localAddress() throws(SocketError) -> UnixAddress { try base.localAddress() }
  borrowing func connectedAddress() throws(SocketError) -> UnixAddress? {
    try Fault.mistakesThePeer ? .somebodyElse : base.connectedAddress()
  }

  /// Connected to each other, and named, so that senders can be told.
  static func pair() throws -> SocketPair<FaultyDatagramSocket> {
    let first = try UnixDatagramSocket.bind(to: freshName())
    let second = try UnixDatagramSocket.bind(to: freshName())
    try first.connect(to: second.localAddress())
    try second.connect(to: first.localAddress())
    return SocketPair(FaultyDatagramSocket(first), FaultyDatagramSocket(second))
  }

  private static func freshName() throws -> UnixAddress {
    try UnixAddress(abstract: "socketkit-faulty-\(UInt64.random(in: 0 ... .max))")
  }
}

/// Unix packets with a fault, told from the end by their credentials (SO_PASSCRED).
struct FaultyPacketSocket<Fault: MessageFault>: ~Copyable, SequencedPacketSocket {
  let base: UnixSequencedPacketSocket

  init(_ base: consuming UnixSequencedPacketSocket) throws(SocketError) {
    self.base = base
    if Fault.tellsTheEnd {
      try SocketOption<SocketLevelOptions, Bool>(flag: CSK_SO_PASSCRED, level: CSK_SOL_SOCKET).write(
        self.base.descriptor, true)
    }
    Fault.made(self.base.descriptor)
  }

  static var capabilities: SocketCapabilities { Fault.tellsTheEnd ? [.emptyMessages, .halfClose] : .halfClose }
  var mayReceiveDescriptors: Bool { Fault.mayReceiveDescriptors }
  static func isEnd(_ info: MessageInfo) -> Bool { Fault.tellsTheEnd ? Fault.isEnd(info) : info.length == 0 }
  var readSource: RawDescriptor { base.readSource }
  var writeSource: RawDescriptor { base.writeSource }
  borrowing func attemptReceive(
    into buffer: inout MutableSpan<UInt8>, ancillary: inout MutableRawSpan, flags: ReceiveFlags,
    _ info: inout MessageInfo
  ) -> IOResult {
    Fault.receive(&buffer, &ancillary, flags, &info) {
      base.attemptReceive(into: &$0, ancillary: &$1, flags: $2, &$3)
    }
  }
  borrowing func attemptSend(_ bytes: Span<UInt8>, ancillary: RawSpan, to address: RawSpan, flags: SendFlags)
    -> IOResult
  {
    Fault.send(bytes, ancillary, address, flags) {
      base.attemptSend($0, ancillary: $1, to: $2, flags: $3)
    }
  }
  borrowing func attemptShutdown(_ direction: ShutdownDirection) -> IOResult {
    direction == .both || !Fault.swallowsShutdown ? base.attemptShutdown(direction) : .zero
  }
  consuming func attemptClose() -> IOResult { base.attemptClose() }
  borrowing func localAddress() throws(SocketError) -> UnixAddress { try base.localAddress() }
  borrowing func remoteAddress() throws(SocketError) -> UnixAddress {
    try Fault.mistakesThePeer ? .somebodyElse : base.remoteAddress()
  }

  static func pair() throws -> SocketPair<FaultyPacketSocket> {
    let pair = try UnixSequencedPacketSocket.pair()
    return try pair.split { first, second in
      SocketPair(try FaultyPacketSocket(first), try FaultyPacketSocket(second))
    }
  }
}

extension UnixAddress {
  fileprivate static var somebodyElse: Self { Self("@somebody else") ?? .unnamed }
}
