// Default implementations for messages in several buffers. They copy the bytes to or from one buffer, which the socket
// then sends or receives.

extension MessageSocket where Self: ~Copyable {
  @unsafe @inlinable
  public borrowing func attemptReceive(
    scattering segments: UnsafeBufferPointer<IOSegment>, ancillary: inout MutableRawSpan, flags: ReceiveFlags,
    _ info: inout MessageInfo
  ) -> IOResult {
    if segments.count == 1 {
      var bytes = MutableSpan<UInt8>(
        _unsafeBytes: UnsafeMutableRawBufferPointer(start: segments[0].baseAddress, count: segments[0].count))
      return attemptReceive(into: &bytes, ancillary: &ancillary, flags: flags, &info)
    }
    return withUnsafeTemporaryAllocation(byteCount: segments.byteCount, alignment: 8) { memory in
      memory.initializeMemory(as: UInt8.self, repeating: 0)
      var bytes = MutableSpan<UInt8>(_unsafeBytes: memory)
      let result = attemptReceive(into: &bytes, ancillary: &ancillary, flags: flags, &info)
      if result.raw > 0 { segments.copyBytes(from: memory, result.raw < memory.count ? result.raw : memory.count) }
      return result
    }
  }

  @unsafe @inlinable
  public borrowing func attemptSend(
    gathering segments: UnsafeBufferPointer<IOSegment>, ancillary: RawSpan, to address: RawSpan, flags: SendFlags
  ) -> IOResult {
    if segments.count == 1 {
      let bytes = Span<UInt8>(
        _unsafeBytes: UnsafeRawBufferPointer(start: segments[0].baseAddress, count: segments[0].count))
      return attemptSend(bytes, ancillary: ancillary, to: address, flags: flags)
    }
    return withUnsafeTemporaryAllocation(byteCount: segments.byteCount, alignment: 8) { memory in
      segments.copyBytes(to: memory)
      return attemptSend(
        Span<UInt8>(_unsafeBytes: UnsafeRawBufferPointer(memory)), ancillary: ancillary, to: address, flags: flags)
    }
  }
}

extension UnsafeBufferPointer<IOSegment> {
  @usableFromInline var byteCount: Int {
    var count = 0
    for segment in self { count += segment.count }
    return count
  }

  /// Copies the bytes of all segments, one segment after the other, to memory of ``byteCount`` bytes.
  @usableFromInline
  func copyBytes(to memory: UnsafeMutableRawBufferPointer) {
    var offset = 0
    for segment in self {
      if let from = segment.baseAddress, let start = memory.baseAddress {
        (start + offset).copyMemory(from: from, byteCount: segment.count)
      }
      offset += segment.count
    }
  }

  /// Copies the first `count` bytes of the memory into the segments and fills one segment after the other.
  @usableFromInline
  func copyBytes(from memory: UnsafeMutableRawBufferPointer, _ count: Int) {
    var offset = 0
    for segment in self where offset < count {
      let part = Swift.min(segment.count, count - offset)
      if let to = segment.baseAddress, let start = memory.baseAddress {
        to.copyMemory(from: start + offset, byteCount: part)
      }
      offset += part
    }
  }
}
