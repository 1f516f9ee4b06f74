/// A socket that sends and receives datagrams. Datagrams are messages that are routed independently and need no
/// connection. A datagram socket never reports an end of stream.
///
/// A datagram socket may be connected to one address. A connected datagram socket sends to this address, receives only
/// datagrams from this address, and reports ICMP errors.
public protocol DatagramSocket: MessageSocket, ~Copyable {
  /// Returns the address that the socket is connected to (getpeername(2)); nil if the socket is not connected. The
  /// kernel does not report this address for raw IP sockets.
  /// - Throws: `.invalidAddress` if the address is not of this transport's address type; `.closed`.
  borrowing func connectedAddress() throws(SocketError) -> Address?

  /// Receives one message and its sender's address, without waiting. The default implementation calls
  /// ``MessageSocket/attemptReceive(into:ancillary:flags:_:)``. Kernel sockets use recvfrom(2), which is faster.
  /// - Parameter address: set unless the result is a failure. The call sets an empty address if the sender has no
  ///   address.
  borrowing func attemptReceive(
    into buffer: inout MutableSpan<UInt8>, from address: inout AnySocketAddress, flags: ReceiveFlags
  ) -> IOResult
}

extension DatagramSocket where Self: ~Copyable {
  @inlinable
  public borrowing func attemptReceive(
    into buffer: inout MutableSpan<UInt8>, from address: inout AnySocketAddress, flags: ReceiveFlags
  ) -> IOResult {
    var info = MessageInfo()
    var none = MutableRawSpan()
    let result = attemptReceive(into: &buffer, ancillary: &none, flags: flags, &info)
    if result.raw >= 0 { address = info.address }
    return result
  }
}
