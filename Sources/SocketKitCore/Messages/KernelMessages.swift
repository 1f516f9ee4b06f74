public import CSocketKit

// The primitives of kernel sockets that transfer messages. The spans and segments exist during the system call, and the
// call accesses only as many bytes as their lengths state.

extension MessageSocket where Self: KernelSocket & ~Copyable {
  @inlinable @inline(__always)
  public borrowing func attemptReceive(
    into buffer: inout MutableSpan<UInt8>, ancillary: inout MutableRawSpan, flags: ReceiveFlags,
    _ info: inout MessageInfo
  ) -> IOResult {
    Self.named(
      descriptor.attemptReceiveMessage(
        into: &buffer, ancillary: &ancillary, flags: flags, &info, descriptorsMayCome: mayReceiveDescriptors),
      on: descriptor)
  }

  @unsafe @inlinable
  public borrowing func attemptReceive(
    scattering segments: UnsafeBufferPointer<IOSegment>, ancillary: inout MutableRawSpan, flags: ReceiveFlags,
    _ info: inout MessageInfo
  ) -> IOResult {
    unsafe Self.named(
      descriptor.attemptReceiveMessage(
        segments.vectors, segments.count, &ancillary, flags, &info, descriptorsMayCome: mayReceiveDescriptors),
      on: descriptor)
  }

  @inlinable @inline(__always)
  public borrowing func attemptSend(
    _ bytes: Span<UInt8>, ancillary: RawSpan, to address: RawSpan, flags: SendFlags
  ) -> IOResult {
    if ancillary.isEmpty { return attemptSend(bytes, to: address, flags: flags) }
    return Self.named(
      descriptor.attemptSendMessage(bytes, ancillary: ancillary, to: address, flags: flags), on: descriptor)
  }

  // Without ancillary data, sendto(2) is sufficient. It is faster because the kernel does not copy and check a message
  // header.
  @inlinable @inline(__always)
  borrowing func attemptSend(_ bytes: Span<UInt8>, to address: RawSpan, flags: SendFlags) -> IOResult {
    let raw = descriptor
    let number = raw.value
    let options = flags.rawValue | CSK_MSG_NOSIGNAL
    let result = unsafe bytes.withUnsafeBytes { memory in
      unsafe address.withUnsafeBytes { name in
        let length = UInt32(truncatingIfNeeded: name.count)
        // Unlike sendmsg(2), sendto(2) treats an empty address as invalid.
        let receiver = length == 0 ? nil : name.baseAddress
        var result = unsafe csk_sendto(number, memory.baseAddress, memory.count, options, receiver, length)
        while result == 0 &- Int(CSK_EINTR) {
          result = unsafe csk_sendto(number, memory.baseAddress, memory.count, options, receiver, length)
        }
        return IOResult(raw: result)
      }
    }
    return Self.named(result, on: raw)
  }

  @unsafe @inlinable
  public borrowing func attemptSend(
    gathering segments: UnsafeBufferPointer<IOSegment>, ancillary: RawSpan, to address: RawSpan, flags: SendFlags
  ) -> IOResult {
    unsafe Self.named(
      descriptor.attemptSendMessage(segments.vectors, segments.count, ancillary, to: address, flags), on: descriptor)
  }

  @inlinable @inline(__always)
  public borrowing func attemptReceive(batch: inout MessageBatch) -> IOResult {
    Self.named(
      descriptor.attemptReceive(batch: &batch, descriptorsMayCome: mayReceiveDescriptors), on: descriptor)
  }

  @inlinable @inline(__always)
  public borrowing func attemptSend(batch: inout MessageBatch) -> IOResult {
    Self.named(descriptor.attemptSend(batch: &batch), on: descriptor)
  }
}

extension DatagramSocket where Self: KernelSocket & ~Copyable {
  @inlinable @inline(__always)
  public borrowing func attemptReceive(
    into buffer: inout MutableSpan<UInt8>, from address: inout AnySocketAddress, flags: ReceiveFlags
  ) -> IOResult {
    let raw = descriptor
    let number = raw.value
    // With MSG_TRUNC the result is the full length of the message. The kernel discards descriptors, because the call
    // has no buffer for ancillary data.
    let options = flags.rawValue | CSK_MSG_TRUNC
    let result = unsafe buffer.withUnsafeMutableBytes { memory in
      unsafe address.fill { name, length in
        var result: Int
        repeat {
          length = UInt32(truncatingIfNeeded: AnySocketAddress.maximumLength)
          result = unsafe csk_recvfrom(number, memory.baseAddress, memory.count, options, name, &length)
        } while result == 0 &- Int(CSK_EINTR)
        if result < 0 { length = 0 }
        return IOResult(raw: result)
      }
    }
    return Self.named(result, on: raw)
  }
}
