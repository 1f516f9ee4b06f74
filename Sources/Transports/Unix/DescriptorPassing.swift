public import CSocketKit
public import SocketKitCore

/// The maximum number of descriptors that the kernel passes with one message (SCM_MAX_FD): 253.
public let maximumPassedDescriptors = 253

// These methods pass open descriptors and credentials to other processes along with bytes (unix(7), "Ancillary
// messages"). Stream, sequenced-packet and datagram sockets have the same methods. The sender keeps its descriptor. The
// receiver gets a new descriptor for the same open file. The receiving process owns the new descriptor as soon as the
// message is received.
extension Transport where Self: KernelSocket & ~Copyable, Address == UnixAddress {
  /// Sends descriptors with bytes, without blocking.
  ///
  /// - Parameters:
  ///   - descriptors: at most 253 open descriptors. The caller keeps ownership and may close them after this call
  ///     returns.
  ///   - bytes: the bytes to send. A stream may accept only some of the bytes. The kernel passes the descriptors with
  ///     the first byte, so send the remaining bytes without descriptors.
  ///   - credentials: the credentials that the kernel reports to the receiver; nil for those of this process. To send
  ///     the ID of another process, user or group, this process needs CAP_SYS_ADMIN, CAP_SETUID or CAP_SETGID,
  ///     respectively.
  ///   - address: the receiver; nil on a connected socket.
  /// - Returns: the number of bytes accepted; nil if there is no buffer space now. In that case no descriptor was sent.
  /// - Throws: `.capacityExceeded` for more than 253 descriptors; `.invalidArgument` for descriptors without bytes on a
  ///   stream, because the kernel would drop the descriptors; `.closed` if one of the descriptors is not open;
  ///   `.permissionDenied` for credentials that this process may not send, and for descriptors if the receiver does not
  ///   accept any (`.passDescriptors`, Linux 6.16); `.tooManyDescriptors` if too many descriptors are in flight
  ///   (ETOOMANYREFS: more than RLIMIT_NOFILE, counted over all sockets of the user); `.messageTooLarge`,
  ///   `.brokenPipe`, `.connectionReset`, `.connectionRefused`, `.notConnected`.
  @inlinable
  public borrowing func sendDescriptors(
    _ descriptors: Span<RawDescriptor>, with bytes: Span<UInt8>, credentials: ProcessCredentials? = nil,
    to address: Address? = nil, flags: SendFlags = []
  ) throws(SocketError) -> Int? {
    let result = try attemptPass(bytes, descriptors, credentials, to: address, flags)
    if result.raw >= 0 { return result.raw }
    if result.isWouldBlock { return nil }
    throw SocketError(result, .passDescriptors)
  }

  /// Sends descriptors with bytes, blocking this thread until there is buffer space.
  ///
  /// - Returns: the number of bytes accepted: all bytes of a message, or at least 1 byte of a stream.
  /// - Throws: `.timedOut`, `.cancelled`, and the errors of ``sendDescriptors(_:with:credentials:to:flags:)``.
  @inlinable
  public borrowing func sendDescriptors(
    _ descriptors: Span<RawDescriptor>, with bytes: Span<UInt8>, credentials: ProcessCredentials? = nil,
    to address: Address? = nil, flags: SendFlags = [], until limit: some WaitLimit
  ) throws(SocketError) -> Int {
    var wait = try WaitOperation(.passDescriptors, until: limit)
    var refused = 0
    while true {
      let result = try attemptPass(bytes, descriptors, credentials, to: address, flags)
      if result.raw >= 0 { return result.raw }
      if !result.isWouldBlock { throw SocketError(result, .passDescriptors) }
      // For a send call with an address, the kernel does not report when the receiver has buffer space again. The call
      // therefore pauses and retries, as send calls without descriptors do.
      refused &+= 1
      if refused > 2 && address != nil {
        try wait.pause()
      } else {
        try wait.block(on: self, for: .writable)
      }
    }
  }

