public import CSocketKit

// The ancillary data that the messages of a batch are sent with.

extension MessageBatch {
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

  /// Sets the ancillary data that a message is sent with. The message is one to send, or a received one that is sent
  /// back to its sender.
  ///
  /// - Parameter destination: the address that the socket is connected to; nil when the message has its own address.
  /// - Throws: `.capacityExceeded` when ``ancillaryCapacity`` is too small (160 bytes hold everything);
  ///   `.invalidArgument` without a destination, or for a source of the other IP version; `.notSupported` for
  ///   ``OutgoingMetadata/doNotFragment`` and an IPv4 destination. The message does not change then.
  @inlinable
  public mutating func setMetadata(
    _ metadata: OutgoingMetadata, at slot: Int, for destination: IPSocketAddress? = nil
  ) throws(SocketError) {
    check(slot)
    guard let receiver = destination ?? IPSocketAddress(storedAddress(slot)) else {
      throw SocketError(code: .invalidArgument, .send)
    }
    var encoded = AncillaryBuffer<160>()
    try metadata.encode(into: &encoded, for: receiver)
    try setAncillary(encoded.bytes, at: slot)
  }
}
