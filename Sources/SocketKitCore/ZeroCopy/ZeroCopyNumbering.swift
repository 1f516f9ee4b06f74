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

  /// Removes and returns the oldest entry of the error queue with another origin, such as an ICMP error, that
  /// ``flush(to:)`` read after a failed send; nil when there is none. The sender keeps at most 64 such entries.
  public mutating func takeOtherError() -> ExtendedError? { others.isEmpty ? nil : others.removeFirst() }

  /// Throws `.invalidArgument` unless the descriptor still refers to the socket that this sender was created for.
  func checkIdentity(_ operation: SocketError.Operation) throws(SocketError) {
    if try socket.socketCookie(operation) != cookie { throw SocketError(code: .invalidArgument, operation) }
  }

  /// Determines whether a failed zero-copy send of a datagram used up a number.
  ///
  /// The kernel releases the number when it could not build the packet, and keeps it when it refused the packet after
  /// building it. A refused packet is freed before sendmsg(2) returns, which queues its completion. When the packet was
  /// split into fragments, some may be sent already, and the completion comes later; a probe then determines the
  /// number.
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

  /// Makes a send that the kernel refuses after it has numbered it. The completion, which is queued before sendmsg(2)
  /// returns, contains the number.
  ///
  /// The send requests to split a page into datagrams of one byte, which are more than the kernel's limit (64, or 128
  /// since Linux 6.9). The kernel checks this after it has built the packet (EINVAL in udp_send_skb of net/ipv4/udp.c,
  /// and likewise for IPv6), so nothing is sent. While the number stays uncertain, buffers are sent without
  /// MSG_ZEROCOPY.
  /// - Returns: the result of the probe's send.
  mutating func probeNumber(_ slot: Int) throws(SocketError) -> IOResult {
    // Buffers are whole pages, of 4096 bytes at least.
    let page = csk_iovec(base: entries[slot].memory, length: 4096)
    var ancillary = AncillaryBuffer<24>()
    try ancillary.append(level: CSK_IPPROTO_UDP, type: CSK_UDP_SEGMENT, value: 1 as UInt16)
    let number = tracker.nextNumber
    let result = attempt(page, ancillary.bytes, entries + slot, CSK_MSG_ZEROCOPY)
    try drain(keepingOthers: true)
    if tracker.nextNumber != number { isNumberUncertain = false }
    return result
  }
}

extension RawDescriptor {
  /// Returns the socket's cookie (SO_COOKIE, Linux 4.6), a number that the kernel gives to one socket only.
  func socketCookie(_ operation: SocketError.Operation) throws(SocketError) -> UInt64 {
    var cookie: UInt64 = 0
    var length: UInt32 = 8
    let result = IOResult(raw: csk_getsockopt(value, CSK_SOL_SOCKET, CSK_SO_COOKIE, &cookie, &length))
    if result.isFailure { throw SocketError(result, operation) }
    return cookie
  }

  /// Returns the number of the socket's address family (SO_DOMAIN).
  func socketDomain(_ operation: SocketError.Operation) throws(SocketError) -> Int32 {
    var number: Int32 = 0
    var length: UInt32 = 4
    let result = IOResult(raw: csk_getsockopt(value, CSK_SOL_SOCKET, CSK_SO_DOMAIN, &number, &length))
    if result.isFailure { throw SocketError(result, operation) }
    return number
  }
}