  /// Receives bytes and the descriptors that arrive with them, without blocking.
  ///
  /// - Parameters:
  ///   - descriptors: receives descriptors up to its capacity, and the kernel's information about the message
  ///     (``ReceivedDescriptors/info``). The call first empties it. Further descriptors are closed and counted in
  ///     ``ReceivedDescriptors/surplus``. With a capacity of 0, all descriptors are closed.
  ///   - buffer: receives the beginning of the message. On a stream, a call that receives descriptors returns no bytes
  ///     that follow the bytes that were sent with these descriptors. On a stream, a call with an empty buffer makes no
  ///     system call.
  /// - Returns: `.bytes` with the number of bytes in the buffer; `.endOfStream` at the end of the connection (never on
  ///   datagram sockets); nil if there is nothing to receive now.
  /// - Throws: `.ancillaryTruncated` if descriptors could not be delivered because the process cannot open more
  ///   descriptors. The descriptors that did arrive are closed, the bytes are in the buffer,
  ///   ``ReceivedDescriptors/info`` describes the message, and ``/SocketKitCore/SocketError/transferred`` is the number
  ///   of bytes. Also throws `.connectionReset`, `.connectionRefused`, `.notConnected`.
  @inlinable
  public borrowing func receiveDescriptors<let capacity: Int>(
    _ descriptors: inout ReceivedDescriptors<capacity>, into buffer: consuming MutableSpan<UInt8>,
    flags: ReceiveFlags = []
  ) throws(SocketError) -> ReadOutcome? {
    var bytes = buffer
    return try receive(bytes: &bytes, &descriptors, flags)
  }

  @inlinable
  borrowing func receive<let capacity: Int>(
    bytes: inout MutableSpan<UInt8>, _ descriptors: inout ReceivedDescriptors<capacity>, _ flags: ReceiveFlags
  ) throws(SocketError) -> ReadOutcome? {
    descriptors.removeAll()
    if bytes.isEmpty && Self.isByteStream { return .bytes(0) }
    // Space for everything that can arrive: 253 descriptors, credentials, a pidfd, a security label and a timestamp.
    // With less space, the kernel could drop some of the ancillary data. The kernel aligns ancillary messages to 8
    // bytes, so an odd number of descriptors needs the space of the next even number.
    var memory = InlineArray<1536, UInt8>(repeating: 0)
    var span = memory.mutableSpan
    var ancillary = span.mutableIntegerBytes
    let result = Self.named(
      descriptor.attemptReceiveMessage(into: &bytes, ancillary: &ancillary, flags: flags, &descriptors.received),
      on: descriptor)
    if result.isFailure {
      if result.isWouldBlock { return nil }
      throw SocketError(result, .receive)
    }
    let count = result.raw < bytes.count ? result.raw : bytes.count
    let info = descriptors.received
    if info.ancillaryLength > 0 {
      var received = ancillary._mutatingExtracting(first: info.ancillaryLength)
      // The kernel has written this ancillary data, and nothing else has taken its descriptors.
      unsafe descriptors.add(from: &received)
    }
    if info.flags.contains(.ancillaryTruncated) && capacity > 0 {
      descriptors.removeAll()
      descriptors.received = info
      throw SocketError(code: .ancillaryTruncated, .receive, transferred: count)
    }
    return result.raw == 0 && Self.isEndOfConnection(info) ? .endOfStream : .bytes(count)
  }

  /// Receives bytes and the descriptors that arrive with them, blocking this thread until bytes are available.
  /// - Returns: `.bytes` or `.endOfStream`, as ``receiveDescriptors(_:into:flags:)`` does. After
  ///   ``/SocketKitCore/Socket/shutdown(_:)`` has shut down receiving, the result is `.endOfStream` on datagram sockets
  ///   too.
  /// - Throws: `.timedOut`, `.cancelled`, and the errors of ``receiveDescriptors(_:into:flags:)``.
  @inlinable
  public borrowing func receiveDescriptors<let capacity: Int>(
    _ descriptors: inout ReceivedDescriptors<capacity>, into buffer: consuming MutableSpan<UInt8>,
    flags: ReceiveFlags = [], until limit: some WaitLimit
  ) throws(SocketError) -> ReadOutcome {
    var bytes = buffer
    return try waiting(for: .readable, .receive, until: limit, atEnd: .endOfStream) { (socket) throws(SocketError) in
      try socket.receive(bytes: &bytes, &descriptors, flags)
    }
  }
}

