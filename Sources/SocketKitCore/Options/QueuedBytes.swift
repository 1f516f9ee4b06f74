internal import CSocketKit

// The numbers of bytes in the kernel's queues: SIOCINQ and SIOCOUTQ (tcp(7), udp(7), unix(7)). Each transport counts
// differently.

extension ReadOnlySocketOption where Value == Int {
  /// The number of queued bytes that have not been read (ioctl(2) with SIOCINQ, named FIONREAD for pipes and
  /// terminals).
  ///
  /// - TCP: the bytes that a read would return now, up to urgent data. On a listener, reading this option throws
  ///   `.invalidArgument`.
  /// - UDP, raw IP, packet sockets, Unix datagrams, SCTP: the length of the next message; 0 if there is no message or
  ///   the next message is empty.
  /// - Unix streams and sequenced packets: the bytes of all data that has not been read. On a listener, reading this
  ///   option throws `.invalidArgument`.
  /// - vsock (Linux 6.17 and later): the bytes that have not been read.
  /// - Pipes and terminals: the bytes that have not been read.
  ///
  /// The kernel does not support the request on ICMP sockets, netlink sockets and vsock listeners, or on any vsock
  /// socket before Linux 6.17. In these cases, reading this option throws `.notSupported`.
  public static var queuedInputBytes: Self {
    Self { (target: RawDescriptor) throws(SocketError) -> Int in try target.queuedBytes(CSK_SIOCINQ) }
  }

  /// The number of sent bytes that are still in this socket's send buffer (ioctl(2) with SIOCOUTQ, named TIOCOUTQ for
  /// terminals).
  ///
  /// - TCP: the number of bytes that the peer's kernel has not acknowledged. A queued FIN counts as one byte. 0 means
  ///   that all bytes have arrived in the peer's kernel. It does not mean that the peer's program has read them. On a
  ///   listener, reading this option throws `.invalidArgument`.
  /// - Unix sockets: the data that the peers have not read yet. UDP, raw IP, packet sockets: the data that has not left
  ///   this host. Both values are the memory in use, which is larger than the number of bytes sent.
  /// - vsock streams (Linux 6.11 and later): the bytes that the peer has not received.
  /// - Terminals: the bytes that have not been output yet.
  ///
  /// The kernel does not support this request on SCTP, ICMP and netlink sockets, or on pipes. On vsock sockets, it
  /// supports the request since Linux 6.11. In the other cases, reading this option throws `.notSupported`.
  public static var queuedOutputBytes: Self {
    Self { (target: RawDescriptor) throws(SocketError) -> Int in try target.queuedBytes(CSK_SIOCOUTQ) }
  }
}

extension RawDescriptor {
  fileprivate func queuedBytes(_ request: Int32) throws(SocketError) -> Int {
    var count: Int32 = 0
    // The kernel writes one int.
    let result = IOResult(raw: unsafe csk_ioctl(value, UInt(bitPattern: Int(request)), &count))
    // ENOTTY: this kind of descriptor does not support the request.
    if result.errno == CSK_ENOTTY { throw SocketError(code: .notSupported, .getOption, errno: CSK_ENOTTY) }
    if result.isFailure { throw SocketError(result, .getOption) }
    return Int(count)
  }
}
