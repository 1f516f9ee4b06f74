import SocketKit
import SocketKitConformance

/// Which calls use several buffers from the last to the first.
protocol BufferFault: Sendable {
  static var sends: Bool { get }
  static var receives: Bool { get }
}

extension BufferFault {
  static var sends: Bool { false }
  static var receives: Bool { false }
}

enum NoBufferFault: BufferFault {}
enum SendsBuffersReversed: BufferFault {
  static var sends: Bool { true }
}
enum FillsBuffersReversed: BufferFault {
  static var receives: Bool { true }
}

// The segments of the caller are valid during each call, and the array with the reversed segments outlives it.

/// Unix datagrams whose calls may use several buffers in the wrong order.
struct ReversedDatagrams<Fault: BufferFault>: ~Copyable, DatagramSocket {
  let base: UnixDatagramSocket

  static var capabilities: SocketCapabilities { UnixDatagramSocket.capabilities }
  var readSource: RawDescriptor { base.readSource }
  var writeSource: RawDescriptor { base.writeSource }
  var mayReceiveDescriptors: Bool { base.mayReceiveDescriptors }
  borrowing func attemptReceive(
    into buffer: inout MutableSpan<UInt8>, ancillary: inout MutableRawSpan, flags: ReceiveFlags,
    _ info: inout MessageInfo
  ) -> IOResult {
    base.attemptReceive(into: &buffer, ancillary: &ancillary, flags: flags, &info)
  }
  borrowing func attemptSend(_ bytes: Span<UInt8>, ancillary: RawSpan, to address: RawSpan, flags: SendFlags)
    -> IOResult
  {
    base.attemptSend(bytes, ancillary: ancillary, to: address, flags: flags)
  }
  @unsafe borrowing func attemptReceive(
    scattering segments: UnsafeBufferPointer<IOSegment>, ancillary: inout MutableRawSpan, flags: ReceiveFlags,
    _ info: inout MessageInfo
  ) -> IOResult {
    unsafe (Fault.receives ? segments.reversed() : Array(segments)).withUnsafeBufferPointer {
      unsafe base.attemptReceive(scattering: $0, ancillary: &ancillary, flags: flags, &info)
    }
  }
  @unsafe borrowing func attemptSend(
    gathering segments: UnsafeBufferPointer<IOSegment>, ancillary: RawSpan, to address: RawSpan, flags: SendFlags
  ) -> IOResult {
    unsafe (Fault.sends ? segments.reversed() : Array(segments)).withUnsafeBufferPointer {
      unsafe base.attemptSend(gathering: $0, ancillary: ancillary, to: address, flags: flags)
    }
  }
  borrowing func attemptShutdown(_ direction: ShutdownDirection) -> IOResult { base.attemptShutdown(direction) }
  consuming func attemptClose() -> IOResult { base.attemptClose() }
  borrowing func localAddress() throws(SocketError) -> UnixAddress { try base.localAddress() }
  borrowing func attemptReceive(
    into buffer: inout MutableSpan<UInt8>, from address: inout AnySocketAddress, flags: ReceiveFlags
  ) -> IOResult {
    base.attemptReceive(into: &buffer, from: &address, flags: flags)
  }
  borrowing func connectedAddress() throws(SocketError) -> UnixAddress? { try base.connectedAddress() }

  static var suite: DatagramSuite<ReversedDatagrams> {
    DatagramSuite("datagrams", [.connected, .lossless]) {
      try UnixDatagramSocket.pair().split { first, second in
        SocketPair(ReversedDatagrams(base: first), ReversedDatagrams(base: second))
      }
    }
  }
}

/// Unix packets whose calls may use several buffers in the wrong order.
struct ReversedPackets<Fault: BufferFault>: ~Copyable, SequencedPacketSocket {
  let base: UnixSequencedPacketSocket

  static var capabilities: SocketCapabilities { UnixSequencedPacketSocket.capabilities }
  var readSource: RawDescriptor { base.readSource }
  var writeSource: RawDescriptor { base.writeSource }
  var mayReceiveDescriptors: Bool { base.mayReceiveDescriptors }
  borrowing func attemptReceive(
    into buffer: inout MutableSpan<UInt8>, ancillary: inout MutableRawSpan, flags: ReceiveFlags,
    _ info: inout MessageInfo
  ) -> IOResult {
    base.attemptReceive(into: &buffer, ancillary: &ancillary, flags: flags, &info)
  }
  borrowing func attemptSend(_ bytes: Span<UInt8>, ancillary: RawSpan, to address: RawSpan, flags: SendFlags)
    -> IOResult
  {
    base.attemptSend(bytes, ancillary: ancillary, to: address, flags: flags)
  }
  @unsafe borrowing func attemptReceive(
    scattering segments: UnsafeBufferPointer<IOSegment>, ancillary: inout MutableRawSpan, flags: ReceiveFlags,
    _ info: inout MessageInfo
  ) -> IOResult {
    unsafe (Fault.receives ? segments.reversed() : Array(segments)).withUnsafeBufferPointer {
      unsafe base.attemptReceive(scattering: $0, ancillary: &ancillary, flags: flags, &info)
    }
  }
  @unsafe borrowing func attemptSend(
    gathering segments: UnsafeBufferPointer<IOSegment>, ancillary: RawSpan, to address: RawSpan, flags: SendFlags
  ) -> IOResult {
    unsafe (Fault.sends ? segments.reversed() : Array(segments)).withUnsafeBufferPointer {
      unsafe base.attemptSend(gathering: $0, ancillary: ancillary, to: address, flags: flags)
    }
  }
  borrowing func attemptShutdown(_ direction: ShutdownDirection) -> IOResult { base.attemptShutdown(direction) }
  consuming func attemptClose() -> IOResult { base.attemptClose() }
  borrowing func localAddress() throws(SocketError) -> UnixAddress { try base.localAddress() }
  borrowing func remoteAddress() throws(SocketError) -> UnixAddress { try base.remoteAddress() }

  static var suite: SequencedPacketSuite<ReversedPackets> {
    SequencedPacketSuite("packets", [.lossless]) {
      try UnixSequencedPacketSocket.pair().split { first, second in
        SocketPair(ReversedPackets(base: first), ReversedPackets(base: second))
      }
    }
  }
}
