/// A socket that sends and receives datagrams: messages that need no connection and are routed independently. Datagrams
/// have no end of stream.
///
/// A datagram socket may be connected to one address. It then sends to that address, receives only from it, and reports
/// ICMP errors.
public protocol DatagramSocket: MessageSocket, ~Copyable {
  /// Returns the address that the socket is connected to (getpeername(2)); nil when it is not connected. The kernel
  /// keeps no such address for raw IP sockets.
  /// - Throws: `.invalidAddress` when the address is not one of this transport; `.closed`.
  borrowing func connectedAddress() throws(SocketError) -> Address?

  /// Receives one message and its sender, without waiting, for callers that need only the address. The default calls
  /// ``MessageSocket/attemptReceive(into:ancillary:flags:_:)``; kernel sockets use recvfrom(2), which costs less.
  /// - Parameter address: set unless the result is a failure; empty when the sender has no address.
  borrowing func attemptReceive(
    into buffer: inout MutableRawSpan, from address: inout AnySocketAddress, flags: ReceiveFlags
  ) -> IOResult
}

extension DatagramSocket where Self: ~Copyable {
  @inlinable
  public borrowing func attemptReceive(
    into buffer: inout MutableRawSpan, from address: inout AnySocketAddress, flags: ReceiveFlags
  ) -> IOResult {
    var info = MessageInfo()
    var none = MutableRawSpan()
    let result = attemptReceive(into: &buffer, ancillary: &none, flags: flags, &info)
    if result.raw >= 0 { address = info.address }
    return result
  }
}
