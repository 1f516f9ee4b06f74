public import CSocketKit

/// The layout of ancillary messages in memory: cmsg(3), include/linux/socket.h.
@usableFromInline
enum AncillaryLayout {
  /// sizeof(struct cmsghdr), which is a multiple of the alignment.
  @inlinable static var headerSize: Int { MemoryLayout<csk_cmsghdr>.size }

  /// Rounds a number of bytes up to a multiple of the machine word's size (CMSG_ALIGN).
  @inlinable
  static func aligned(_ count: Int) -> Int {
    (count &+ MemoryLayout<Int>.size &- 1) & ~(MemoryLayout<Int>.size &- 1)
  }

  /// Returns the number of bytes that an ancillary message with `count` bytes of data occupies (CMSG_SPACE).
  @inlinable
  static func space(_ count: Int) -> Int { headerSize &+ aligned(count) }

  /// Writes a header to memory of at least ``headerSize`` bytes.
  @unsafe @inlinable
  static func writeHeader(_ place: UnsafeMutableRawPointer, length: Int, level: Int32, type: Int32) {
    unsafe place.storeBytes(of: headerSize &+ length, as: Int.self)
    unsafe place.storeBytes(of: level, toByteOffset: MemoryLayout<Int>.size, as: Int32.self)
    unsafe place.storeBytes(of: type, toByteOffset: MemoryLayout<Int>.size &+ 4, as: Int32.self)
  }
}

/// Functions that read received ancillary messages, which accompany the bytes of a message.
///
/// The functions access no bytes except the received bytes, and stop at an ancillary message with an invalid length.
/// The caller must skip ancillary messages of unknown types. The functions neither copy the data nor allocate memory.
public enum AncillaryData {
  /// Calls the body for each ancillary message, in order, with its level, type and data.
  ///
  /// - Parameter ancillary: the received ancillary data. Its length must be the length that the kernel reported.
  @inlinable @inline(__always)
  public static func forEach<E: Error>(
    in ancillary: RawSpan, _ body: (_ level: Int32, _ type: Int32, _ data: RawSpan) throws(E) -> Void
  ) throws(E) {
    var offset = 0
    while ancillary.byteCount &- offset >= AncillaryLayout.headerSize {
      let length = ancillary.integer(at: offset, as: Int.self)
      guard length >= AncillaryLayout.headerSize, length <= ancillary.byteCount &- offset else { return }
      let level = ancillary.integer(at: offset &+ MemoryLayout<Int>.size, as: Int32.self)
      let type = ancillary.integer(at: offset &+ MemoryLayout<Int>.size &+ 4, as: Int32.self)
      try body(
        level, type, ancillary.extracting(offset &+ AncillaryLayout.headerSize..<offset &+ length))
      let step = AncillaryLayout.aligned(length)
      if step > ancillary.byteCount &- offset { return }
      offset &+= step
    }
  }
}
