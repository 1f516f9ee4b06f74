public import CSocketKit
public import SocketKitCore

// SCTP as a byte stream: each write is a message, which reads take without its boundaries.

extension SCTPSocket {
  /// The longest message that one write makes, in bytes: the kernel takes a message whole, and none longer than the send
  /// buffer (EMSGSIZE in net/sctp/socket.c).
  ///
  /// 16 KiB, because a receiver with Linux's default buffer then has room for several: with messages of 64 KiB one fills the
  /// window, and each waits for a delayed acknowledgement.
  @inlinable public static var writeLimit: Int { 16384 }

  @inlinable @inline(__always)
  public borrowing func attemptReceive(into buffer: inout MutableRawSpan) -> IOResult {
    let number = descriptor.value
    return buffer.withUnsafeMutableBytes { memory in
      var result = csk_recv(number, memory.baseAddress, memory.count, 0)
      while result == 0 &- Int(CSK_EINTR) { result = csk_recv(number, memory.baseAddress, memory.count, 0) }
      if result < 0, result != 0 &- Int(CSK_EAGAIN) { SCTPSocket.noteFailure(number, result) }
      return IOResult(raw: result)
    }
  }

  @unsafe @inlinable
  public borrowing func attemptReceive(scattering segments: UnsafeBufferPointer<IOSegment>) -> IOResult {
    let number = descriptor.value
    // IOSegment has iovec's layout.
    var message = csk_msghdr()
    message.vectors = UnsafeMutableRawPointer(mutating: segments.baseAddress)?.assumingMemoryBound(to: csk_iovec.self)
    message.vector_count = segments.count < 1024 ? segments.count : 1024
    var result = csk_recvmsg(number, &message, 0)
    while result == 0 &- Int(CSK_EINTR) { result = csk_recvmsg(number, &message, 0) }
    if result < 0, result != 0 &- Int(CSK_EAGAIN) { SCTPSocket.noteFailure(number, result) }
    return IOResult(raw: result)
  }

  /// The kernel tells once how an association failed; then a read would block, and a poll wait, for ever
  /// (net/sctp/socket.c). Shut down, reads tell the end, as they do on TCP.
  @usableFromInline @inline(never)
  static func noteFailure(_ number: Int32, _ result: Int) {
    switch Int32(truncatingIfNeeded: 0 &- result) {
    case CSK_ECONNRESET, CSK_ECONNABORTED, CSK_ETIMEDOUT, CSK_ECONNREFUSED:
      // ENOTCONN, which it says then, is after the fact.
      _ = csk_shutdown(number, CSK_SHUT_RDWR)
    default: break
    }
  }

  @inlinable @inline(__always)
  public borrowing func attemptSend(_ bytes: RawSpan) -> IOResult {
    let number = descriptor.value
    return bytes.withUnsafeBytes { memory in
      let count = memory.count < SCTPSocket.writeLimit ? memory.count : SCTPSocket.writeLimit
      var result = csk_send(number, memory.baseAddress, count, CSK_MSG_NOSIGNAL)
      while result == 0 &- Int(CSK_EINTR) { result = csk_send(number, memory.baseAddress, count, CSK_MSG_NOSIGNAL) }
      if result == 0 &- Int(CSK_EMSGSIZE) { return SCTPSocket.attemptSendLess(number, memory, than: count) }
      return IOResult(raw: result)
    }
  }

  /// Tries halves until the kernel takes one: a smaller send buffer, or fragmentation switched off.
  @usableFromInline @inline(never)
  static func attemptSendLess(_ number: Int32, _ bytes: UnsafeRawBufferPointer, than tried: Int) -> IOResult {
    var count = tried
    var result = 0 &- Int(CSK_EMSGSIZE)
    while result == 0 &- Int(CSK_EMSGSIZE), count > 1 {
      count /= 2
      repeat {
        result = csk_send(number, bytes.baseAddress, count, CSK_MSG_NOSIGNAL)
      } while result == 0 &- Int(CSK_EINTR)
    }
    return IOResult(raw: result)
  }

  /// All segments as one message where they fit in one, otherwise the first that is not empty.
  @unsafe @inlinable
  public borrowing func attemptSend(gathering segments: UnsafeBufferPointer<IOSegment>) -> IOResult {
    var count = 0
    for segment in segments { count &+= segment.count }
    if count <= SCTPSocket.writeLimit {
      // IOSegment has iovec's layout.
      var message = csk_msghdr()
      message.vectors = UnsafeMutableRawPointer(mutating: segments.baseAddress)?.assumingMemoryBound(
        to: csk_iovec.self)
      message.vector_count = segments.count < 1024 ? segments.count : 1024
      var result = csk_sendmsg(descriptor.value, &message, CSK_MSG_NOSIGNAL)
      while result == 0 &- Int(CSK_EINTR) { result = csk_sendmsg(descriptor.value, &message, CSK_MSG_NOSIGNAL) }
      if result != 0 &- Int(CSK_EMSGSIZE) { return IOResult(raw: result) }
    }
    for segment in segments where segment.count > 0 {
      return attemptSend(
        RawSpan(_unsafeBytes: UnsafeRawBufferPointer(start: segment.baseAddress, count: segment.count)))
    }
    return .zero
  }
}
