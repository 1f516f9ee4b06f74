// Default implementations for messages in several buffers. A send copies the bytes to one temporary buffer and sends
// this buffer. A receive fills one temporary buffer and copies the bytes to the segments.
//
// The caller guarantees that the segments and their memory exist during the call. No copy is longer than its segment,
// and no copy goes beyond the end of the temporary buffer.

extension MessageSocket where Self: ~Copyable {
  @unsafe @inlinable
  public borrowing func attemptReceive(
    scattering segments: UnsafeBufferPointer<IOSegment>, ancillary: inout MutableRawSpan, flags: ReceiveFlags,
    _ info: inout MessageInfo
  ) -> IOResult {
    if segments.count == 1 {
      var bytes = unsafe MutableSpan<UInt8>(
        _unsafeBytes: UnsafeMutableRawBufferPointer(start: segments[0].baseAddress, count: segments[0].count))
      return attemptReceive(into: &bytes, ancillary: &ancillary, flags: flags, &info)
    }
    return unsafe withUnsafeTemporaryAllocation(byteCount: segments.byteCount, alignment: 8) { memory in
      unsafe memory.initializeMemory(as: UInt8.self, repeating: 0)
      var bytes = unsafe MutableSpan<UInt8>(_unsafeBytes: memory)
      let result = attemptReceive(into: &bytes, ancillary: &ancillary, flags: flags, &info)
      if result.raw > 0 {
        unsafe segments.copyBytes(from: memory, result.raw < memory.count ? result.raw : memory.count)
      }
      return result
    }
  }

  @unsafe @inlinable
  public borrowing func attemptSend(
    gathering segments: UnsafeBufferPointer<IOSegment>, ancillary: RawSpan, to address: RawSpan, flags: SendFlags
  ) -> IOResult {
    if segments.count == 1 {
      let bytes = unsafe Span<UInt8>(
        _unsafeBytes: UnsafeRawBufferPointer(start: segments[0].baseAddress, count: segments[0].count))
      return attemptSend(bytes, ancillary: ancillary, to: address, flags: flags)
    }
    return unsafe withUnsafeTemporaryAllocation(byteCount: segments.byteCount, alignment: 8) { memory in
      unsafe segments.copyBytes(to: memory)
      return unsafe attemptSend(
        Span<UInt8>(_unsafeBytes: UnsafeRawBufferPointer(memory)), ancillary: ancillary, to: address, flags: flags)
    }
  }
}

extension UnsafeBufferPointer<IOSegment> {
  @usableFromInline var byteCount: Int {
    var sum = 0
    for index in 0..<count { sum += unsafe self[index].count }
    return sum
  }

  /// Copies the bytes of all segments, one segment after the other, to memory of ``byteCount`` bytes.
  @usableFromInline
  func copyBytes(to memory: UnsafeMutableRawBufferPointer) {
    var offset = 0
    for index in 0..<count {
      let segment = unsafe self[index]
      if let from = unsafe segment.baseAddress, let start = memory.baseAddress {
        unsafe (start + offset).copyMemory(from: from, byteCount: segment.count)
      }
      offset += segment.count
    }
  }

  /// Copies the first `total` bytes of the memory into the segments and fills one segment after the other.
  @usableFromInline
  func copyBytes(from memory: UnsafeMutableRawBufferPointer, _ total: Int) {
    var offset = 0
    for index in 0..<count where offset < total {
      let segment = unsafe self[index]
      let part = Swift.min(segment.count, total - offset)
      if let to = unsafe segment.baseAddress, let start = memory.baseAddress {
        unsafe to.copyMemory(from: start + offset, byteCount: part)
      }
      offset += part
    }
  }
}
