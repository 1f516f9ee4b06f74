import SocketKit

/// UDP with a fault: its errors come back late, which those of Unix datagrams do not.
struct FaultyUDPSocket<Fault: MessageFault>: ~Copyable, DatagramSocket {
  let base: UDPSocket

  init(_ base: consuming UDPSocket) {
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
    Fault.receive(&buffer, &ancillary, flags, &info) { base.attemptReceive(into: &$0, ancillary: &$1, flags: $2, &$3) }
  }
  borrowing func attemptSend(_ bytes: Span<UInt8>, ancillary: RawSpan, to address: RawSpan, flags: SendFlags)
    -> IOResult
  {
    Fault.send(bytes, ancillary, address, flags) { base.attemptSend($0, ancillary: $1, to: $2, flags: $3) }
  }
  borrowing func attemptShutdown(_ direction: ShutdownDirection) -> IOResult { base.attemptShutdown(direction) }
  consuming func attemptClose() -> IOResult { base.attemptClose() }
  borrowing func localAddress() throws(SocketError) -> IPSocketAddress { try base.localAddress() }
  borrowing func connectedAddress() throws(SocketError) -> IPSocketAddress? { try base.connectedAddress() }

  static func pair() throws -> SocketPair<FaultyUDPSocket> {
    let first = try UDPSocket.bind(to: .loopback(port: 0))
    let second = try UDPSocket.bind(to: .loopback(port: 0))
    try first.connect(to: second.localAddress())
    try second.connect(to: first.localAddress())
    return SocketPair(FaultyUDPSocket(first), FaultyUDPSocket(second))
  }
}
