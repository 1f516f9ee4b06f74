public import CSocketKit

// getsockopt(2) and setsockopt(2) for values that have the kernel's layout. The kernel accesses the memory of a value
// only during the call, and accesses at most as many bytes as the call states.

extension RawDescriptor {
  /// For implementers of options: reads an integer option (getsockopt(2)).
  /// - Parameters:
  ///   - level: the level of the option, such as `SOL_SOCKET`.
  ///   - name: the number of the option.
  ///   - value: receives the result.
  ///   - length: receives the number of bytes that the kernel wrote, if the call succeeds.
  /// - Returns: 0 or -errno.
  @inlinable
  public func readOption<Value: FixedWidthInteger & BitwiseCopyable>(
    _ level: Int32, _ name: Int32, into value: inout Value, _ length: inout Int
  ) -> IOResult {
    // Every bit pattern is a valid integer.
    unsafe readOption(level, name, intoStructure: &value, &length)
  }

  /// For implementers of options: reads an option whose value is a structure in the kernel's layout (getsockopt(2)).
  /// The kernel writes at most as many bytes as the value occupies.
  ///
  /// The caller must guarantee that the value consists of integers, because the kernel may write any bits.
  /// - Parameters:
  ///   - level: the level of the option, such as `SOL_SOCKET`.
  ///   - name: the number of the option.
  ///   - value: contains the input parameters, if the option has any, and receives the result.
  ///   - length: receives the number of bytes that the kernel wrote, if the call succeeds.
  /// - Returns: 0 or -errno.
  @unsafe
  @inlinable
  public func readOption<Value: BitwiseCopyable>(
    _ level: Int32, _ name: Int32, intoStructure value: inout Value, _ length: inout Int
  ) -> IOResult {
    var size = UInt32(MemoryLayout<Value>.size)
    // The kernel writes at most `size` bytes, during the call.
    let result = unsafe withUnsafeMutableBytes(of: &value) {
      unsafe IOResult(raw: csk_getsockopt(self.value, level, name, $0.baseAddress, &size))
    }
    length = Int(size)
    return result
  }

  /// Reads an option whose length varies (getsockopt(2)).
  /// - Parameter bytes: contains the input parameters, if the option has any, and receives the result. The kernel
  ///   writes at most as many bytes as the array has. If the call succeeds, the method removes the bytes after the
  ///   result.
  /// - Returns: 0 or -errno.
  func readOption(_ level: Int32, _ name: Int32, into bytes: inout [UInt8]) -> IOResult {
    var length = UInt32(clamping: bytes.count)
    let result = IOResult(raw: unsafe csk_getsockopt(value, level, name, &bytes, &length))
    if !result.isFailure { bytes.removeLast(max(0, bytes.count - Int(length))) }
    return result
  }

  /// For implementers of options: sets an option to a value in the kernel's layout (setsockopt(2)).
  /// - Parameters:
  ///   - level: the level of the option, such as `SOL_SOCKET`.
  ///   - name: the number of the option.
  ///   - value: the value, an integer or a structure of integers.
  /// - Returns: 0 or -errno.
  @inlinable
  public func writeOption<Value: BitwiseCopyable>(_ level: Int32, _ name: Int32, _ value: Value) -> IOResult {
    // The value exists during the call. Padding bytes have no specified value, as in a C structure.
    unsafe withUnsafeBytes(of: value) { unsafe writeOption(level, name, bytes: $0.bytes) }
  }

  /// For implementers of options: sets an option to bytes in the kernel's layout (setsockopt(2)).
  /// - Parameters:
  ///   - level: the level of the option, such as `SOL_SOCKET`.
  ///   - name: the number of the option.
  ///   - bytes: the value.
  /// - Returns: 0 or -errno.
  public func writeOption(_ level: Int32, _ name: Int32, bytes: RawSpan) -> IOResult {
    let result = unsafe bytes.withUnsafeBytes {
      unsafe IOResult(raw: csk_setsockopt(value, level, name, $0.baseAddress, UInt32(clamping: $0.count)))
    }
    if level == CSK_IPPROTO_UDP { SegmentationSettings.noteChange() }
    return result
  }
}
