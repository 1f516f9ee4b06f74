// With UDP_GRO the kernel delivers several datagrams of equal size as one message. The last datagram may be shorter.

extension Span<UInt8> {
  /// Calls the body for each datagram of a coalesced message, in order. The call neither copies the bytes nor allocates
  /// memory.
  ///
  /// - Parameter segmentSize: `PacketMetadata.segmentSize` or ``MessageBatch/Message/segmentSize``. Pass nil or 0 if
  ///   the message is one datagram, which may be empty.
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
