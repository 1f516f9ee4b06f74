// With UDP_GRO the kernel delivers several datagrams of one size as one message; the last may be shorter.

extension RawSpan {
  /// Calls the body for each datagram of a coalesced message, in order, in place: without a copy or an allocation.
  ///
  /// - Parameter segmentSize: ``PacketMetadata/segmentSize`` or ``MessageBatch/Message/segmentSize``; nil or 0 when the
  ///   message is one datagram, which may be empty.
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
