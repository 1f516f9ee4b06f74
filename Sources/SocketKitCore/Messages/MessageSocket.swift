public import CSocketKit

/// A socket that preserves message boundaries: a datagram or sequenced-packet socket.
///
/// The primitives report everything that the kernel reports: the full length of the message, whether the message or its
/// ancillary data were truncated, whether a record ended, and the sender. Programs call the methods of
/// ``DatagramSocket`` and ``SequencedPacketSocket``.
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

  /// Receives one message and its sender, without waiting, for callers that need only the address. The default calls
  /// ``attemptReceive(into:ancillary:flags:_:)``; kernel sockets use recvfrom(2), which costs less.
  /// - Parameter address: set unless the result is a failure; empty when the sender has no address.
  borrowing func attemptReceive(
    into buffer: inout MutableRawSpan, from address: inout AnySocketAddress, flags: ReceiveFlags
  ) -> IOResult

  /// Sends one message, as a whole or not at all, without waiting. `address` is empty on a connected socket. The call
  /// must not raise SIGPIPE.
  borrowing func attemptSend(
    _ bytes: RawSpan, ancillary: RawSpan, to address: RawSpan, flags: SendFlags
  ) -> IOResult

  /// Returns whether a received message of length 0 is the end of the connection. The default returns false, because
  /// datagrams have no end of stream.
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
  public borrowing func attemptReceive(
    into buffer: inout MutableRawSpan, from address: inout AnySocketAddress, flags: ReceiveFlags
  ) -> IOResult { attemptReceiveByMessage(into: &buffer, from: &address, flags: flags) }

  @inlinable
  public borrowing func attemptReceive(batch: inout MessageBatch) -> IOResult { attemptReceiveOneByOne(batch: &batch) }

  @inlinable
  public borrowing func attemptSend(batch: inout MessageBatch) -> IOResult { attemptSendOneByOne(batch: &batch) }

  /// For implementers: implements ``attemptReceive(into:from:flags:)`` with the socket's
  /// ``attemptReceive(into:ancillary:flags:_:)``. For kernel sockets whose method does more than the system call.
  @inlinable
  public borrowing func attemptReceiveByMessage(
    into buffer: inout MutableRawSpan, from address: inout AnySocketAddress, flags: ReceiveFlags
  ) -> IOResult {
    var info = MessageInfo()
    var none = MutableRawSpan()
    let result = attemptReceive(into: &buffer, ancillary: &none, flags: flags, &info)
    if result.raw >= 0 { address = info.address }
    return result
  }

  /// For implementers: implements ``attemptReceive(batch:)`` with the socket's
  /// ``attemptReceive(into:ancillary:flags:_:)``. For kernel sockets whose method does more than the system call.
  @inlinable
  public borrowing func attemptReceiveOneByOne(batch: inout MessageBatch) -> IOResult {
    batch.removeAll()
    while !batch.isFull {
      let result = batch.withFreeSlot(descriptorsMayCome: mayReceiveDescriptors) { buffer, ancillary, info in
        attemptReceive(into: &buffer, ancillary: &ancillary, flags: [], &info)
      }
      if result.isFailure { return batch.isEmpty ? result : IOResult(raw: batch.count) }
    }
    return IOResult(raw: batch.count)
  }

  /// For implementers: implements ``attemptSend(batch:)`` with the socket's ``attemptSend(_:ancillary:to:flags:)``. For
  /// kernel sockets whose method does more than the system call.
  @inlinable
  public borrowing func attemptSendOneByOne(batch: inout MessageBatch) -> IOResult {
    var sent = 0
    while batch.sent < batch.count {
      let result = batch.withMessageToSend { bytes, ancillary, address in
        attemptSend(bytes, ancillary: ancillary, to: address, flags: [])
      }
      if result.isFailure { return sent == 0 ? result : IOResult(raw: sent) }
      batch.markSent(1)
      sent &+= 1
    }
    return IOResult(raw: sent)
  }
}

extension MessageSocket where Self: KernelSocket & ~Copyable {
  @inlinable @inline(__always)
  public borrowing func attemptReceive(
    into buffer: inout MutableRawSpan, ancillary: inout MutableRawSpan, flags: ReceiveFlags, _ info: inout MessageInfo
  ) -> IOResult {
    Self.named(
      descriptor.attemptReceiveMessage(
        into: &buffer, ancillary: &ancillary, flags: flags, &info, descriptorsMayCome: mayReceiveDescriptors),
      on: descriptor)
  }

  @inlinable @inline(__always)
  public borrowing func attemptReceive(
    into buffer: inout MutableRawSpan, from address: inout AnySocketAddress, flags: ReceiveFlags
  ) -> IOResult {
    let number = descriptor.value
    // With MSG_TRUNC the result is the full length of the message. Without room for ancillary data the kernel drops
    // descriptors.
    let options = flags.rawValue | CSK_MSG_TRUNC
    return buffer.withUnsafeMutableBytes { memory in
      address.fill { name, length in
        var result: Int
        repeat {
          length = UInt32(truncatingIfNeeded: AnySocketAddress.maximumLength)
          result = csk_recvfrom(number, memory.baseAddress, memory.count, options, name, &length)
        } while result == 0 &- Int(CSK_EINTR)
        if result < 0 { length = 0 }
        return IOResult(raw: result)
      }
    }
  }

  @inlinable @inline(__always)
  public borrowing func attemptSend(
    _ bytes: RawSpan, ancillary: RawSpan, to address: RawSpan, flags: SendFlags
  ) -> IOResult {
    if ancillary.isEmpty { return attemptSend(bytes, to: address, flags: flags) }
    return descriptor.attemptSendMessage(bytes, ancillary: ancillary, to: address, flags: flags)
  }

  // Without ancillary data sendto(2) is sufficient, and the kernel does not copy and check a message header.
  @inlinable @inline(__always)
  borrowing func attemptSend(_ bytes: RawSpan, to address: RawSpan, flags: SendFlags) -> IOResult {
    let number = descriptor.value
    let options = flags.rawValue | CSK_MSG_NOSIGNAL
    return bytes.withUnsafeBytes { memory in
      address.withUnsafeBytes { name in
        let length = UInt32(truncatingIfNeeded: name.count)
        // Unlike sendmsg(2), sendto(2) treats an empty address as invalid.
        let receiver = length == 0 ? nil : name.baseAddress
        var result = csk_sendto(number, memory.baseAddress, memory.count, options, receiver, length)
        while result == 0 &- Int(CSK_EINTR) {
          result = csk_sendto(number, memory.baseAddress, memory.count, options, receiver, length)
        }
        return IOResult(raw: result)
      }
    }
  }

  @inlinable @inline(__always)
  public borrowing func attemptReceive(batch: inout MessageBatch) -> IOResult {
    descriptor.attemptReceive(batch: &batch, descriptorsMayCome: mayReceiveDescriptors)
  }

  @inlinable @inline(__always)
  public borrowing func attemptSend(batch: inout MessageBatch) -> IOResult { descriptor.attemptSend(batch: &batch) }
}
