public import CSocketKit

// The ownership of descriptors in a batch. A slot holds received control data when the control_length of its header is
// 0 and its entry of controlLengths is not. Control data that a program set for sending belong to the program,
// including the descriptors in them.

extension MessageBatch {
  /// Closes the descriptors that were received with these messages and not taken out.
  @usableFromInline
  func closeDescriptors(in slots: Range<Int>) {
    for slot in slots where headers[slot].message.control_length == 0 && controlLengths[slot] != 0 {
      closePassedDescriptors(
        in: UnsafeMutableRawBufferPointer(start: control + slot * controlCapacity, count: controlLengths[slot]))
    }
  }

  /// For implementers: calls the body with the received control data of a message, from which it can take descriptors.
  /// The body must write -1 in the place of each descriptor that it takes, because the batch closes the others. The
  /// control data are empty for a message whose control data the program set.
  @inlinable
  public mutating func withReceivedControl<R, E: Error>(
    at slot: Int, _ body: (inout MutableRawSpan) throws(E) -> R
  ) throws(E) -> R {
    check(slot)
    let length = headers[slot].message.control_length == 0 ? controlLengths[slot] : 0
    var bytes = MutableRawSpan(
      _unsafeBytes: UnsafeMutableRawBufferPointer(start: control + slot &* controlCapacity, count: length))
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
