/// A buffer of `capacity` bytes for the ancillary data of one message, to send or to receive. The bytes are stored
/// inline, without allocation.
///
/// ```swift
/// var ancillary = AncillaryBuffer<64>()
/// try ancillary.append(level: 17, type: 103, value: UInt16(1200))  // UDP_SEGMENT
/// ```
/// An ancillary message takes 16 bytes and its data, rounded up to 8 bytes (CMSG_SPACE).
/// ``PacketMetadata`` decodes received ancillary data: ``metadata``. A receive replaces the content.
@frozen
public struct AncillaryBuffer<let capacity: Int>: ~Copyable {
  @usableFromInline var storage = InlineArray<capacity, UInt8>(repeating: 0)
  @usableFromInline var used = 0

  /// Creates an empty buffer.
  @inlinable
  public init() {}

  /// The number of bytes used so far.
  @inlinable public var byteCount: Int { used }

  /// The encoded ancillary messages: ``byteCount`` bytes.
  @inlinable public var bytes: RawSpan {
    @_lifetime(borrow self)
    get { storage.span.bytes.extracting(first: used) }
  }

  /// The metadata in the ancillary data: what the kernel reported about a received packet.
  @inlinable public var metadata: PacketMetadata { PacketMetadata(ancillary: bytes) }

  /// Adds an ancillary message.
  /// - Throws: `.capacityExceeded` when it does not fit; nothing is added then.
  @inlinable
  public mutating func append(level: Int32, type: Int32, _ data: RawSpan) throws(SocketError) {
    let space = AncillaryLayout.space(data.byteCount)
    if space > capacity &- used { throw SocketError(code: .capacityExceeded, .send) }
    let start = used
    withUnsafeMutableBytes(of: &storage) { memory in
      guard let place = memory.baseAddress?.advanced(by: start) else { return }
      AncillaryLayout.writeHeader(place, length: data.byteCount, level: level, type: type)
      data.withUnsafeBytes { source in
        if let from = source.baseAddress {
          place.advanced(by: AncillaryLayout.headerSize).copyMemory(from: from, byteCount: source.count)
        }
      }
    }
    used &+= space
  }

  /// Adds an ancillary message whose data is one value.
  /// - Throws: `.capacityExceeded` when it does not fit; nothing is added then.
  @inlinable
  public mutating func append<Value: BitwiseCopyable>(
    level: Int32, type: Int32, value: Value
  ) throws(SocketError) {
    try withUnsafeBytes(of: value) { bytes throws(SocketError) in
      try append(level: level, type: type, bytes.bytes)
    }
  }

  /// Removes all ancillary messages.
  @inlinable
  public mutating func removeAll() { used = 0 }
}
