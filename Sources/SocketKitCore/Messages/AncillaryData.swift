public import CSocketKit

/// The layout of ancillary messages in memory: cmsg(3), include/linux/socket.h.
@usableFromInline
enum AncillaryLayout {
  /// sizeof(struct cmsghdr), which is aligned already.
  @inlinable static var headerSize: Int { MemoryLayout<csk_cmsghdr>.size }

  /// Rounds a count up to whole words (CMSG_ALIGN).
  @inlinable
  static func aligned(_ count: Int) -> Int {
    (count &+ MemoryLayout<Int>.size &- 1) & ~(MemoryLayout<Int>.size &- 1)
  }

  /// Returns the number of bytes that an ancillary message with `count` bytes of data takes (CMSG_SPACE).
  @inlinable
  static func space(_ count: Int) -> Int { headerSize &+ aligned(count) }

  @inlinable
  static func writeHeader(_ place: UnsafeMutableRawPointer, length: Int, level: Int32, type: Int32) {
    place.storeBytes(of: headerSize &+ length, as: Int.self)
    place.storeBytes(of: level, toByteOffset: MemoryLayout<Int>.size, as: Int32.self)
    place.storeBytes(of: type, toByteOffset: MemoryLayout<Int>.size &+ 4, as: Int32.self)
  }
}

/// Functions that read received ancillary messages, which accompany the bytes of a message.
///
/// Reading never goes beyond the received bytes: it stops at an ancillary message with an invalid length. The caller
/// skips ancillary messages that it does not know. Nothing is copied or allocated.
public enum AncillaryData {
  /// Calls the body for each ancillary message, in order, with its level, type and data.
  ///
  /// - Parameter ancillary: the received ancillary data, with the length that the kernel reported.
  @inlinable @inline(__always)
  public static func forEach<E: Error>(
    in ancillary: RawSpan, _ body: (_ level: Int32, _ type: Int32, _ data: RawSpan) throws(E) -> Void
  ) throws(E) {
    var offset = 0
    while ancillary.byteCount &- offset >= AncillaryLayout.headerSize {
      let length = ancillary.unsafeLoadUnaligned(fromByteOffset: offset, as: Int.self)
      guard length >= AncillaryLayout.headerSize, length <= ancillary.byteCount &- offset else { return }
      let level = ancillary.unsafeLoadUnaligned(fromByteOffset: offset &+ MemoryLayout<Int>.size, as: Int32.self)
      let type = ancillary.unsafeLoadUnaligned(fromByteOffset: offset &+ MemoryLayout<Int>.size &+ 4, as: Int32.self)
      try body(
        level, type, ancillary.extracting(offset &+ AncillaryLayout.headerSize..<offset &+ length))
      let step = AncillaryLayout.aligned(length)
      if step > ancillary.byteCount &- offset { return }
      offset &+= step
    }
  }
}

/// A buffer of `capacity` bytes for ancillary messages to send, stored inline, without allocation.
///
/// ```swift
/// var ancillary = AncillaryBuffer<64>()
/// try ancillary.append(level: 17, type: 103, value: UInt16(1200))  // UDP_SEGMENT
/// ```
@frozen
public struct AncillaryBuffer<let capacity: Int>: ~Copyable {
  @usableFromInline var storage = InlineArray<capacity, UInt8>(repeating: 0)
  @usableFromInline var used = 0

  /// Creates an empty buffer.
  @inlinable
  public init() {}

  /// The number of bytes used so far.
  @inlinable public var byteCount: Int { used }

  /// Returns the number of bytes that an ancillary message with `count` bytes of data takes (CMSG_SPACE).
  @inlinable
  public static func space(forDataOf count: Int) -> Int { AncillaryLayout.space(count) }

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
  public mutating func removeAll() {
    used = 0
  }

  /// Calls the body with the encoded bytes.
  @inlinable
  public borrowing func withBytes<R, E: Error>(_ body: (RawSpan) throws(E) -> R) throws(E) -> R {
    try body(storage.span.bytes.extracting(first: used))
  }
}
