/// A socket that preserves message boundaries: a datagram or sequenced-packet socket.
///
/// The primitives return all information that the kernel reports: the full length of the message, whether the message
/// or its ancillary data were truncated, whether a record ended, and the sender. Programs call the methods of
/// ``DatagramSocket`` and ``SequencedPacketSocket``, and the methods of ``MessageBatch`` for many messages.
///
/// A transport must implement the two primitives for one message in one buffer. The other requirements have default
/// implementations.
public protocol MessageSocket: Socket, ~Copyable {
  /// Receives one message, without waiting. The result is the full length of the message. It is greater than the length
  /// of the buffer if the message was truncated.
  /// - Parameters:
  ///   - ancillary: receives ancillary data. If this buffer is empty, the kernel discards ancillary data and the
  ///     descriptors in them. The caller must close received descriptors with ``AncillaryData/closeDescriptors(in:)``.
  ///   - info: set unless the result is a failure.
  borrowing func attemptReceive(
    into buffer: inout MutableSpan<UInt8>, ancillary: inout MutableRawSpan, flags: ReceiveFlags,
    _ info: inout MessageInfo
  ) -> IOResult

  /// Receives one message into several buffers, which the call fills in order. In all other respects, this method
  /// behaves like ``attemptReceive(into:ancillary:flags:_:)``. The default implementation receives into one temporary
  /// buffer and copies the bytes. It allocates memory if the buffers contain more than 1024 bytes. Kernel sockets pass
  /// the buffers to recvmsg(2).
  /// - Parameter segments: the buffers, at most 1024 (UIO_MAXIOV).
  @unsafe borrowing func attemptReceive(
    scattering segments: UnsafeBufferPointer<IOSegment>, ancillary: inout MutableRawSpan, flags: ReceiveFlags,
    _ info: inout MessageInfo
  ) -> IOResult

  /// Sends one message completely or not at all, without waiting. `address` is empty on a connected socket. The call
  /// must not raise SIGPIPE.
  borrowing func attemptSend(
    _ bytes: Span<UInt8>, ancillary: RawSpan, to address: RawSpan, flags: SendFlags
  ) -> IOResult

  /// Sends the bytes of several buffers as one message. In all other respects, this method behaves like
  /// ``attemptSend(_:ancillary:to:flags:)``. The default implementation copies the bytes into one temporary buffer. It
  /// allocates memory if the buffers contain more than 1024 bytes. Kernel sockets pass the buffers to sendmsg(2).
  /// - Parameter segments: the buffers, at most 1024 (UIO_MAXIOV).
  @unsafe borrowing func attemptSend(
    gathering segments: UnsafeBufferPointer<IOSegment>, ancillary: RawSpan, to address: RawSpan, flags: SendFlags
  ) -> IOResult

  /// Returns whether a received message of length 0 represents the end of the connection. The default implementation
  /// returns false, because datagrams have no end of stream. For a ``SequencedPacketSocket`` it returns true unless the
  /// message contains ancillary data or has flags, such as end-of-record.
  static func isEnd(_ info: MessageInfo) -> Bool

  /// Whether messages can carry descriptors. Only messages of Unix sockets can carry descriptors. If the value is true,
  /// a receive must set CLOEXEC on the descriptors that it receives. In this case, a call that does not return
  /// descriptors searches the ancillary data for descriptors and closes these descriptors. The default is true, which
  /// is safe for all sockets except packet sockets. Packet sockets refuse the flag that requests CLOEXEC
  /// (net/packet/af_packet.c). A wrapper must return the value of the socket that it wraps.
  var mayReceiveDescriptors: Bool { get }

  /// Fills a batch with messages, without waiting. The result is the number of messages, at least 1, or a failure. The
  /// default implementation receives one message after the other. Kernel sockets use recvmmsg(2).
  borrowing func attemptReceive(batch: inout MessageBatch) -> IOResult

  /// Sends the unsent messages of a batch, without waiting. The result is the number of messages that the kernel
  /// accepted, at least 1, or the failure of the first message. The default implementation sends one message after the
  /// other. Kernel sockets use sendmmsg(2).
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
      // A socket with `mayReceiveDescriptors` guarantees that the kernel wrote the ancillary data.
      let result = unsafe batch.withFreeSlot(descriptorsMayCome: mayReceiveDescriptors) { buffer, ancillary, info in
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
