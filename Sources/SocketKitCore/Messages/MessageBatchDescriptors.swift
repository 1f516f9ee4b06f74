public import CSocketKit

// The ownership of descriptors in a batch. A slot holds received ancillary data when the control_length of its header
// is 0 and its entry of ancillaryLengths is not. Ancillary data that a program set for sending belong to the program,
// including the descriptors in them.

extension MessageBatch {
  /// Closes the descriptors that were received with these messages and not taken out.
  @usableFromInline
  func closeDescriptors(in slots: Range<Int>) {
    for slot in slots where headers[slot].message.control_length == 0 && ancillaryLengths[slot] != 0 {
      closePassedDescriptors(
        in: UnsafeMutableRawBufferPointer(start: ancillary + slot * ancillaryCapacity, count: ancillaryLengths[slot]))
    }
  }

  /// For implementers: calls the body with the received ancillary data of a message, from which it can take
  /// descriptors. The body must write -1 in the place of each descriptor that it takes, because the batch closes the
  /// others. The ancillary data are empty for a message whose ancillary data the program set.
  @inlinable
  public mutating func withReceivedAncillary<R, E: Error>(
    at slot: Int, _ body: (inout MutableRawSpan) throws(E) -> R
  ) throws(E) -> R {
    check(slot)
    let length = headers[slot].message.control_length == 0 ? ancillaryLengths[slot] : 0
    var bytes = MutableRawSpan(
      _unsafeBytes: UnsafeMutableRawBufferPointer(start: ancillary + slot &* ancillaryCapacity, count: length))
    return try body(&bytes)
  }

  /// Shortens address lengths of 111 bytes to 110, so that every message can be answered. The kernel reports 111 bytes
  /// for a Unix socket at a path of 108 bytes, and for no other address, but accepts at most 110 bytes
  /// (net/unix/af_unix.c, unix_mkname_bsd).
  @inlinable
  func cutLongPaths(_ number: Int) {
    var slot = 0
    while slot < number {
      if headers[slot].message.name_length == 111 { headers[slot].message.name_length = 110 }
      slot &+= 1
    }
  }
}
