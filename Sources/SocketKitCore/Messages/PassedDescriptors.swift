internal import CSocketKit

extension AncillaryData {
  /// For implementers: closes the descriptors that were received with a message (SCM_RIGHTS, SCM_PIDFD), and writes -1
  /// in the place of each, so that they are not closed again.
  ///
  /// This process owns a descriptor from the moment of the receive. A wrapper that receives ancillary data with
  /// ``MessageSocket/attemptReceive(into:ancillary:flags:_:)`` and does not pass them on must call this.
  ///
  /// The caller must guarantee that the kernel wrote these bytes and that their length is the one that the kernel
  /// reported, because this function closes the descriptor numbers in them.
  @unsafe
  public static func closeDescriptors(in ancillary: inout MutableRawSpan) {
    closePassedDescriptors(in: &ancillary, ancillary.byteCount)
  }
}

/// Closes the descriptors in the first `length` bytes of received ancillary data, and writes -1 in the place of each.
@usableFromInline
func closePassedDescriptors(in ancillary: inout MutableRawSpan, _ length: Int) {
  ancillary.withUnsafeMutableBytes {
    closePassedDescriptors(in: UnsafeMutableRawBufferPointer(rebasing: $0.prefix(length)))
  }
}

func closePassedDescriptors(in memory: UnsafeMutableRawBufferPointer) {
  AncillaryData.forEach(in: memory.bytes) { level, type, data in
    guard level == CSK_SOL_SOCKET, type == CSK_SCM_RIGHTS || type == CSK_SCM_PIDFD else { return }
    data.withUnsafeBytes { numbers in
      guard let start = numbers.baseAddress else { return }
      let place = UnsafeMutableRawPointer(mutating: start)
      var offset = 0
      while offset + 4 <= numbers.count {
        // A negative number is a descriptor that was taken already, or the error number of a pidfd that the kernel
        // could not open.
        let number = place.loadUnaligned(fromByteOffset: offset, as: Int32.self)
        if number >= 0 { _ = csk_close(number) }
        place.storeBytes(of: -1, toByteOffset: offset, as: Int32.self)
        offset += 4
      }
    }
  }
}
