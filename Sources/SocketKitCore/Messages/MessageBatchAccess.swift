public import CSocketKit

// Access to the messages of a batch. Slots are numbered from 0. A call traps if the slot number is negative or not less
// than `count`. The unsafe expressions access the memory of a checked slot: see the invariant of MessageBatch.

extension MessageBatch {
  @inlinable @inline(__always)
  func check(_ slot: Int) { precondition(slot >= 0 && slot < used, "no such message in the batch") }

  /// Removes the last message. Traps if the batch is empty.
  @inlinable
  public mutating func removeLast() {
    check(used &- 1)
    if mayHoldDescriptors { closeDescriptors(in: used &- 1..<used) }
    used &-= 1
    if done > used { done = used }
  }

  // The kernel writes the length of the address into the message header, not into the address itself.
  @inlinable
  func storedAddress(_ slot: Int) -> AnySocketAddress {
    var address = unsafe addresses[slot]
    unsafe address.setLength(UInt32(bitPattern: headers[slot].message.name_length))
    return address
  }

  /// Calls the body with the bytes of the message. The body may change these bytes.
  @inlinable @inline(__always)
  public mutating func withMutableBytes<R, E: Error>(
    at slot: Int, _ body: (inout MutableSpan<UInt8>) throws(E) -> R
  ) throws(E) -> R {
    check(slot)
    var bytes = unsafe MutableSpan<UInt8>(
      _unsafeBytes: UnsafeMutableRawBufferPointer(start: vectors[slot].base, count: vectors[slot].length))
    return try body(&bytes)
  }

  /// Adds a message to send.
  /// - Parameter address: the address of the receiver; nil on a connected socket.
  /// - Throws: `.capacityExceeded` if the batch is full or the message is longer than ``messageCapacity``.
  @inlinable
  public mutating func append<Receiver: SocketAddress>(
    _ bytes: Span<UInt8>, to address: Receiver? = AnySocketAddress?.none
  ) throws(SocketError) {
    try add(bytes, to: address.map { AnySocketAddress($0) } ?? AnySocketAddress())
  }

  @inlinable
  mutating func add(_ bytes: Span<UInt8>, to address: AnySocketAddress) throws(SocketError) {
    if isFull || bytes.count > messageCapacity { throw SocketError(code: .capacityExceeded, .send) }
    let slot = used
    setUp(slot)
    unsafe bytes.withUnsafeBytes { source in
      if let start = source.baseAddress { unsafe vectors[slot].base.copyMemory(from: start, byteCount: source.count) }
    }
    unsafe vectors[slot].length = bytes.count
    unsafe addresses[slot] = address
    unsafe headers[slot].message.name_length = Int32(address.byteCount)
    unsafe headers[slot].message.control_length = 0
    unsafe headers[slot].length = UInt32(truncatingIfNeeded: bytes.count)
    unsafe ancillaryLengths[slot] = 0
    used = slot &+ 1
    touched = touched > used ? touched : used
  }

  /// For implementers: calls the body with the buffers of the next message, and adds the message unless the result is a
  /// failure. Traps if the batch is full.
  /// - Parameter descriptorsMayCome: ``MessageSocket/mayReceiveDescriptors`` of the socket that receives the message.
  ///   If true, the batch closes the descriptors that the program does not remove from the batch.
  ///
  /// The caller must guarantee that the kernel wrote the ancillary data, because the batch then owns the descriptors
  /// whose numbers the ancillary data contains.
  @unsafe
  @inlinable @inline(__always)
  public mutating func withFreeSlot(
    descriptorsMayCome: Bool = true,
    _ body: (_ buffer: inout MutableSpan<UInt8>, _ ancillary: inout MutableRawSpan, _ info: inout MessageInfo) ->
      IOResult
  ) -> IOResult {
    precondition(!isFull, "the batch is full")
    let slot = used
    setUp(slot)
    var info = MessageInfo()
    var bytes = unsafe MutableSpan<UInt8>(
      _unsafeBytes: UnsafeMutableRawBufferPointer(start: vectors[slot].base, count: messageCapacity))
    var extra = unsafe MutableRawSpan(
      _unsafeBytes: UnsafeMutableRawBufferPointer(
        start: ancillary + slot &* ancillaryCapacity, count: ancillaryCapacity))
    let result = body(&bytes, &extra, &info)
    if result.isFailure { return result }
    unsafe headers[slot].length = UInt32(clamping: result.raw)
    unsafe headers[slot].message.flags = UInt32(bitPattern: info.flags.rawValue)
    unsafe vectors[slot].length = min(result.raw, messageCapacity)
    unsafe ancillaryLengths[slot] = max(0, min(info.ancillaryLength, ancillaryCapacity))
    if unsafe descriptorsMayCome && ancillaryLengths[slot] != 0 { mayHoldDescriptors = true }
    unsafe headers[slot].message.control_length = 0
    unsafe addresses[slot] = info.address
    unsafe headers[slot].message.name_length = Int32(info.address.byteCount)
    used = slot &+ 1
    touched = max(touched, used)
    return result
  }

  /// For implementers: calls the body with the first unsent message.
  @inlinable @inline(__always)
  public func withMessageToSend(
    _ body: (_ bytes: Span<UInt8>, _ ancillary: RawSpan, _ address: RawSpan) -> IOResult
  ) -> IOResult {
    check(done)
    let bytes = unsafe Span<UInt8>(
      _unsafeBytes: UnsafeRawBufferPointer(start: vectors[done].base, count: vectors[done].length))
    let extra = unsafe UnsafeRawBufferPointer(
      start: ancillary + done &* ancillaryCapacity, count: headers[done].message.control_length)
    return storedAddress(done).withBytes { unsafe body(bytes, extra.bytes, $0) }
  }
}

extension AnySocketAddress {
  /// The length of the address in bytes; 0 if there is no address.
  @inlinable public var byteCount: Int { Int(length) }
}
