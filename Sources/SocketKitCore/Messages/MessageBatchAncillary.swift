public import CSocketKit

// The ancillary data of the messages that a batch sends. Before the unsafe expressions access the memory of a slot, the
// code checks the slot and compares the length with the capacity: see the invariant of MessageBatch.

extension MessageBatch {
  /// Sets the ancillary data with which a message is sent, in the encoding of ``AncillaryBuffer``.
  /// - Throws: `.capacityExceeded` if the ancillary data are longer than ``ancillaryCapacity``.
  @inlinable
  public mutating func setAncillary(_ bytes: RawSpan, at slot: Int) throws(SocketError) {
    check(slot)
    if bytes.byteCount > ancillaryCapacity { throw SocketError(code: .capacityExceeded, .send) }
    if mayHoldDescriptors { closeDescriptors(in: slot..<slot &+ 1) }
    let place = unsafe ancillary + slot &* ancillaryCapacity
    unsafe bytes.withUnsafeBytes { source in
      if let start = source.baseAddress { unsafe place.copyMemory(from: start, byteCount: source.count) }
    }
    unsafe headers[slot].message.control_length = bytes.byteCount
    unsafe ancillaryLengths[slot] = bytes.byteCount
  }

  /// Sets the size in bytes of the datagrams into which the kernel splits the message when it sends the message
  /// (UDP_SEGMENT). The last datagram may be shorter. With this setting, a program can transmit a coalesced message
  /// (UDP_GRO) back to the peer that sent it, as the same datagrams.
  /// - Throws: `.capacityExceeded` if ``ancillaryCapacity`` is less than 24 bytes.
  @inlinable
  public mutating func setSegmentSize(_ size: UInt16, at slot: Int) throws(SocketError) {
    check(slot)
    if ancillaryCapacity < 24 { throw SocketError(code: .capacityExceeded, .send) }
    if mayHoldDescriptors { closeDescriptors(in: slot..<slot &+ 1) }
    let place = unsafe ancillary + slot &* ancillaryCapacity
    unsafe AncillaryLayout.writeHeader(place, length: 2, level: CSK_IPPROTO_UDP, type: CSK_UDP_SEGMENT)
    unsafe place.storeBytes(of: size, toByteOffset: AncillaryLayout.headerSize, as: UInt16.self)
    unsafe headers[slot].message.control_length = AncillaryLayout.space(2)
    unsafe ancillaryLengths[slot] = AncillaryLayout.space(2)
  }
}
