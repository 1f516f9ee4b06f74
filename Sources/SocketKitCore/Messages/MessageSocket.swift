/// A socket that preserves message boundaries: a datagram or sequenced-packet socket.
///
/// The primitives report everything that the kernel reports: the full length of the message, whether the message or its
/// ancillary data were truncated, whether a record ended, and the sender. Programs call the methods of
/// ``DatagramSocket`` and ``SequencedPacketSocket``, and for many messages those of ``MessageBatch``.
///
/// A transport implements the two primitives for one message in one buffer; the others have defaults.
public protocol MessageSocket: Socket, ~Copyable {
  /// Receives one message, without waiting. The result is the full length of the message, which exceeds the buffer's
  /// when the message was truncated.
  /// - Parameters:
  ///   - ancillary: receives ancillary data. When it is empty, ancillary data and the descriptors in them are
  ///     discarded. The caller must close received descriptors: ``AncillaryData/closeDescriptors(in:)``.
  ///   - info: set unless the result is a failure.
  borrowing func attemptReceive(
    into buffer: inout MutableRawSpan, ancillary: inout MutableRawSpan, flags: ReceiveFlags, _ info: inout MessageInfo
  ) -> IOResult

  /// Receives one message into several buffers in turn, as ``attemptReceive(into:ancillary:flags:_:)`` does. The
  /// default receives into one buffer and copies the bytes, and allocates memory for more than 1024; kernel sockets use
  /// the segments of recvmsg(2).
  /// - Parameter segments: at most 1024 (UIO_MAXIOV).
  @unsafe borrowing func attemptReceive(
    scattering segments: UnsafeBufferPointer<IOSegment>, ancillary: inout MutableRawSpan, flags: ReceiveFlags,
    _ info: inout MessageInfo
  ) -> IOResult

  /// Sends one message, as a whole or not at all, without waiting. `address` is empty on a connected socket. The call
  /// must not raise SIGPIPE.
  borrowing func attemptSend(
    _ bytes: RawSpan, ancillary: RawSpan, to address: RawSpan, flags: SendFlags
  ) -> IOResult

  /// Sends the bytes of several buffers as one message, as ``attemptSend(_:ancillary:to:flags:)`` does. The default
  /// copies the bytes into one buffer, and allocates memory for more than 1024; kernel sockets use the segments of
  /// sendmsg(2).
  /// - Parameter segments: at most 1024 (UIO_MAXIOV).
  @unsafe borrowing func attemptSend(
    gathering segments: UnsafeBufferPointer<IOSegment>, ancillary: RawSpan, to address: RawSpan, flags: SendFlags
  ) -> IOResult

  /// Returns whether a received message of length 0 is the end of the connection. The default returns false, because
  /// datagrams have no end of stream; for a ``SequencedPacketSocket`` it returns true unless the message has ancillary
  /// data or flags, such as end-of-record.
  static func isEnd(_ info: MessageInfo) -> Bool

  /// Whether messages can carry descriptors, which is possible on Unix sockets only. Received descriptors must be
  /// CLOEXEC, and calls that do not return them find them in the ancillary data and close them. The default is true.
  /// This is safe for all sockets except packet sockets, which refuse the flag that requests CLOEXEC
  /// (net/packet/af_packet.c). A wrapper returns the value of its base.
  var mayReceiveDescriptors: Bool { get }

  /// Fills a batch with messages, without waiting. The result is their number, at least 1, or a failure. The default
  /// receives one after the other; kernel sockets use recvmmsg(2).
  borrowing func attemptReceive(batch: inout MessageBatch) -> IOResult

  /// Sends the unsent messages of a batch, without waiting. The result is the number of messages that the kernel
  /// accepted, at least 1, or the failure of the first message. The default sends one after the other; kernel sockets
  /// use sendmmsg(2).
  borrowing func attemptSend(batch: inout MessageBatch) -> IOResult
}

extension MessageSocket where Self: ~Copyable {
  @inlinable @inline(__always)
  public static func isEnd(_ info: MessageInfo) -> Bool { false }

  @inlinable @inline(__always)
  public var mayReceiveDescriptors: Bool { true }

  @inlinable
  public borrowing func attemptReceive(batch: inout MessageBatch) -> IOResult {
    batch.removeAll()
    while !batch.isFull {
      let result = batch.withFreeSlot(descriptorsMayCome: mayReceiveDescriptors) { buffer, ancillary, info in
        attemptReceive(into: &buffer, ancillary: &ancillary, flags: [], &info)
      }
      if result.isFailure { return batch.isEmpty ? result : IOResult(raw: batch.count) }
    }
    return IOResult(raw: batch.count)
  }

  @inlinable
  public borrowing func attemptSend(batch: inout MessageBatch) -> IOResult {
    var sent = 0
    while batch.sent < batch.count {
      let result = batch.withMessageToSend { bytes, ancillary, address in
        attemptSend(bytes, ancillary: ancillary, to: address, flags: [])
      }
      if result.isFailure { return sent == 0 ? result : IOResult(raw: sent) }
      batch.sent &+= 1
      sent &+= 1
    }
    return IOResult(raw: sent)
  }
}
