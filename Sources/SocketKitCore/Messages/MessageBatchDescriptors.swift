public import CSocketKit

// The ownership of descriptors in a batch. A slot contains received ancillary data if the control_length of its header
// is 0 and its entry in ancillaryLengths is not 0. The program owns the descriptors in ancillary data that it has set
// for sending.
//
// The unsafe expressions access the memory of checked slots: see the invariant of MessageBatch.

extension MessageBatch {
  /// Closes the descriptors that were received with these messages and are still in the batch.
  @usableFromInline
  func closeDescriptors(in slots: Range<Int>) {
    for slot in slots where unsafe headers[slot].message.control_length == 0 && ancillaryLengths[slot] != 0 {
      unsafe closePassedDescriptors(
        in: UnsafeMutableRawBufferPointer(start: ancillary + slot * ancillaryCapacity, count: ancillaryLengths[slot]))
    }
  }

  /// For implementers: calls the body with the received ancillary data of a message. The body may take ownership of
  /// descriptors and must replace the number of each such descriptor with -1, because the batch closes all others. If
  /// the program has set the ancillary data of the message, the body receives empty ancillary data.
  ///
  /// The caller must guarantee that the body writes no number except -1.
  @unsafe
  @inlinable
  public mutating func withReceivedAncillary<R, E: Error>(
    at slot: Int, _ body: (inout MutableRawSpan) throws(E) -> R
  ) throws(E) -> R {
    check(slot)
    let length = unsafe headers[slot].message.control_length == 0 ? ancillaryLengths[slot] : 0
    var bytes = unsafe MutableRawSpan(
      _unsafeBytes: UnsafeMutableRawBufferPointer(start: ancillary + slot &* ancillaryCapacity, count: length))
    return try body(&bytes)
  }

  /// Reduces address lengths of 111 bytes to 110 bytes, so that the program can reply to every message. The kernel
  /// reports a length of 111 bytes only for a Unix path of 108 bytes, but it accepts at most 110 bytes
  /// (net/unix/af_unix.c, unix_mkname_bsd).
  @inlinable
  func cutLongPaths(_ number: Int) {
    var slot = 0
    while slot < number {
      if unsafe headers[slot].message.name_length == 111 { unsafe headers[slot].message.name_length = 110 }
      slot &+= 1
    }
  }
}
