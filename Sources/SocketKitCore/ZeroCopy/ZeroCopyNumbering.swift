internal import CSocketKit

// How a sender identifies its socket, and finds the number that the kernel gives to the next send.

extension ZeroCopySender {
  /// Reads the error queue until it is empty.
  /// - Parameter keepingOthers: whether to keep the entries of other origins for ``takeOtherError()``.
  mutating func drain(keepingOthers: Bool) throws(SocketError) {
    while let error = try socket.nextQueuedError() {
      if error.origin == .zeroCopy {
        note(error)
      } else if keepingOthers && others.count < Self.mostOthers {
        others.append(error)
      }
    }
  }

  /// The most entries that are kept for ``takeOtherError()``; the kernel's own queue is bounded too.
  private static var mostOthers: Int { 64 }

  /// Takes the oldest entry of the error queue with another origin, such as an ICMP error, that ``flush(to:)`` read
  /// after a failed send; nil when there is none. At most 64 are kept.
  public mutating func takeOtherError() -> ExtendedError? { others.isEmpty ? nil : others.removeFirst() }

  /// Whether the descriptor is still the socket that this sender was made for.
  func checkIdentity(_ operation: SocketError.Operation) throws(SocketError) {
    if try socket.socketCookie(operation) != cookie { throw SocketError(code: .invalidArgument, operation) }
  }

  /// After a failed zero-copy send of a datagram: finds out whether it used up a number.
  ///
  /// The kernel takes the number back when it could not build the packet, and keeps it when the packet was built and
  /// then refused. A refused packet is freed before sendmsg(2) returns, which queues its completion. Of a packet that
  /// was cut into fragments some may be sent already, and its completion comes later; then a probe finds the number.
  /// - Returns: whether the failed send used up a number.
  mutating func settleNumber(_ slot: Int) throws(SocketError) -> Bool {
    try checkIdentity(.send)
    let number = tracker.nextNumber
    try drain(keepingOthers: true)
    if tracker.nextNumber != number { return true }
    isNumberUncertain = true
    _ = try probeNumber(slot)
    return tracker.nextNumber &- number > 1
  }

  /// Makes a send that the kernel refuses after it has numbered it: its completion, which is queued before sendmsg(2)
  /// returns, tells the number.
  ///
  /// The kernel is asked to cut a page into datagrams of one byte. That is more than it cuts (64, or 128 since Linux
  /// 6.9). It checks this after it has built the packet (EINVAL in udp_send_skb of net/ipv4/udp.c, and likewise for
  /// IPv6), so nothing is sent. While the number stays uncertain, buffers are sent without MSG_ZEROCOPY.
  /// - Returns: what the probe failed with.
  mutating func probeNumber(_ slot: Int) throws(SocketError) -> IOResult {
    // Buffers are whole pages, of 4096 bytes at least.
    let page = csk_iovec(base: entries[slot].memory, length: 4096)
    var control = ControlBuffer<24>()
    try control.append(level: CSK_IPPROTO_UDP, type: CSK_UDP_SEGMENT, value: 1 as UInt16)
    let number = tracker.nextNumber
    let result = control.withBytes { attempt(page, $0, entries + slot, CSK_MSG_ZEROCOPY) }
    try drain(keepingOthers: true)
    if tracker.nextNumber != number { isNumberUncertain = false }
    return result
  }
}

extension RawDescriptor {
  /// SO_COOKIE (Linux 4.6): a number that the kernel gives to one socket only.
  func socketCookie(_ operation: SocketError.Operation) throws(SocketError) -> UInt64 {
    var cookie: UInt64 = 0
    var length: UInt32 = 8
    let result = IOResult(raw: csk_getsockopt(value, CSK_SOL_SOCKET, CSK_SO_COOKIE, &cookie, &length))
    if result.isFailure { throw SocketError(result, operation) }
    return cookie
  }

  /// The number of the socket's address family (SO_DOMAIN).
  func socketDomain(_ operation: SocketError.Operation) throws(SocketError) -> Int32 {
    var number: Int32 = 0
    var length: UInt32 = 4
    let result = IOResult(raw: csk_getsockopt(value, CSK_SOL_SOCKET, CSK_SO_DOMAIN, &number, &length))
    if result.isFailure { throw SocketError(result, operation) }
    return number
  }
}
