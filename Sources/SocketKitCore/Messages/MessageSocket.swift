public import CSocketKit

/// Datagrams and sequenced packets: what is sent as one message arrives as one.
///
/// One primitive for all of them, which loses nothing that the kernel said: the message's true length, whether it or
/// its control data were cut, whether a record ended, who sent it. Programs call the methods of ``DatagramSocket`` and
/// ``SequencedPacketSocket``.
public protocol MessageSocket: Socket, ~Copyable {
  /// Receives one message, without waiting. The result is the whole message's length, which exceeds the buffer's when
  /// it was truncated.
  /// - Parameters:
  ///   - control: receives control data; empty means that none is wanted, and descriptors in it are dropped.
  ///     Descriptors that it brings are the caller's to close: ``ControlData/closeDescriptors(in:)``.
  ///   - info: filled in when the result is no failure.
  borrowing func attemptReceive(
    into buffer: inout MutableRawSpan, control: inout MutableRawSpan, flags: ReceiveFlags, _ info: inout MessageInfo
  ) -> IOResult

  /// Receives one message and its sender, without waiting: what ``attemptReceive(into:control:flags:_:)`` does for who
  /// needs no more than the address. The default asks that; kernel sockets use recvfrom(2), which costs less.
  /// - Parameter address: filled in when the result is no failure; empty when the sender has none.
  borrowing func attemptReceive(
    into buffer: inout MutableRawSpan, from address: inout AnySocketAddress, flags: ReceiveFlags
  ) -> IOResult

  /// Sends one message, without waiting: whole or not at all. `address` is empty on a connected socket. Must not raise
  /// SIGPIPE.
  borrowing func attemptSend(
    _ bytes: RawSpan, control: RawSpan, to address: RawSpan, flags: SendFlags
  ) -> IOResult

  /// Whether a received message of length 0 is the end of the connection. The default says no: datagrams have no end.
  static func isEnd(_ info: MessageInfo) -> Bool

  /// Whether descriptors can come along with messages: Unix sockets only. Then they must be CLOEXEC, and calls that do
  /// not return them find them in the control data and close them. The default is true, which is always safe except for
  /// packet sockets, which refuse the flag that asks for CLOEXEC (net/packet/af_packet.c). A wrapper returns the value
  /// of its base.
  var mayReceiveDescriptors: Bool { get }

  /// Fills a batch with messages, without waiting. The result is their number, at least 1, or a failure. The default
  /// receives one after the other; kernel sockets use recvmmsg(2).
  borrowing func attemptReceive(batch: inout MessageBatch) -> IOResult

  /// Sends the messages of a batch that are not sent yet, without waiting. The result is how many the kernel took, at
  /// least 1, or a failure of the first. The default sends one after the other; kernel sockets use sendmmsg(2).
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

  /// For implementers: ``attemptReceive(into:from:flags:)`` by way of the socket's own
  /// ``attemptReceive(into:control:flags:_:)``, for kernel sockets whose own does more than the kernel.
  @inlinable
  public borrowing func attemptReceiveByMessage(
    into buffer: inout MutableRawSpan, from address: inout AnySocketAddress, flags: ReceiveFlags
  ) -> IOResult {
    var info = MessageInfo()
    var none = MutableRawSpan()
    let result = attemptReceive(into: &buffer, control: &none, flags: flags, &info)
    if result.raw >= 0 { address = info.address }
    return result
  }

  /// For implementers: ``attemptReceive(batch:)`` by the socket's own way to receive one message, likewise.
  @inlinable
  public borrowing func attemptReceiveOneByOne(batch: inout MessageBatch) -> IOResult {
    batch.removeAll()
    while !batch.isFull {
      let result = batch.withFreeSlot(descriptorsMayCome: mayReceiveDescriptors) { buffer, control, info in
        attemptReceive(into: &buffer, control: &control, flags: [], &info)
      }
      if result.isFailure { return batch.isEmpty ? result : IOResult(raw: batch.count) }
    }
    return IOResult(raw: batch.count)
  }

  /// For implementers: ``attemptSend(batch:)`` by the socket's own way to send one message, likewise.
  @inlinable
  public borrowing func attemptSendOneByOne(batch: inout MessageBatch) -> IOResult {
    var sent = 0
    while batch.sent < batch.count {
      let result = batch.withMessageToSend { bytes, control, address in
        attemptSend(bytes, control: control, to: address, flags: [])
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
    into buffer: inout MutableRawSpan, control: inout MutableRawSpan, flags: ReceiveFlags, _ info: inout MessageInfo
  ) -> IOResult {
    Self.named(
      descriptor.attemptReceiveMessage(
        into: &buffer, control: &control, flags: flags, &info, descriptorsMayCome: mayReceiveDescriptors),
      on: descriptor)
  }

  @inlinable @inline(__always)
  public borrowing func attemptReceive(
    into buffer: inout MutableRawSpan, from address: inout AnySocketAddress, flags: ReceiveFlags
  ) -> IOResult {
    let number = descriptor.value
    // MSG_TRUNC makes the result the message's true length. Without room for control data the kernel drops descriptors.
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
    _ bytes: RawSpan, control: RawSpan, to address: RawSpan, flags: SendFlags
  ) -> IOResult {
    if control.isEmpty { return attemptSend(bytes, to: address, flags: flags) }
    return descriptor.attemptSendMessage(bytes, control: control, to: address, flags: flags)
  }

  // Without control data sendto(2) says all that there is to say, and the kernel copies and checks no structures.
  @inlinable @inline(__always)
  borrowing func attemptSend(_ bytes: RawSpan, to address: RawSpan, flags: SendFlags) -> IOResult {
    let number = descriptor.value
    let options = flags.rawValue | CSK_MSG_NOSIGNAL
    return bytes.withUnsafeBytes { memory in
      address.withUnsafeBytes { name in
        let length = UInt32(truncatingIfNeeded: name.count)
        // sendto(2) takes an empty address for a wrong one, unlike sendmsg(2).
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
