public import CSocketKit
public import SocketKitCore

/// A socket that passes open descriptors and identities to other processes, beside bytes (unix(7), "Ancillary messages").
///
/// The same methods for streams, sequenced packets and datagrams. A descriptor that was sent stays the sender's too: the
/// receiver gets one of its own for the same open file, at once owned by the receiving process.
public protocol DescriptorPassing: Socket, ~Copyable {
  /// Whether descriptors travel only beside at least one byte: streams, which have no messages.
  static var descriptorsNeedBytes: Bool { get }

  /// Whether a received message of length 0 is the end of the connection.
  static func isEnd(_ info: MessageInfo) -> Bool

  /// Receives once, without waiting, with control data: ``MessageSocket`` says how. The caller must close the
  /// descriptors in the control data: ``ReceivedDescriptors/take(from:)``.
  borrowing func attemptReceive(
    into buffer: inout MutableRawSpan, control: inout MutableRawSpan, flags: ReceiveFlags, _ info: inout MessageInfo
  ) -> IOResult

  /// Sends once, without waiting, with control data: ``MessageSocket`` says how.
  borrowing func attemptSend(
    _ bytes: RawSpan, control: RawSpan, to address: RawSpan, flags: SendFlags
  ) -> IOResult
}

/// The most descriptors that the kernel passes with one message (SCM_MAX_FD): 253.
public let maximumPassedDescriptors = 253

extension DescriptorPassing where Self: ~Copyable {
  @inlinable public static var descriptorsNeedBytes: Bool { false }

  /// Sends bytes with descriptors, without waiting.
  ///
  /// - Parameters:
  ///   - bytes: what to send; a stream may take a part, and the descriptors go with its first byte: send the rest without
  ///     them.
  ///   - descriptors: at most 253 open ones. They stay the caller's, and may be closed when this returns.
  ///   - credentials: who to say that sends; nil for the process itself. Another process, user or group needs CAP_SYS_ADMIN,
  ///     CAP_SETUID or CAP_SETGID.
  ///   - address: the receiver; nil on a connected socket.
  /// - Returns: the number of bytes taken; nil when there is no room now: then no descriptor went.
  /// - Throws: `.capacityExceeded` for more than 253; `.invalidArgument` for descriptors without bytes on a stream, which
  ///   the kernel would drop; `.closed` when one of them is not open; `.permissionDenied` for credentials, and for
  ///   descriptors where the receiver does not take any (`.passDescriptors`, Linux 6.16);
  ///   `.tooManyDescriptors` when too many are on their way (ETOOMANYREFS: more than RLIMIT_NOFILE, all sockets of the
  ///   user counted); `.messageTooLarge`, `.brokenPipe`, `.connectionReset`, `.connectionRefused`, `.notConnected`.
  @inlinable
  public borrowing func send(
    _ bytes: Span<UInt8>, descriptors: Span<RawDescriptor>, credentials: ProcessCredentials? = nil,
    to address: Address? = nil, flags: SendFlags = []
  ) throws(SocketError) -> Int? {
    let result = try attemptPass(bytes, descriptors, credentials, to: address, flags)
    if result.raw >= 0 { return result.raw }
    if result.isWouldBlock { return nil }
    throw SocketError(result, .passDescriptors)
  }

  /// Sends bytes with descriptors, waiting on this thread until there is room.
  ///
  /// - Returns: the bytes taken: all of a message; at least 1 of a stream.
  /// - Throws: `.timedOut`, `.cancelled`, and as ``send(_:descriptors:credentials:to:flags:)``.
  @inlinable
  public borrowing func send(
    _ bytes: Span<UInt8>, descriptors: Span<RawDescriptor>, credentials: ProcessCredentials? = nil,
    to address: Address? = nil, flags: SendFlags = [], until limit: some WaitLimit
  ) throws(SocketError) -> Int {
    var wait = try WaitOperation(.passDescriptors, until: limit)
    var refused = 0
    while true {
      let result = try attemptPass(bytes, descriptors, credentials, to: address, flags)
      if result.raw >= 0 { return result.raw }
      if !result.isWouldBlock { throw SocketError(result, .passDescriptors) }
      // As for messages without descriptors: the kernel does not report that a receiver has room again.
      refused &+= 1
      if refused > 2 && address != nil {
        try wait.pause()
      } else {
        try wait.block(on: writeSource, for: .writable)
      }
    }
  }

  /// Receives bytes with the descriptors that come beside them, without waiting.
  ///
  /// - Parameters:
  ///   - buffer: receives the front of the message. On a stream a receive ends with the bytes that carried descriptors, and
  ///     an empty buffer asks the kernel for nothing.
  ///   - descriptors: emptied first; receives at most its capacity of descriptors, the others that came are closed and
  ///     counted as ``ReceivedDescriptors/surplus``. With a capacity of 0 all are closed.
  ///   - info: receives length, flags and the sender's address.
  /// - Returns: `.bytes` with the count in the buffer; `.endOfStream`, never on datagram sockets; nil when there is
  ///   nothing to receive now.
  /// - Throws: `.controlTruncated` when descriptors could not be delivered, because the process has no room for more: those
  ///   that came are closed, the bytes are in the buffer, and ``SocketError/transferred`` tells how many. Otherwise
  ///   `.connectionReset`, `.connectionRefused`, `.notConnected`.
  @inlinable
  public borrowing func receive<let capacity: Int>(
    into buffer: consuming MutableSpan<UInt8>, descriptors: inout ReceivedDescriptors<capacity>,
    _ info: inout MessageInfo, flags: ReceiveFlags = []
  ) throws(SocketError) -> ReadOutcome? {
    var bytes = buffer.mutableBytes
    return try receive(bytes: &bytes, &descriptors, &info, flags)
  }

