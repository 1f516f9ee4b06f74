import Glibc
import SocketKit
import TestSupport
import Testing

/// A kernel socket can replace a misleading error number (`KernelSocket.named`). Every call that transfers messages
/// reports the replacement.
@Suite(.exclusive) struct NamedErrorTests {
  /// A socket that is connected to a closed port, and with the error of an earlier send pending.
  private func refused(_ body: (borrowing NamingSocket) throws -> Void) throws -> SocketError? {
    let target = try UDPSocket.bind(to: .loopback(port: 0)).localAddress()
    let made = try UDPSocket.connect(to: target)
    let socket = NamingSocket(owning: made.releaseDescriptor())
    #expect(CLibrary.send(socket.descriptor.value, [1]) == 1)
    do {
      try body(socket)
      return nil
    } catch {
      return error as? SocketError
    }
  }

  private func expectNamed(
    _ operation: SocketError.Operation, _ where: SourceLocation = #_sourceLocation,
    _ body: (borrowing NamingSocket) throws -> Void
  ) throws {
    #expect(try refused(body) == SocketError(.failure(errno: ENODATA), operation), sourceLocation: `where`)
  }

  @Test func receives() throws {
    var bytes: [UInt8] = [0, 0]
    var others: [UInt8] = [0, 0]
    var info = MessageInfo()
    try expectNamed(.receive) { _ = try $0.receive(into: bytes.mutableSpan, &info) }
    try expectNamed(.receive) { _ = try $0.receive(into: bytes.mutableSpan, &info, until: .after(soon)) }
    try expectNamed(.receive) {
      var ancillary = AncillaryBuffer<64>()
      _ = try $0.receive(into: bytes.mutableSpan, ancillary: &ancillary, &info)
    }
    try expectNamed(.receive) {
      var sender: IPSocketAddress?
      _ = try $0.receive(into: bytes.mutableSpan, from: &sender)
    }
    try expectNamed(.receive) {
      _ = try $0.receive(scattering: ScatterList(bytes.mutableSpan, others.mutableSpan), &info)
    }
  }

  @Test func sends() throws {
    let bytes: [UInt8] = [1, 2]
    var ancillary = AncillaryBuffer<64>()
    var metadata = OutgoingMetadata()
    metadata.hopLimit = 9
    try metadata.encode(into: &ancillary, for: .loopback(port: 1))
    let extra = ancillary.bytes.array
    try expectNamed(.send) { _ = try $0.send(bytes.span) }
    try expectNamed(.send) { _ = try $0.send(bytes.span, until: .after(soon)) }
    try expectNamed(.send) { _ = try $0.send(bytes.span, ancillary: extra.span.integerBytes) }
    try expectNamed(.send) { _ = try $0.send(gathering: GatherList(bytes.span, bytes.span)) }
    try expectNamed(.send) { _ = try $0.send(bytes.span, segmentSize: 1, using: .none) }
  }

  @Test func batches() throws {
    var batch = MessageBatch(capacity: 2, messageCapacity: 8)
    try expectNamed(.receive) { _ = try batch.receive(from: $0) }
    batch.removeAll()
    try batch.append([1].span)
    try expectNamed(.send) { _ = try batch.send(on: $0) }
    try expectNamed(.send) { _ = try batch.send(on: $0, until: .after(soon)) }
  }

  @Test func zeroCopySends() throws {
    try expectNamed(.send) {
      var sender = try ZeroCopySender(for: $0)
      var buffer = try PinnedBuffer(capacity: 8)
      buffer.copy([1, 2, 3].span)
      _ = try sender.send(buffer, to: $0)
    }
  }

  /// The number of descriptors selects the buffer for the ancillary data.
  @Test(arguments: [1, 9]) func passedDescriptors(_ count: Int) throws {
    // The peer is closed.
    let socket = NamingUnixSocket(owning: try UnixDatagramSocket.pair().split { near, _ in near.releaseDescriptor() })
    let descriptors = Array(repeating: socket.descriptor, count: count)
    let bytes: [UInt8] = [1]
    #expect(throws: SocketError(.failure(errno: ENODATA), .passDescriptors)) {
      _ = try socket.sendDescriptors(descriptors.span, with: bytes.span)
    }
  }
}

/// A UDP socket with another error number for a closed peer.
private struct NamingSocket: ~Copyable, DatagramSocket, KernelSocket {
  typealias Address = IPSocketAddress
  typealias Options = UDPSocketOptions

  let owned: Descriptor
  init(owning descriptor: consuming Descriptor) { owned = descriptor }
  var descriptor: RawDescriptor { owned.raw }
  consuming func releaseDescriptor() -> Descriptor { owned }
  static var capabilities: SocketCapabilities { UDPSocket.capabilities }
  var mayReceiveDescriptors: Bool { false }

  static func named(_ result: IOResult, on descriptor: RawDescriptor) -> IOResult {
    result.errno == ECONNREFUSED ? .failure(errno: ENODATA) : result
  }
}

/// The same for Unix datagrams.
private struct NamingUnixSocket: ~Copyable, DatagramSocket, KernelSocket, Transport {
  typealias Address = UnixAddress
  typealias Options = UnixSocketOptions

  let owned: Descriptor
  init(owning descriptor: consuming Descriptor) { owned = descriptor }
  var descriptor: RawDescriptor { owned.raw }
  consuming func releaseDescriptor() -> Descriptor { owned }
  static var capabilities: SocketCapabilities { UnixDatagramSocket.capabilities }
  static var kinds: [SocketKind] { UnixDatagramSocket.kinds }
  static var endpointFormat: EndpointFormat<UnixAddress, UnixAddress> { .unix(scheme: "naming+datagram") }

  static func named(_ result: IOResult, on descriptor: RawDescriptor) -> IOResult {
    result.errno == ECONNREFUSED ? .failure(errno: ENODATA) : result
  }
}
