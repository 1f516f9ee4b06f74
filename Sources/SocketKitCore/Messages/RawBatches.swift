public import CSocketKit

// recvmmsg(2) and sendmmsg(2) on a descriptor. The kernel accesses only as many slots as the call states. The batch
// owns these slots: see the invariant of MessageBatch.

extension RawDescriptor {
  /// For implementers: fills a batch with recvmmsg(2), without waiting.
  ///
  /// - Parameter descriptorsMayCome: whether messages can carry descriptors. If true, the call sets CLOEXEC on received
  ///   descriptors.
  /// - Returns: the number of messages, at least 1; or -errno, never EINTR.
  @inlinable @inline(__always)
  public func attemptReceive(batch: inout MessageBatch, descriptorsMayCome: Bool) -> IOResult {
    batch.prepareToReceive()
    let number = value
    let flags = CSK_MSG_TRUNC | (descriptorsMayCome ? CSK_MSG_CMSG_CLOEXEC : 0)
    var result = unsafe csk_recvmmsg(number, batch.headers, UInt32(truncatingIfNeeded: batch.capacity), flags)
    while result == 0 &- Int(CSK_EINTR) {
      result = unsafe csk_recvmmsg(number, batch.headers, UInt32(truncatingIfNeeded: batch.capacity), flags)
    }
    batch.finishReceiving(result, descriptorsMayCome: descriptorsMayCome)
    return IOResult(raw: result)
  }

  /// For implementers: sends the unsent messages of a batch with sendmmsg(2) and counts the messages as sent. The call
  /// does not wait on a non-blocking socket and does not raise SIGPIPE.
  ///
  /// - Parameter most: the largest number of messages to send. Traps if the number is negative.
  /// - Returns: the number of messages that the kernel accepted, at least 1; 0 if the batch contains no unsent
  ///   messages; or -errno of the first unsent message, never EINTR.
  @inlinable @inline(__always)
  public func attemptSend(batch: inout MessageBatch, atMost most: Int = .max) -> IOResult {
    precondition(most >= 0, "the number of messages is negative")
    let number = value
    let unsent = batch.count &- batch.sent
    let rest = UInt32(truncatingIfNeeded: most < unsent ? most : unsent)
    if rest == 0 { return .zero }
    let first = unsafe batch.headers + batch.sent
    var result = unsafe csk_sendmmsg(number, first, rest, CSK_MSG_NOSIGNAL)
    while result == 0 &- Int(CSK_EINTR) { result = unsafe csk_sendmmsg(number, first, rest, CSK_MSG_NOSIGNAL) }
    if result > 0 { batch.advance(by: result) }
    return IOResult(raw: result)
  }

  /// Sends the next `count` messages of a batch as one message, which the kernel splits again (UDP_SEGMENT), and counts
  /// the messages as sent. The call does not copy the bytes of the messages in user space.
  ///
  /// - Parameter count: the result of ``MessageBatch/run(at:)``, at least 2. Traps if the number is less than 1 or
  ///   greater than the number of unsent messages.
  /// - Returns: `count`; or -errno, never EINTR.
  @inlinable
  func attemptSendJoined(_ count: Int, of batch: inout MessageBatch) -> IOResult {
    precondition(count >= 1 && count <= batch.count &- batch.sent, "the number of messages is out of range")
    let number = value
    let first = batch.sent
    var header = unsafe batch.headers[first].message
    unsafe header.vector_count = count
    // Memory of three words for one ancillary message with two bytes of data.
    var ancillary: (UInt64, UInt64, UInt64) = (0, 0, 0)
    let size = unsafe UInt16(truncatingIfNeeded: batch.vectors[first].length)
    // `header` is a copy. It refers to the memory of the slots, and to the three words, which exist during the call.
    let result = unsafe withUnsafeMutableBytes(of: &ancillary) { memory in
      let place = unsafe memory.baseAddress.unsafelyUnwrapped
      unsafe AncillaryLayout.writeHeader(place, length: 2, level: CSK_IPPROTO_UDP, type: CSK_UDP_SEGMENT)
      unsafe place.storeBytes(of: size, toByteOffset: AncillaryLayout.headerSize, as: UInt16.self)
      unsafe header.control = place
      unsafe header.control_length = AncillaryLayout.space(2)
      var result = unsafe csk_sendmsg(number, &header, CSK_MSG_NOSIGNAL)
      while result == 0 &- Int(CSK_EINTR) { result = unsafe csk_sendmsg(number, &header, CSK_MSG_NOSIGNAL) }
      return result
    }
    if result < 0 { return IOResult(raw: result) }
    batch.advance(by: count)
    return IOResult(raw: count)
  }
}

extension MessageBatch {
  /// Returns the number of messages, starting with this slot, that can be sent as one message; 1 if the first message
  /// must be sent separately. All messages of a run have the same receiver, no ancillary data and the same length; the
  /// last message may be shorter. A run contains at most ``mostJoined`` messages, and their bytes fit into one message.
  @usableFromInline
  package func run(at first: Int) -> Int {
    check(first)
    // The numbers of the slots from `first` to `first + most - 1` are less than `used`.
    let vectors = unsafe vectors + first
    let headers = unsafe headers + first
    let addresses = unsafe addresses + first
    let size = unsafe vectors[0].length
    let nameLength = unsafe headers[0].message.name_length
    // An address of more than 28 bytes is not an IP address, and a message with such an address cannot be joined.
    if unsafe size == 0 || headers[0].message.control_length != 0 || nameLength > 28 { return 1 }
    // 65507 bytes is the largest payload of a UDP datagram over IPv4.
    let room = 65507 / size
    var most = used &- first
    if mostJoined < most { most = mostJoined }
    if room < most { most = room }
    var count = 1
    while count < most {
      let length = unsafe vectors[count].length
      if unsafe length > size || length == 0 || headers[count].message.control_length != 0 { break }
      if unsafe headers[count].message.name_length != nameLength { break }
      if unsafe nameLength != 0 && !isSameIPAddress(addresses, addresses + count, nameLength) { break }
      count &+= 1
      if length < size { break }
    }
    return count
  }

  /// For implementers: the number of unsent messages that must be sent separately before the next run, and the number
  /// of messages in this run; 0 if there is no run.
  @inlinable public var nextRun: (alone: Int, joined: Int) {
    var slot = done
    while slot < used {
      let length = run(at: slot)
      if length > 1 { return (slot &- done, length) }
      slot &+= 1
    }
    return (slot &- done, 0)
  }

  /// Returns whether two addresses of the same length, 16 bytes (IPv4) or 28 (IPv6), are equal.
  // An address occupies 128 bytes, so the loads do not read beyond it.
  @unsafe @inlinable @inline(__always)
  func isSameIPAddress(
    _ a: UnsafeMutablePointer<AnySocketAddress>, _ b: UnsafeMutablePointer<AnySocketAddress>, _ length: Int32
  ) -> Bool {
    let x = UnsafeRawPointer(a)
    let y = UnsafeRawPointer(b)
    if unsafe x.load(as: UInt64.self) != y.load(as: UInt64.self) { return false }
    if unsafe x.load(fromByteOffset: 8, as: UInt64.self) != y.load(fromByteOffset: 8, as: UInt64.self) { return false }
    if length <= 16 { return length == 16 }
    if unsafe x.load(fromByteOffset: 16, as: UInt64.self) != y.load(fromByteOffset: 16, as: UInt64.self) {
      return false
    }
    return unsafe length == 28
      && x.load(fromByteOffset: 24, as: UInt32.self) == y.load(fromByteOffset: 24, as: UInt32.self)
  }
}
