public import CSocketKit

// The ancillary data of the messages that a batch sends.

extension MessageBatch {
  /// Sets the ancillary data with which a message is sent, in the encoding of ``AncillaryBuffer``.
  /// - Throws: `.capacityExceeded` if the ancillary data are longer than ``ancillaryCapacity``.
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

  /// Sets the size in bytes of the datagrams into which the kernel splits the message when it sends the message
  /// (UDP_SEGMENT). The last datagram may be shorter. With this setting, a program can send a message that the kernel
  /// coalesced on receive back as the same datagrams.
  /// - Throws: `.capacityExceeded` if ``ancillaryCapacity`` is less than 24 bytes.
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

  /// Sets the ancillary data with which a message is sent. The message may be a received message that the program sends
  /// back.
  ///
  /// - Parameter destination: the address that the socket is connected to; nil if the message contains an address.
  /// - Throws: `.capacityExceeded` if ``ancillaryCapacity`` is too small (160 bytes are sufficient for all settings);
  ///   `.invalidArgument` without a destination, or for a source of the other IP version; `.notSupported` for
  ///   ``OutgoingMetadata/doNotFragment`` with an IPv4 destination. If the call throws, the message does not change.
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
