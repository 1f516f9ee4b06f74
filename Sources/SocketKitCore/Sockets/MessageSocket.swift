public import CSocketKit

/// What came with a message, filled in place: trivial, so receiving allocates nothing.
///
/// Provisional, as ``MessageSocket`` is.
@frozen
public struct MessageInfo: BitwiseCopyable, Sendable {
  /// The whole message's length in bytes, even where the buffer was shorter.
  public var length: Int = 0
  /// Bytes of control data received.
  public var controlLength: Int = 0
  /// What recvmsg(2) reports in msg_flags.
  public var flags: Flags = []
  /// The sender, or no address on a connected socket.
  public var address = AnySocketAddress()

  @inlinable
  public init() {}

  /// Flags of a received message.
  @frozen
  public struct Flags: OptionSet, BitwiseCopyable, Hashable, Sendable {
    public let rawValue: Int32
    @inlinable
    public init(rawValue: Int32) { self.rawValue = rawValue }
    /// The message was longer than the buffer: the rest is lost (MSG_TRUNC).
    @inlinable public static var truncated: Self { Self(rawValue: 0x20) }
    /// Control data was longer than its buffer: some is lost (MSG_CTRUNC).
    @inlinable public static var controlTruncated: Self { Self(rawValue: 0x8) }
    /// The record ends here (MSG_EOR).
    @inlinable public static var endOfRecord: Self { Self(rawValue: 0x80) }
  }
}

/// Datagrams and sequenced packets: what is sent as one message arrives as one.
///
/// Provisional: its shape is settled together with the first transports that have it.
public protocol MessageSocket: Socket, ~Copyable {
  /// Receives one message, without waiting. The result is the whole message's length, which exceeds the buffer's when it
  /// was truncated.
  borrowing func attemptReceive(
    into buffer: inout MutableRawSpan, control: inout MutableRawSpan, _ info: inout MessageInfo
  ) -> IOResult
  /// Sends one message, without waiting. `address` is empty on a connected socket.
  borrowing func attemptSend(_ bytes: RawSpan, control: RawSpan, to address: RawSpan) -> IOResult
}

/// Datagrams: no connection, each message finds its own way. Provisional.
public protocol DatagramSocket: MessageSocket, ~Copyable {}

extension MessageSocket where Self: KernelSocket & ~Copyable {
  @inlinable
  public borrowing func attemptReceive(
    into buffer: inout MutableRawSpan, control: inout MutableRawSpan, _ info: inout MessageInfo
  ) -> IOResult {
    let number = descriptor.value
    return buffer.withUnsafeMutableBytes { memory in
      control.withUnsafeMutableBytes { extra in
        var vector = csk_iovec(base: memory.baseAddress, length: memory.count)
        return withUnsafeMutablePointer(to: &vector) { vectors in
          var flags: UInt32 = 0
          var controlLength = 0
          let result = info.address.fill { address, length -> Int in
            var message = csk_msghdr()
            message.name = address
            message.name_length = Int32(bitPattern: length)
            message.vectors = vectors
            message.vector_count = 1
            message.control = extra.baseAddress
            message.control_length = extra.count
            var result = csk_recvmsg(number, &message, CSK_MSG_TRUNC | CSK_MSG_CMSG_CLOEXEC)
            while result == 0 &- Int(CSK_EINTR) {
              result = csk_recvmsg(number, &message, CSK_MSG_TRUNC | CSK_MSG_CMSG_CLOEXEC)
            }
            flags = message.flags
            controlLength = Int(message.control_length)
            length = result < 0 ? 0 : UInt32(bitPattern: message.name_length)
            return result
          }
          info.flags = MessageInfo.Flags(rawValue: Int32(bitPattern: flags))
          info.controlLength = result < 0 ? 0 : controlLength
          info.length = result < 0 ? 0 : result
          return IOResult(raw: result)
        }
      }
    }
  }

  @inlinable
  public borrowing func attemptSend(_ bytes: RawSpan, control: RawSpan, to address: RawSpan) -> IOResult {
    let number = descriptor.value
    return bytes.withUnsafeBytes { memory in
      control.withUnsafeBytes { extra in
        address.withUnsafeBytes { name in
          var vector = csk_iovec(base: UnsafeMutableRawPointer(mutating: memory.baseAddress), length: memory.count)
          return withUnsafeMutablePointer(to: &vector) { vectors in
            var message = csk_msghdr()
            message.name = UnsafeMutableRawPointer(mutating: name.baseAddress)
            message.name_length = Int32(truncatingIfNeeded: name.count)
            message.vectors = vectors
            message.vector_count = 1
            message.control = UnsafeMutableRawPointer(mutating: extra.baseAddress)
            message.control_length = extra.count
            var result = csk_sendmsg(number, &message, CSK_MSG_NOSIGNAL)
            while result == 0 &- Int(CSK_EINTR) { result = csk_sendmsg(number, &message, CSK_MSG_NOSIGNAL) }
            return IOResult(raw: result)
          }
        }
      }
    }
  }
}

extension DatagramSocket where Self: ~Copyable {
  /// Receives one datagram, without waiting.
  /// - Returns: `.bytes` with the count in the buffer (0 is an empty datagram), or `.wouldBlock`; never `.endOfStream`.
  /// - Throws: an error that an earlier send brought back, such as `.connectionRefused`.
  @inlinable
  public borrowing func receive(
    into buffer: consuming MutableSpan<UInt8>, _ info: inout MessageInfo
  ) throws(SocketError) -> IOOutcome {
    var bytes = buffer.mutableBytes
    var none = MutableRawSpan()
    let room = bytes.byteCount
    let result = attemptReceive(into: &bytes, control: &none, &info)
    if result.raw >= 0 { return .bytes(result.raw < room ? result.raw : room) }
    if result.isWouldBlock { return .wouldBlock }
    throw SocketError(result, .receive)
  }

  /// Sends one datagram, without waiting.
  /// - Returns: `.bytes` with the count, or `.wouldBlock`.
  /// - Throws: `.messageTooLarge`, `.unreachable`, `.permissionDenied`, `.connectionRefused`.
  @inlinable
  public borrowing func send(_ bytes: Span<UInt8>, to address: Address) throws(SocketError) -> IOOutcome {
    let result = address.withBytes { attemptSend(bytes.bytes, control: RawSpan(), to: $0) }
    if result.raw >= 0 { return .bytes(result.raw) }
    if result.isWouldBlock { return .wouldBlock }
    throw SocketError(result, .send)
  }
}