extension Transport where Self: KernelSocket & ~Copyable, Address == UnixAddress {
  @inlinable
  func attemptPass(
    _ bytes: Span<UInt8>, _ descriptors: Span<RawDescriptor>, _ credentials: ProcessCredentials?, to address: Address?,
    _ flags: SendFlags
  ) throws(SocketError) -> IOResult {
    if descriptors.count > maximumPassedDescriptors { throw SocketError(code: .capacityExceeded, .passDescriptors) }
    if bytes.isEmpty && Self.isByteStream {
      if descriptors.isEmpty { return .zero }
      throw SocketError(code: .invalidArgument, .passDescriptors)
    }
    let receiver = address.map { AnySocketAddress($0) } ?? AnySocketAddress()
    // Most messages carry few descriptors. 80 bytes are enough for credentials and eight descriptors. 1064 bytes are
    // enough for the maximum.
    if descriptors.count <= 8 {
      var ancillary = AncillaryBuffer<80>()
      try ancillary.append(descriptors, credentials)
      return attemptSend(bytes, ancillary.bytes, receiver, flags)
    }
    var ancillary = AncillaryBuffer<1064>()
    try ancillary.append(descriptors, credentials)
    return attemptSend(bytes, ancillary.bytes, receiver, flags)
  }

  @inlinable @inline(__always)
  func attemptSend(
    _ bytes: Span<UInt8>, _ ancillary: RawSpan, _ receiver: AnySocketAddress, _ flags: SendFlags
  ) -> IOResult {
    let result = receiver.withBytes {
      descriptor.attemptSendMessage(bytes, ancillary: ancillary, to: $0, flags: flags)
    }
    return Self.named(result, on: descriptor)
  }

  /// Whether this is a stream socket. A stream carries descriptors only together with at least one byte, because it has
  /// no messages.
  @inlinable @inline(__always)
  static var isByteStream: Bool { kinds[0].type == .stream }

  /// Returns whether a received message of length 0 means the end of the connection.
  @inlinable
  static func isEndOfConnection(_ info: MessageInfo) -> Bool {
    // Most messages are not empty. For them, the socket type does not matter.
    if info.length != 0 { return false }
    let type = kinds[0].type
    return type == .stream || type == .sequencedPacket && info.ancillaryLength == 0 && info.flags.isEmpty
  }
}

extension AncillaryBuffer {
  /// Adds descriptors to pass (SCM_RIGHTS). The caller keeps ownership of them.
  /// - Throws: `.capacityExceeded` if they do not fit; in that case nothing is added.
  @inlinable
  public mutating func append(descriptors: Span<RawDescriptor>) throws(SocketError) {
    // A descriptor consists of its number, so its bytes have no padding.
    try unsafe append(level: CSK_SOL_SOCKET, type: CSK_SCM_RIGHTS, descriptors.bytes)
  }

  /// Adds credentials to send (SCM_CREDENTIALS).
  /// - Throws: `.capacityExceeded` if they do not fit; in that case nothing is added.
  @inlinable
  public mutating func append(credentials: ProcessCredentials) throws(SocketError) {
    try append(level: CSK_SOL_SOCKET, type: CSK_SCM_CREDENTIALS, value: credentials)
  }

  @inlinable
  mutating func append(
    _ descriptors: Span<RawDescriptor>, _ credentials: ProcessCredentials?
  ) throws(SocketError) {
    if let credentials { try append(credentials: credentials) }
    if !descriptors.isEmpty { try append(descriptors: descriptors) }
  }
}
