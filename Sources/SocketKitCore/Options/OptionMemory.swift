internal import CSocketKit

// getsockopt(2) and setsockopt(2) for values that have the kernel's layout. The kernel accesses the memory of a value
// only during the call, and only as many bytes as the call states.

extension RawDescriptor {
  /// Reads an option. The kernel writes at most the size of the value. The value must be an integer, or consist of
  /// integers, because the kernel may write any bits.
  /// - Parameters:
  ///   - value: contains the input parameters, if the option has any, and receives the result.
  ///   - length: receives the number of bytes that the kernel wrote, if the call succeeds.
  package func readOption<Value: BitwiseCopyable>(
    _ level: Int32, _ name: Int32, into value: inout Value, _ length: inout Int
  ) -> IOResult {
    var size = UInt32(MemoryLayout<Value>.size)
    let result = unsafe withUnsafeMutableBytes(of: &value) {
      unsafe IOResult(raw: csk_getsockopt(self.value, level, name, $0.baseAddress, &size))
    }
    length = Int(size)
    return result
  }

  /// Sets an option to a value in the kernel's layout.
  package func writeOption<Value: BitwiseCopyable>(_ level: Int32, _ name: Int32, _ value: Value) -> IOResult {
    unsafe withUnsafeBytes(of: value) {
      unsafe IOResult(raw: csk_setsockopt(self.value, level, name, $0.baseAddress, UInt32(clamping: $0.count)))
    }
  }

  /// Sets an option to bytes in the kernel's layout.
  package func writeOption(_ level: Int32, _ name: Int32, bytes: RawSpan) -> IOResult {
    unsafe bytes.withUnsafeBytes {
      unsafe IOResult(raw: csk_setsockopt(value, level, name, $0.baseAddress, UInt32(clamping: $0.count)))
    }
  }
}