  @inlinable
  borrowing func receive<let capacity: Int>(
    bytes: inout MutableRawSpan, _ descriptors: inout ReceivedDescriptors<capacity>, _ info: inout MessageInfo,
    _ flags: ReceiveFlags
  ) throws(SocketError) -> ReadOutcome? {
    descriptors.removeAll()
    if Self.descriptorsNeedBytes && bytes.isEmpty { return .bytes(0) }
    // Room for all that can come: 253 descriptors, credentials, a pidfd, a security label and a timestamp. Less room would
    // let the kernel drop some, and it rounds room up to an even number of descriptors.
    var memory = InlineArray<1536, UInt8>(repeating: 0)
    var span = memory.mutableSpan
    var control = span.mutableBytes
    let result = attemptReceive(into: &bytes, control: &control, flags: flags, &info)
    if result.isFailure {
      if result.isWouldBlock { return nil }
      throw SocketError(result, .receive)
    }
    let count = result.raw < bytes.byteCount ? result.raw : bytes.byteCount
    if info.controlLength > 0 {
      var received = control._mutatingExtracting(first: info.controlLength)
      unsafe descriptors.take(from: &received)
    }
    if info.flags.contains(.controlTruncated) && capacity > 0 {
      descriptors.removeAll()
      throw SocketError(code: .controlTruncated, .receive, transferred: count)
    }
    return result.raw == 0 && Self.isEnd(info) ? .endOfStream : .bytes(count)
  }

  /// Receives bytes with the descriptors that come beside them, without waiting.
  /// - Returns: as ``receive(into:descriptors:_:flags:)``.
  /// - Throws: as ``receive(into:descriptors:_:flags:)``.
  @inlinable
  public borrowing func receive<let capacity: Int>(
    into buffer: consuming MutableSpan<UInt8>, descriptors: inout ReceivedDescriptors<capacity>
  ) throws(SocketError) -> ReadOutcome? {
    var info = MessageInfo()
    return try receive(into: buffer, descriptors: &descriptors, &info)
  }

  /// Receives bytes with the descriptors that come beside them, waiting on this thread until there are some.
  /// - Returns: `.endOfStream` also when ``SocketKitCore/Socket/shutdown(_:)`` has ended the receiving, on datagram
  ///   sockets too.
  /// - Throws: `.timedOut`, `.cancelled`, and as ``receive(into:descriptors:_:flags:)``.
  @inlinable
  public borrowing func receive<let capacity: Int>(
    into buffer: consuming MutableSpan<UInt8>, descriptors: inout ReceivedDescriptors<capacity>,
    _ info: inout MessageInfo, flags: ReceiveFlags = [], until limit: some WaitLimit
  ) throws(SocketError) -> ReadOutcome {
    var bytes = buffer.mutableBytes
    return try waiting(for: .readable, .receive, until: limit, atEnd: .endOfStream) { (socket) throws(SocketError) in
      try socket.receive(bytes: &bytes, &descriptors, &info, flags)
    }
  }

  /// Receives bytes with the descriptors that come beside them, waiting on this thread until there are some.
  /// - Throws: `.timedOut`, `.cancelled`, and as ``receive(into:descriptors:_:flags:)``.
  @inlinable
  public borrowing func receive<let capacity: Int>(
    into buffer: consuming MutableSpan<UInt8>, descriptors: inout ReceivedDescriptors<capacity>,
    until limit: some WaitLimit
  ) throws(SocketError) -> ReadOutcome {
    var info = MessageInfo()
    return try receive(
      into: buffer, descriptors: &descriptors, &info, until: limit)
  }
}

extension DescriptorPassing where Self: ~Copyable {
  @inlinable
  func attemptPass(
    _ bytes: Span<UInt8>, _ descriptors: Span<RawDescriptor>, _ credentials: ProcessCredentials?, to address: Address?,
    _ flags: SendFlags
  ) throws(SocketError) -> IOResult {
    if descriptors.count > maximumPassedDescriptors { throw SocketError(code: .capacityExceeded, .passDescriptors) }
    if Self.descriptorsNeedBytes && bytes.isEmpty {
      if descriptors.isEmpty { return .zero }
      throw SocketError(code: .invalidArgument, .passDescriptors)
    }
    let receiver = address.map { AnySocketAddress($0) } ?? AnySocketAddress()
    // Most messages carry few: 80 bytes hold credentials and eight descriptors, 1064 hold all.
    if descriptors.count <= 8 {
      var control = ControlBuffer<80>()
      try control.append(descriptors, credentials)
      return control.withBytes { extra in
        receiver.withBytes { attemptSend(bytes.bytes, control: extra, to: $0, flags: flags) }
      }
    }
    var control = ControlBuffer<1064>()
    try control.append(descriptors, credentials)
    return control.withBytes { extra in
      receiver.withBytes { attemptSend(bytes.bytes, control: extra, to: $0, flags: flags) }
    }
  }
}

extension ControlBuffer {
  /// Adds descriptors to pass (SCM_RIGHTS). They stay the caller's.
  /// - Throws: `.capacityExceeded` when they do not fit; nothing is added then.
  @inlinable
  public mutating func append(descriptors: Span<RawDescriptor>) throws(SocketError) {
    try append(level: CSK_SOL_SOCKET, type: CSK_SCM_RIGHTS, descriptors.bytes)
  }

  /// Adds credentials to send (SCM_CREDENTIALS).
  /// - Throws: `.capacityExceeded` when they do not fit; nothing is added then.
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
