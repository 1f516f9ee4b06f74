public import CSocketKit

// With UDP_GRO the kernel delivers several datagrams of one size as one message; the last may be shorter. The methods
// here separate them in place, without a copy or an allocation.

extension RawSpan {
  /// Calls the body for each datagram of a coalesced message, in order.
  ///
  /// - Parameter segmentSize: ``PacketMetadata/segmentSize``; nil or 0 when the message is one datagram, which may be
  ///   empty.
  @inlinable @inline(__always)
  public func forEachDatagram<E: Error>(
    segmentSize: Int?, _ body: (_ datagram: RawSpan) throws(E) -> Void
  ) throws(E) {
    let total = byteCount
    guard let segmentSize, segmentSize > 0, segmentSize < total else { return try body(self) }
    var offset = 0
    while offset < total {
      let count = total &- offset < segmentSize ? total &- offset : segmentSize
      try body(extracting(offset..<offset &+ count))
      offset &+= count
    }
  }
}

extension Span<UInt8> {
  /// Calls the body for each datagram of a coalesced message, in order, like the method of `RawSpan`.
  @inlinable @inline(__always)
  public func forEachDatagram<E: Error>(
    segmentSize: Int?, _ body: (_ datagram: Span<UInt8>) throws(E) -> Void
  ) throws(E) {
    let total = count
    guard let segmentSize, segmentSize > 0, segmentSize < total else { return try body(self) }
    var offset = 0
    while offset < total {
      let count = total &- offset < segmentSize ? total &- offset : segmentSize
      try body(extracting(offset..<offset &+ count))
      offset &+= count
    }
  }
}

extension MessageBatch {
  /// Returns the metadata in the ancillary data of the message: what the kernel reported, or what was set for sending
  /// where both use the same ancillary message.
  @inlinable
  public func metadata(at slot: Int) -> PacketMetadata {
    withAncillary(at: slot) { PacketMetadata(ancillary: $0) }
  }

  /// Returns the size in bytes of the datagrams in a message that the kernel coalesced (UDP_GRO) or is to split
  /// (UDP_SEGMENT); nil when the message is one datagram.
  @inlinable
  public func segmentSize(at slot: Int) -> Int? {
    var size: Int?
    withAncillary(at: slot) { ancillary in
      AncillaryData.forEach(in: ancillary) { level, type, data in
        guard level == CSK_IPPROTO_UDP else { return }
        if type == CSK_UDP_GRO, data.byteCount >= 4 { size = Int(data.unsafeLoadUnaligned(as: Int32.self)) }
        if type == CSK_UDP_SEGMENT, data.byteCount >= 2 { size = Int(data.unsafeLoadUnaligned(as: UInt16.self)) }
      }
    }
    return size
  }

  /// Calls the body for each datagram in a message, in order. When the message was not coalesced, calls it once with
  /// the whole message.
  @inlinable @inline(__always)
  public func forEachDatagram<E: Error>(
    at slot: Int, _ body: (_ datagram: RawSpan) throws(E) -> Void
  ) throws(E) {
    let size = segmentSize(at: slot)
    try withBytes(at: slot) { bytes throws(E) in try bytes.forEachDatagram(segmentSize: size, body) }
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
    try encoded.withBytes { bytes throws(SocketError) in try setAncillary(bytes, at: slot) }
  }
}
