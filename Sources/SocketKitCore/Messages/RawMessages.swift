public import CSocketKit

// Calls of recvmsg(2) and sendmsg(2). All kernel sockets that transfer messages use these calls. Unix streams use them
// too, because ancillary data may accompany their bytes.
//
// The structures exist during the system call. The memory to which they refer also exists during the call, because a
// span borrows the memory or the caller guarantees its lifetime. The kernel accesses only as many bytes as the
// structures state.

extension RawDescriptor {
  /// For implementers: receives one message with recvmsg(2). The call does not wait on a non-blocking socket. Do not
  /// use it on TCP sockets, where MSG_TRUNC discards bytes.
  ///
  /// - Parameters:
  ///   - buffer: receives the first bytes of the message.
  ///   - ancillary: receives ancillary data. If this buffer is empty, the kernel discards ancillary data and the
  ///     descriptors in them. Received descriptors are CLOEXEC, and the caller must close them.
  ///   - info: set unless the result is a failure.
  /// - Returns: the full length of the message, which is greater than the length of the buffer if the message was
  ///   truncated; or -errno, never EINTR.
  @inlinable @inline(__always)
  public func attemptReceiveMessage(
    into buffer: inout MutableSpan<UInt8>, ancillary: inout MutableRawSpan, flags: ReceiveFlags,
    _ info: inout MessageInfo,
    descriptorsMayCome: Bool = true
  ) -> IOResult {
    unsafe buffer.withUnsafeMutableBytes { memory in
      var vector = unsafe csk_iovec()
      unsafe vector.base = memory.baseAddress
      unsafe vector.length = memory.count
      return unsafe withUnsafeMutablePointer(to: &vector) {
        unsafe attemptReceiveMessage($0, 1, &ancillary, flags, &info, descriptorsMayCome: descriptorsMayCome)
      }
    }
  }

  @inlinable @inline(__always)
  func attemptReceiveMessage(
    _ vectors: UnsafeMutablePointer<csk_iovec>?, _ count: Int, _ ancillary: inout MutableRawSpan,
    _ flags: ReceiveFlags, _ info: inout MessageInfo, descriptorsMayCome: Bool
  ) -> IOResult {
    let number = value
    // With MSG_TRUNC the result is the full length of the message. With MSG_CMSG_CLOEXEC received descriptors are
    // CLOEXEC.
    let options = flags.rawValue | CSK_MSG_TRUNC | (descriptorsMayCome ? CSK_MSG_CMSG_CLOEXEC : 0)
    var message = unsafe csk_msghdr()
    let result = unsafe ancillary.withUnsafeMutableBytes { extra in
      unsafe info.address.fill { address, length in
        unsafe message.vectors = vectors
        unsafe message.vector_count = count
        var result: Int
        repeat {
          unsafe message.name = address
          unsafe message.name_length = Int32(bitPattern: UInt32(truncatingIfNeeded: AnySocketAddress.maximumLength))
          unsafe message.control = extra.baseAddress
          unsafe message.control_length = extra.count
          result = unsafe csk_recvmsg(number, &message, options)
        } while result == 0 &- Int(CSK_EINTR)
        length = unsafe result < 0 ? 0 : UInt32(bitPattern: message.name_length)
        return result
      }
    }
    if result >= 0 {
      info.flags = unsafe MessageInfo.Flags(reported: message.flags)
      info.ancillaryLength = unsafe message.control_length
      info.length = result
    }
    return IOResult(raw: result)
  }

  /// For implementers: sends one message with sendmsg(2). The call does not wait on a non-blocking socket and does not
  /// raise SIGPIPE.
  ///
  /// - Parameter address: the address of the receiver; empty on a connected socket.
  /// - Returns: the number of bytes accepted; or -errno, never EINTR.
  @inlinable @inline(__always)
  public func attemptSendMessage(
    _ bytes: Span<UInt8>, ancillary: RawSpan, to address: RawSpan, flags: SendFlags
  ) -> IOResult {
    unsafe bytes.withUnsafeBytes { memory in
      var vector = unsafe csk_iovec(base: UnsafeMutableRawPointer(mutating: memory.baseAddress), length: memory.count)
      return unsafe withUnsafeMutablePointer(to: &vector) {
        unsafe attemptSendMessage($0, 1, ancillary, to: address, flags)
      }
    }
  }

  @inlinable @inline(__always)
  func attemptSendMessage(
    _ vectors: UnsafeMutablePointer<csk_iovec>?, _ count: Int, _ ancillary: RawSpan, to address: RawSpan,
    _ flags: SendFlags
  ) -> IOResult {
    let number = value
    let options = flags.rawValue | CSK_MSG_NOSIGNAL
    return unsafe ancillary.withUnsafeBytes { extra in
      unsafe address.withUnsafeBytes { name in
        var message = unsafe csk_msghdr()
        unsafe message.name = UnsafeMutableRawPointer(mutating: name.baseAddress)
        unsafe message.name_length = Int32(truncatingIfNeeded: name.count)
        unsafe message.vectors = vectors
        unsafe message.vector_count = count
        unsafe message.control = UnsafeMutableRawPointer(mutating: extra.baseAddress)
        unsafe message.control_length = extra.count
        var result = unsafe csk_sendmsg(number, &message, options)
        while result == 0 &- Int(CSK_EINTR) { result = unsafe csk_sendmsg(number, &message, options) }
        return IOResult(raw: result)
      }
    }
  }
}
