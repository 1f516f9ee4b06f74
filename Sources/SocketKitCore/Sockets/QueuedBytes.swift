internal import CSocketKit

// The numbers of bytes in the kernel's queues: SIOCINQ and SIOCOUTQ (tcp(7), udp(7), unix(7)). Each transport counts
// differently.

extension DescriptorSocket where Self: ~Copyable {
  /// Returns the number of bytes that wait to be read (ioctl(2) with SIOCINQ, named FIONREAD for pipes and terminals).
  ///
  /// - TCP: the number of bytes that a read would return now, up to urgent data. `.invalidArgument` on a listener.
  /// - UDP, raw IP, packet sockets, Unix datagrams, SCTP: the length of the next message, or 0 if there is no message
  ///   or the message is empty.
  /// - Unix streams and sequenced packets: the number of all bytes in the queue. `.invalidArgument` on a listener.
  /// - vsock: the number of bytes in the queue (since Linux 6.17).
  /// - Pipes and terminals: the number of bytes that can be read.
  /// - Throws: `.notSupported` if the kernel does not support the request (ICMP, netlink, older vsock, vsock
  ///   listeners); `.closed`.
  public borrowing func queuedInputBytes() throws(SocketError) -> Int {
    try descriptor.queuedBytes(CSK_SIOCINQ)
  }

  /// Returns the number of sent bytes that are still in this socket's send buffer (ioctl(2) with SIOCOUTQ, named
  /// TIOCOUTQ for terminals).
  ///
  /// - TCP: the number of bytes that the peer's kernel has not acknowledged. A queued FIN counts as one byte. 0 means
  ///   that all bytes have arrived in the peer's kernel. It does not mean that the peer's program has read them.
  ///   `.invalidArgument` on a listener.
  /// - Unix sockets: the data that the peers have not read yet. UDP, raw IP, packet sockets: the data that has not left
  ///   this host. For all these sockets, the result is the amount of memory in use, which is more than the number of
  ///   bytes sent.
  /// - vsock streams: the number of bytes that the peer has not received (since Linux 6.11).
  /// - Terminals: the number of bytes that have not been output yet.
  /// - Throws: `.notSupported` if the kernel does not support the request (SCTP, ICMP, netlink, older vsock, pipes);
  ///   `.closed`.
  public borrowing func queuedOutputBytes() throws(SocketError) -> Int {
    try descriptor.queuedBytes(CSK_SIOCOUTQ)
  }
}

extension RawDescriptor {
  fileprivate func queuedBytes(_ request: Int32) throws(SocketError) -> Int {
    var count: Int32 = 0
    let result = IOResult(raw: csk_ioctl(value, UInt(bitPattern: Int(request)), &count))
    // ENOTTY: this kind of descriptor does not support the request.
    if result.errno == CSK_ENOTTY { throw SocketError(code: .notSupported, .getOption, errno: CSK_ENOTTY) }
    if result.isFailure { throw SocketError(result, .getOption) }
    return Int(count)
  }
}
