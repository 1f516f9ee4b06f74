public import SocketKitCore

extension AncillaryBuffer {
  /// The information about a received packet, decoded from the ancillary data.
  @inlinable public var metadata: PacketMetadata { PacketMetadata(ancillary: bytes) }
}

extension MessageBatch.Message {
  /// The metadata in the ancillary data of the message. For a received message, this is the information that the kernel
  /// reported. For a message to send, it contains only the settings whose ancillary messages have the same type for
  /// sending and for receiving.
  @inlinable public var metadata: PacketMetadata { PacketMetadata(ancillary: ancillary) }
}

extension MessageBatch {
  /// Sets the ancillary data of an outgoing message. The message may be a received message that the program sends back.
  ///
  /// - Parameter destination: the address that the socket is connected to; nil if the message contains an address.
  /// - Throws: `.capacityExceeded` if `ancillaryCapacity` is too small (160 bytes are sufficient for all settings);
  ///   `.invalidArgument` if there is no destination, or if the source has the other IP version; `.notSupported` for
  ///   ``OutgoingMetadata/doNotFragment`` with an IPv4 destination. If the call throws, the message does not change.
  @inlinable
  public mutating func setMetadata(
    _ metadata: OutgoingMetadata, at slot: Int, for destination: IPSocketAddress? = nil
  ) throws(SocketError) {
    guard let receiver = destination ?? IPSocketAddress(self[slot].address) else {
      throw SocketError(code: .invalidArgument, .send)
    }
    var encoded = AncillaryBuffer<160>()
    try metadata.encode(into: &encoded, for: receiver)
    try setAncillary(encoded.bytes, at: slot)
  }
}
