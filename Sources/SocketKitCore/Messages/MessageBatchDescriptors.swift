public import CSocketKit

// Descriptors that came with the messages of a batch. A slot holds received control data when its header's
// control_length is 0 and its entry of controlLengths is not. Control data that a program set for sending, with the
// descriptors in them, belong to the program.

extension MessageBatch {
  /// Closes the descriptors that came with these messages and were not taken out.
  @usableFromInline
  func closeDescriptors(in slots: Range<Int>) {
    for slot in slots where headers[slot].message.control_length == 0 && controlLengths[slot] != 0 {
      closePassedDescriptors(
        in: UnsafeMutableRawBufferPointer(start: control + slot * controlCapacity, count: controlLengths[slot]))
    }
  }

  /// For implementers: lends the control data that came with a message, to take descriptors out of them: write -1 where
  /// one was taken, or the batch closes it. Empty for a message whose control data the program set.
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

  /// The kernel reports the address of a socket at a path of 108 bytes, and of no other kind, as 111 bytes long, but
  /// accepts 110 (net/unix/af_unix.c, unix_mkname_bsd). Cuts the length, so that every message can be answered.
  @inlinable
  func cutLongPaths(_ number: Int) {
    var slot = 0
    while slot < number {
      if headers[slot].message.name_length == 111 { headers[slot].message.name_length = 110 }
      slot &+= 1
    }
  }
}
