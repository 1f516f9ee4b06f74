public import CSocketKit
public import SocketKitCore

// These methods use SCTP as a byte stream. Each write call sends a message, and a read call returns bytes of messages
// without the message boundaries.

extension SCTPSocket {
  /// The longest message that one write call sends, in bytes.
  ///
  /// The kernel accepts only whole messages, and no message longer than the send buffer (EMSGSIZE in
  /// net/sctp/socket.c).
  ///
  /// The limit is 16 KiB, so that a receiver with Linux's default buffer has space for several messages. A message of
  /// 64 KiB would fill the window, and each message would wait for a delayed acknowledgement.
  @inlinable public static var writeLimit: Int { 16384 }

  @inlinable @inline(__always)
  public borrowing func attemptReceive(into buffer: inout MutableSpan<UInt8>) -> IOResult {
    let raw = descriptor
    let number = raw.value
    // The kernel writes into the buffer only during the call.
    return unsafe buffer.withUnsafeMutableBytes { memory in
      var result = unsafe csk_recv(number, memory.baseAddress, memory.count, 0)
      while result == 0 &- Int(CSK_EINTR) { result = unsafe csk_recv(number, memory.baseAddress, memory.count, 0) }
      if result < 0, result != 0 &- Int(CSK_EAGAIN) { raw.noteFailure(IOResult(raw: result)) }
      return IOResult(raw: result)
    }
  }

  @unsafe @inlinable
  public borrowing func attemptReceive(scattering segments: UnsafeBufferPointer<IOSegment>) -> IOResult {
    let number = descriptor.value
    // The segments, and the memory that they describe, are valid during the call.
    var message = unsafe csk_msghdr(of: segments)
    var result = unsafe csk_recvmsg(number, &message, 0)
    while result == 0 &- Int(CSK_EINTR) { result = unsafe csk_recvmsg(number, &message, 0) }
    if result < 0, result != 0 &- Int(CSK_EAGAIN) { descriptor.noteFailure(IOResult(raw: result)) }
    return IOResult(raw: result)
  }

  @inlinable @inline(__always)
  public borrowing func attemptSend(_ bytes: Span<UInt8>) -> IOResult {
    let raw = descriptor
    let number = raw.value
    let count = bytes.count < SCTPSocket.writeLimit ? bytes.count : SCTPSocket.writeLimit
    // The kernel reads the bytes only during the call, and `count` is at most their number.
    let result = unsafe bytes.withUnsafeBytes { memory in
      var result = unsafe csk_send(number, memory.baseAddress, count, CSK_MSG_NOSIGNAL)
      while result == 0 &- Int(CSK_EINTR) {
        result = unsafe csk_send(number, memory.baseAddress, count, CSK_MSG_NOSIGNAL)
      }
      return result
    }
    if result < 0, result != 0 &- Int(CSK_EAGAIN) { return raw.failedSend(result, bytes, count) }
    return IOResult(raw: result)
  }

  /// Sends all segments as one message if they fit in one message. Otherwise sends the first segment that is not empty.
  @unsafe @inlinable
  public borrowing func attemptSend(gathering segments: UnsafeBufferPointer<IOSegment>) -> IOResult {
    // The segments, and the memory that they describe, are valid during the call.
    var count = 0
    for index in segments.indices { unsafe count &+= segments[index].count }
    if count <= SCTPSocket.writeLimit {
      var message = unsafe csk_msghdr(of: segments)
      var result = unsafe csk_sendmsg(descriptor.value, &message, CSK_MSG_NOSIGNAL)
      while result == 0 &- Int(CSK_EINTR) {
        result = unsafe csk_sendmsg(descriptor.value, &message, CSK_MSG_NOSIGNAL)
      }
      if result >= 0 || result == 0 &- Int(CSK_EAGAIN) { return IOResult(raw: result) }
      if result != 0 &- Int(CSK_EMSGSIZE) {
        descriptor.noteFailure(IOResult(raw: result))
        return IOResult(raw: result)
      }
    }
    for index in segments.indices where unsafe segments[index].count > 0 {
      let memory = unsafe UnsafeRawBufferPointer(start: segments[index].baseAddress, count: segments[index].count)
      return unsafe attemptSend(Span<UInt8>(_unsafeBytes: memory))
    }
    return .zero
  }
}

extension csk_msghdr {
  /// Creates the header of a message whose bytes are in the memory that the segments describe. The caller ensures that
  /// the segments are valid for as long as the header is used.
  @inlinable @inline(__always)
  init(of segments: UnsafeBufferPointer<IOSegment>) {
    unsafe self.init()
    // IOSegment has iovec's layout. The kernel accepts at most 1024 segments.
    unsafe vectors = UnsafeMutableRawPointer(mutating: segments.baseAddress)?.assumingMemoryBound(to: csk_iovec.self)
    unsafe vector_count = segments.count < 1024 ? segments.count : 1024
  }
}

extension RawDescriptor {
  /// Handles a stream write that the kernel rejected. After EMSGSIZE, tries to send fewer bytes.
  @usableFromInline @inline(never)
  func failedSend(_ result: Int, _ bytes: Span<UInt8>, _ tried: Int) -> IOResult {
    let result = result == 0 &- Int(CSK_EMSGSIZE) ? attemptSendLess(bytes, than: tried) : IOResult(raw: result)
    if result.isFailure { noteFailure(result) }
    return result
  }

  /// Halves the length until the kernel accepts the message. The kernel rejects a message that is longer than the send
  /// buffer. If fragmentation is off, it also rejects a message that does not fit in one packet.
  private func attemptSendLess(_ bytes: Span<UInt8>, than tried: Int) -> IOResult {
    var count = tried
    var result = 0 &- Int(CSK_EMSGSIZE)
    while result == 0 &- Int(CSK_EMSGSIZE), count > 1 {
      count /= 2
      repeat {
        // The kernel reads the bytes only during the call, and `count` is less than their number.
        result = unsafe bytes.withUnsafeBytes { unsafe csk_send(value, $0.baseAddress, count, CSK_MSG_NOSIGNAL) }
      } while result == 0 &- Int(CSK_EINTR)
    }
    return IOResult(raw: result)
  }
}
