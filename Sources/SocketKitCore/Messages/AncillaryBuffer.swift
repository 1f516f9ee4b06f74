/// A buffer of `capacity` bytes for the ancillary data of one message that is sent or received. The buffer stores the
/// bytes inline and does not allocate memory.
///
/// ```swift
/// var ancillary = AncillaryBuffer<64>()
/// try ancillary.append(level: 17, type: 103, value: UInt16(1200))  // UDP_SEGMENT
/// ```
/// An ancillary message occupies 16 bytes for its header plus the length of its data, rounded up to a multiple of 8
/// bytes (CMSG_SPACE). A receive replaces the contents of the buffer. `metadata` decodes received ancillary data.
@frozen
public struct AncillaryBuffer<let capacity: Int>: ~Copyable {
  @usableFromInline var storage = InlineArray<capacity, UInt8>(repeating: 0)
  @usableFromInline var used = 0

  /// Creates an empty buffer.
  @inlinable
  public init() {}

  /// The number of bytes that the ancillary messages in the buffer occupy.
  @inlinable public var byteCount: Int { used }

  /// The encoded ancillary messages, ``byteCount`` bytes long.
  @inlinable public var bytes: RawSpan {
    @_lifetime(borrow self)
    get { storage.span.integerBytes.extracting(first: used) }
  }

  /// Adds an ancillary message.
  /// - Throws: `.capacityExceeded` if the ancillary message does not fit into the buffer. The buffer then remains
  ///   unchanged.
  @inlinable
  public mutating func append(level: Int32, type: Int32, _ data: RawSpan) throws(SocketError) {
    let space = AncillaryLayout.space(data.byteCount)
    if space > capacity &- used { throw SocketError(code: .capacityExceeded, .send) }
    let start = used
    // The message ends at `used + space`, which is at most `capacity`. Only the copy below reads the data.
    unsafe withUnsafeMutableBytes(of: &storage) { memory in
      guard let place = unsafe memory.baseAddress?.advanced(by: start) else { return }
      unsafe AncillaryLayout.writeHeader(place, length: data.byteCount, level: level, type: type)
      unsafe data.withUnsafeBytes { source in
        if let from = source.baseAddress {
          unsafe place.advanced(by: AncillaryLayout.headerSize).copyMemory(from: from, byteCount: source.count)
        }
      }
    }
    used &+= space
  }

  /// Adds an ancillary message whose data are the bytes of one value.
  /// - Throws: `.capacityExceeded` if the ancillary message does not fit into the buffer. The buffer then remains
  ///   unchanged.
  @inlinable
  public mutating func append<Value: BitwiseCopyable>(
    level: Int32, type: Int32, value: Value
  ) throws(SocketError) {
    // The value exists during the call. Padding bytes have no specified value, as in a C structure.
    try unsafe withUnsafeBytes(of: value) { bytes throws(SocketError) in
      try unsafe append(level: level, type: type, bytes.bytes)
    }
  }

  /// Sets the length of the ancillary data that a receive has written to the buffer.
  /// - Parameter length: the length that the kernel or a wrapper reported. The buffer limits this length to the
  ///   capacity.
  @inlinable @inline(__always)
  mutating func noteReceived(_ length: Int) { used = max(0, min(length, capacity)) }

  /// Removes all ancillary messages.
  @inlinable
  public mutating func removeAll() { used = 0 }
}
