internal import CSocketKit

extension AncillaryData {
  /// For implementers: closes the descriptors that were received with a message (SCM_RIGHTS, SCM_PIDFD), and replaces
  /// their numbers with -1, so that a second call does not close them again.
  ///
  /// A receive opens the received descriptors in this process. A wrapper that receives ancillary data with
  /// ``MessageSocket/attemptReceive(into:ancillary:flags:_:)`` and does not pass the ancillary data to its caller must
  /// call this function.
  ///
  /// The caller must guarantee that the kernel wrote the bytes and reported their length, because this function closes
  /// all descriptor numbers that the bytes contain.
  @unsafe
  public static func closeDescriptors(in ancillary: inout MutableRawSpan) {
    unsafe closePassedDescriptors(in: &ancillary, ancillary.byteCount)
  }
}

/// Closes the descriptors in the first `length` bytes of received ancillary data, and replaces their numbers with -1.
/// The caller must guarantee that the kernel wrote these bytes.
@unsafe
@usableFromInline
func closePassedDescriptors(in ancillary: inout MutableRawSpan, _ length: Int) {
  // The prefix contains at most as many bytes as the span.
  unsafe ancillary.withUnsafeMutableBytes {
    unsafe closePassedDescriptors(in: UnsafeMutableRawBufferPointer(rebasing: $0.prefix(length)))
  }
}

/// The caller must guarantee that the memory exists during the call, and that the kernel wrote it.
@unsafe
func closePassedDescriptors(in memory: UnsafeMutableRawBufferPointer) {
  // The data are a part of the memory, which is writable, and each offset is checked.
  unsafe AncillaryData.forEach(in: memory.bytes) { level, type, data in
    guard level == CSK_SOL_SOCKET, type == CSK_SCM_RIGHTS || type == CSK_SCM_PIDFD else { return }
    unsafe data.withUnsafeBytes { numbers in
      guard let start = numbers.baseAddress else { return }
      let place = unsafe UnsafeMutableRawPointer(mutating: start)
      var offset = 0
      while offset + 4 <= numbers.count {
        // A negative number marks a descriptor that the program has already removed, or is the error number of a pidfd
        // that the kernel could not open.
        let number = unsafe place.loadUnaligned(fromByteOffset: offset, as: Int32.self)
        if number >= 0 { _ = csk_close(number) }
        unsafe place.storeBytes(of: -1, toByteOffset: offset, as: Int32.self)
        offset += 4
      }
    }
  }
}
