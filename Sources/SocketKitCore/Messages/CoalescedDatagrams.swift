public import CSocketKit

// With UDP_GRO the kernel hands over several datagrams of one size as one message; the last may be shorter. Here they
// come apart again, in place: nothing is copied or allocated.

extension RawSpan {
  /// Calls the body for each datagram of a coalesced message, in their order.
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
  /// Calls the body for each datagram of a coalesced message, in their order: see `RawSpan`'s.
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
  /// What the kernel says of the message; also what was set for sending as far as it has the same form.
  @inlinable
  public func metadata(at slot: Int) -> PacketMetadata {
    withControl(at: slot) { PacketMetadata(control: $0) }
  }

  /// The size of the datagrams inside a message that was coalesced (UDP_GRO), or that is to be cut (UDP_SEGMENT); nil
  /// when it is one datagram.
  @inlinable
  public func segmentSize(at slot: Int) -> Int? {
    var size: Int?
    withControl(at: slot) { control in
      ControlData.forEach(in: control) { level, type, data in
        guard level == CSK_IPPROTO_UDP else { return }
        if type == CSK_UDP_GRO, data.byteCount >= 4 { size = Int(data.unsafeLoadUnaligned(as: Int32.self)) }
        if type == CSK_UDP_SEGMENT, data.byteCount >= 2 { size = Int(data.unsafeLoadUnaligned(as: UInt16.self)) }
      }
    }
    return size
  }

  /// Calls the body for each datagram inside a message, in their order; once, with the whole, when it was not
  /// coalesced.
  @inlinable @inline(__always)
  public func forEachDatagram<E: Error>(
    at slot: Int, _ body: (_ datagram: RawSpan) throws(E) -> Void
  ) throws(E) {
    let size = segmentSize(at: slot)
    try withBytes(at: slot) { bytes throws(E) in try bytes.forEachDatagram(segmentSize: size, body) }
  }

  /// Sets what a message asks for when it is sent: one to send, or one that was received and goes back to its sender.
  ///
  /// - Parameter destination: the address that the socket is connected to; nil when the message has its own.
  /// - Throws: `.capacityExceeded` when ``controlCapacity`` is too small (160 bytes hold everything);
  ///   `.invalidArgument` without a destination, or for a source of the other IP version; `.notSupported` for
  ///   ``OutgoingMetadata/doNotFragment`` and an IPv4 destination. The message is as it was then.
  @inlinable
  public mutating func setMetadata(
    _ metadata: OutgoingMetadata, at slot: Int, for destination: IPSocketAddress? = nil
  ) throws(SocketError) {
    check(slot)
    guard let receiver = destination ?? IPSocketAddress(storedAddress(slot)) else {
      throw SocketError(code: .invalidArgument, .send)
    }
    var encoded = ControlBuffer<160>()
    try metadata.encode(into: &encoded, for: receiver)
    try encoded.withBytes { bytes throws(SocketError) in try setControl(bytes, at: slot) }
  }
}
