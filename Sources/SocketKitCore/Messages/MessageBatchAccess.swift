public import CSocketKit

// Access to the messages of a batch. Slots are numbered from 0; a slot at or above `count` traps.

extension MessageBatch {
  @inlinable @inline(__always)
  func check(_ slot: Int) { precondition(slot >= 0 && slot < used, "no such message in the batch") }

  /// Returns the number of bytes of the message in the batch, at most ``messageCapacity``.
  @inlinable
  public func byteCount(at slot: Int) -> Int {
    check(slot)
    return vectors[slot].length
  }

  /// Returns the full length of the message, even when it was truncated.
  @inlinable
  public func fullLength(at slot: Int) -> Int {
    check(slot)
    return Int(headers[slot].length)
  }

  /// Returns the flags that recvmmsg(2) reported for the message.
  @inlinable
  public func flags(at slot: Int) -> MessageInfo.Flags {
    check(slot)
    return MessageInfo.Flags(reported: headers[slot].message.flags)
  }

  /// Returns the lengths, the flags and the address that the kernel reported for the message.
  @inlinable
  public func info(at slot: Int) -> MessageInfo {
    var info = MessageInfo()
    info.length = fullLength(at: slot)
    info.ancillaryLength = ancillaryLengths[slot]
    info.flags = flags(at: slot)
    info.address = storedAddress(slot)
    return info
  }

  /// Removes the last message; traps when there is none.
  @inlinable
  public mutating func removeLast() {
    check(used &- 1)
    if mayHoldDescriptors { closeDescriptors(in: used &- 1..<used) }
    used &-= 1
    if done > used { done = used }
  }

  /// Returns the sender of a received message, or the receiver of a message to send; an empty address on connected
  /// sockets.
  @inlinable
  public func address(at slot: Int) -> AnySocketAddress {
    check(slot)
    return storedAddress(slot)
  }

  // The kernel writes the length of an address into the header, not into the address.
  @inlinable
  func storedAddress(_ slot: Int) -> AnySocketAddress {
    var address = addresses[slot]
    address.setLength(UInt32(bitPattern: headers[slot].message.name_length))
    return address
  }

  /// Calls the body with the bytes of the message.
  @inlinable @inline(__always)
  public func withBytes<R, E: Error>(at slot: Int, _ body: (RawSpan) throws(E) -> R) throws(E) -> R {
    check(slot)
    return try body(
      RawSpan(_unsafeBytes: UnsafeRawBufferPointer(start: vectors[slot].base, count: vectors[slot].length)))
  }

  /// Calls the body with the bytes of the message, which it may change in place.
  @inlinable @inline(__always)
  public mutating func withMutableBytes<R, E: Error>(
    at slot: Int, _ body: (inout MutableRawSpan) throws(E) -> R
  ) throws(E) -> R {
    check(slot)
    var bytes = MutableRawSpan(
      _unsafeBytes: UnsafeMutableRawBufferPointer(start: vectors[slot].base, count: vectors[slot].length))
    return try body(&bytes)
  }

  /// Calls the body with the ancillary data of the message: see ``PacketMetadata`` and ``AncillaryData``.
  @inlinable @inline(__always)
  public func withAncillary<R, E: Error>(at slot: Int, _ body: (RawSpan) throws(E) -> R) throws(E) -> R {
    check(slot)
    return try body(
      RawSpan(
        _unsafeBytes: UnsafeRawBufferPointer(
          start: ancillary + slot &* ancillaryCapacity, count: ancillaryLengths[slot])))
  }

  /// Adds a message to send.
  /// - Parameter address: the receiver; nil on a connected socket.
  /// - Throws: `.capacityExceeded` when the batch is full or the message is longer than ``messageCapacity``.
  @inlinable
  public mutating func append(_ bytes: Span<UInt8>, to address: (some SocketAddress)?) throws(SocketError) {
    try append(bytes.bytes, to: address.map { AnySocketAddress($0) } ?? AnySocketAddress())
  }

  /// Adds a message to send on a connected socket.
  /// - Throws: `.capacityExceeded` when the batch is full or the message is longer than ``messageCapacity``.
  @inlinable
  public mutating func append(_ bytes: Span<UInt8>) throws(SocketError) {
    try append(bytes.bytes, to: AnySocketAddress())
  }

  @inlinable
  mutating func append(_ bytes: RawSpan, to address: AnySocketAddress) throws(SocketError) {
    if isFull || bytes.byteCount > messageCapacity { throw SocketError(code: .capacityExceeded, .send) }
    let slot = used
    setUp(slot)
    bytes.withUnsafeBytes { source in
      if let start = source.baseAddress { vectors[slot].base.copyMemory(from: start, byteCount: source.count) }
    }
    vectors[slot].length = bytes.byteCount
    addresses[slot] = address
    headers[slot].message.name_length = Int32(address.byteCount)
    headers[slot].message.control_length = 0
    headers[slot].length = UInt32(truncatingIfNeeded: bytes.byteCount)
    ancillaryLengths[slot] = 0
    used = slot &+ 1
    touched = touched > used ? touched : used
  }

