internal import CSocketKit
internal import SocketKitCore
public import SocketKitIP

// Functions with which a sender identifies its socket and determines the number that the kernel assigns to the next
// send.

extension ZeroCopySender {
  /// Reads the error queue until it is empty.
  /// - Parameter keepingOthers: whether to store the entries of other origins for ``takeOtherError()``.
  mutating func drain(keepingOthers: Bool) throws(SocketError) {
    while let error = try socket.nextQueuedError() {
      if error.origin == .zeroCopy {
        note(error)
      } else if keepingOthers && others.count < Self.mostOthers {
        others.append(error)
      }
    }
  }

  /// The largest number of entries that are stored for ``takeOtherError()``. The kernel's error queue is limited too.
  private static var mostOthers: Int { 64 }

  /// Removes and returns the oldest stored entry of the error queue that is not a completion, for example an ICMP
  /// error; nil if there is none. ``flush(to:)`` stores such entries when it reads the queue after a failed send. The
  /// sender stores at most 64 entries.
  public mutating func takeOtherError() -> ExtendedError? { others.isEmpty ? nil : others.removeFirst() }

  /// Throws `.invalidArgument` unless the descriptor still refers to the socket that this sender was created for.
  func checkIdentity(_ operation: SocketError.Operation) throws(SocketError) {
    if try socket.socketCookie(operation) != cookie { throw SocketError(code: .invalidArgument, operation) }
  }

  /// Determines whether the kernel assigned a number to a failed zero-copy send of a datagram.
  ///
  /// If the kernel could not build the packet, it reuses the number for the next send. If the kernel refused a packet
  /// that it had built, the number is used up. The kernel frees a refused packet before sendmsg(2) returns, and puts
  /// the completion of the packet into the error queue. If the kernel has split the packet into fragments, it may
  /// already have sent some of them, and the completion arrives later. In this case a probe determines the number.
  /// - Returns: whether the failed send has a number.
  mutating func settleNumber(_ slot: Int) throws(SocketError) -> Bool {
    try checkIdentity(.send)
    let number = tracker.nextNumber
    try drain(keepingOthers: true)
    if tracker.nextNumber != number { return true }
    isNumberUncertain = true
    _ = try probeNumber(slot)
    return tracker.nextNumber &- number > 1
  }

  /// Performs a send that the kernel refuses only after it has assigned a number to the send. The kernel puts the
  /// completion, which contains the number, into the error queue before sendmsg(2) returns.
  ///
  /// This send asks the kernel to split a page into datagrams of one byte. The number of these datagrams exceeds the
  /// kernel's limit (64, or 128 since Linux 6.9). The kernel builds the packet, then checks the limit and
  /// fails with EINVAL (udp_send_skb in net/ipv4/udp.c, similarly for IPv6), so it sends nothing. While the next number
  /// is unknown, the sender sends buffers without MSG_ZEROCOPY.
  /// - Returns: the result of the send call.
  mutating func probeNumber(_ slot: Int) throws(SocketError) -> IOResult {
    var ancillary = AncillaryBuffer<24>()
    try ancillary.append(level: CSK_IPPROTO_UDP, type: CSK_UDP_SEGMENT, value: 1 as UInt16)
    let number = tracker.nextNumber
    // A buffer consists of whole pages, which have at least 4096 bytes.
    let result = attempt(slot, 0..<4096, ancillary.bytes, .zeroCopy)
    try drain(keepingOthers: true)
    if tracker.nextNumber != number { isNumberUncertain = false }
    return result
  }
}

extension RawDescriptor {
  /// Returns the socket's cookie (SO_COOKIE, Linux 4.6), a number that the kernel assigns to only one socket.
  func socketCookie(_ operation: SocketError.Operation) throws(SocketError) -> UInt64 {
    var cookie: UInt64 = 0
    var length = 0
    let result = readOption(CSK_SOL_SOCKET, CSK_SO_COOKIE, into: &cookie, &length)
    if result.isFailure { throw SocketError(result, operation) }
    return cookie
  }
}
