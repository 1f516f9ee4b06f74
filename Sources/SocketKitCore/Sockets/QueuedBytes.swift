internal import CSocketKit

// How many bytes wait in the kernel: SIOCINQ and SIOCOUTQ (tcp(7), udp(7), unix(7)). Each transport counts in its own
// way.

extension DescriptorSocket where Self: ~Copyable {
  /// How many bytes wait to be read (ioctl(2) with SIOCINQ, which pipes and terminals know as FIONREAD).
  ///
  /// - TCP: the bytes that a read would get now, up to urgent data. `.invalidArgument` on a listener.
  /// - UDP, raw IP, packet sockets, Unix datagrams, SCTP: the length of the next message, 0 when there is none or it is
  ///   empty.
  /// - Unix streams and sequenced packets: the bytes of everything that waits. `.invalidArgument` on a listener.
  /// - vsock: the bytes that wait, since Linux 6.17.
  /// - Pipes and terminals: the bytes that wait.
  /// - Throws: `.notSupported` where the kernel has no answer: ICMP, netlink, older vsock, listeners of vsock;
  ///   `.closed`.
  public borrowing func queuedInputBytes() throws(SocketError) -> Int {
    try descriptor.queuedBytes(CSK_SIOCINQ)
  }

  /// How many bytes were sent and are still in this socket's send buffer (ioctl(2) with SIOCOUTQ, which terminals know
  /// as TIOCOUTQ).
  ///
  /// - TCP: the bytes that the peer's kernel has not acknowledged; a queued end of the stream counts as one. 0 means
  ///   that everything has arrived in the peer's kernel, not that its program has read it. `.invalidArgument` on a
  ///   listener.
  /// - Unix sockets: what the peers have not read yet. UDP, raw IP, packet sockets: what has not left this host. Both
  ///   count the memory in use, which is more than the bytes sent.
  /// - vsock streams: the bytes that the peer has not taken, since Linux 6.11.
  /// - Terminals: the bytes that are not output yet.
  /// - Throws: `.notSupported` where the kernel has no answer: SCTP, ICMP, netlink, older vsock, pipes; `.closed`.
  public borrowing func queuedOutputBytes() throws(SocketError) -> Int {
    try descriptor.queuedBytes(CSK_SIOCOUTQ)
  }
}

extension RawDescriptor {
  fileprivate func queuedBytes(_ request: Int32) throws(SocketError) -> Int {
    var count: Int32 = 0
    let result = IOResult(raw: csk_ioctl(value, UInt(bitPattern: Int(request)), &count))
    // "Inappropriate ioctl": this kind of descriptor has no answer.
    if result.errno == CSK_ENOTTY { throw SocketError(code: .notSupported, .getOption, errno: CSK_ENOTTY) }
    if result.isFailure { throw SocketError(result, .getOption) }
    return Int(count)
  }
}