  /// Sets the ancillary data that a message is sent with, in the encoding of ``AncillaryBuffer``.
  /// - Throws: `.capacityExceeded` when it is longer than ``ancillaryCapacity``.
  @inlinable
  public mutating func setAncillary(_ bytes: RawSpan, at slot: Int) throws(SocketError) {
    check(slot)
    if bytes.byteCount > ancillaryCapacity { throw SocketError(code: .capacityExceeded, .send) }
    if mayHoldDescriptors { closeDescriptors(in: slot..<slot &+ 1) }
    let place = ancillary + slot &* ancillaryCapacity
    bytes.withUnsafeBytes { source in
      if let start = source.baseAddress { place.copyMemory(from: start, byteCount: source.count) }
    }
    headers[slot].message.control_length = bytes.byteCount
    ancillaryLengths[slot] = bytes.byteCount
  }

  /// Sets the size in bytes of the datagrams that the kernel splits the message into when it is sent; the last may be
  /// shorter (UDP_SEGMENT). With this, a message that was coalesced on receive can be sent back as the same datagrams.
  /// - Throws: `.capacityExceeded` when ``ancillaryCapacity`` is less than 24.
  @inlinable
  public mutating func setSegmentSize(_ size: UInt16, at slot: Int) throws(SocketError) {
    check(slot)
    if ancillaryCapacity < 24 { throw SocketError(code: .capacityExceeded, .send) }
    if mayHoldDescriptors { closeDescriptors(in: slot..<slot &+ 1) }
    let place = ancillary + slot &* ancillaryCapacity
    AncillaryLayout.writeHeader(place, length: 2, level: CSK_IPPROTO_UDP, type: CSK_UDP_SEGMENT)
    place.storeBytes(of: size, toByteOffset: AncillaryLayout.headerSize, as: UInt16.self)
    headers[slot].message.control_length = AncillaryLayout.space(2)
    ancillaryLengths[slot] = AncillaryLayout.space(2)
  }

  /// For implementers: calls the body with the room of the next message, and adds the message unless the result is a
  /// failure.
  /// - Parameter descriptorsMayCome: ``MessageSocket/mayReceiveDescriptors`` of the socket that receives the message.
  ///   The batch closes the descriptors that are not taken out of it.
  @inlinable @inline(__always)
  public mutating func withFreeSlot(
    descriptorsMayCome: Bool = true,
    _ body: (_ buffer: inout MutableRawSpan, _ ancillary: inout MutableRawSpan, _ info: inout MessageInfo) -> IOResult
  ) -> IOResult {
    precondition(!isFull, "the batch is full")
    let slot = used
    setUp(slot)
    var info = MessageInfo()
    var bytes = MutableRawSpan(
      _unsafeBytes: UnsafeMutableRawBufferPointer(start: vectors[slot].base, count: messageCapacity))
    var extra = MutableRawSpan(
      _unsafeBytes: UnsafeMutableRawBufferPointer(
        start: ancillary + slot &* ancillaryCapacity, count: ancillaryCapacity))
    let result = body(&bytes, &extra, &info)
    if result.isFailure { return result }
    headers[slot].length = UInt32(clamping: result.raw)
    headers[slot].message.flags = UInt32(bitPattern: info.flags.rawValue)
    vectors[slot].length = min(result.raw, messageCapacity)
    ancillaryLengths[slot] = max(0, min(info.ancillaryLength, ancillaryCapacity))
    if descriptorsMayCome && ancillaryLengths[slot] != 0 { mayHoldDescriptors = true }
    headers[slot].message.control_length = 0
    addresses[slot] = info.address
    headers[slot].message.name_length = Int32(info.address.byteCount)
    used = slot &+ 1
    touched = max(touched, used)
    return result
  }

  /// For implementers: calls the body with the first message that has not been sent.
  @inlinable @inline(__always)
  public func withMessageToSend(
    _ body: (_ bytes: RawSpan, _ ancillary: RawSpan, _ address: RawSpan) -> IOResult
  ) -> IOResult {
    check(done)
    let bytes = UnsafeRawBufferPointer(start: vectors[done].base, count: vectors[done].length)
    let extra = UnsafeRawBufferPointer(
      start: ancillary + done &* ancillaryCapacity, count: headers[done].message.control_length)
    return storedAddress(done).withBytes { body(bytes.bytes, extra.bytes, $0) }
  }
}

extension AnySocketAddress {
  /// The address's length in bytes, 0 for no address.
  @inlinable public var byteCount: Int { Int(length) }
}
