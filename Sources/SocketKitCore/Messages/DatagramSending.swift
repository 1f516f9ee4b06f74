extension DatagramSocket where Self: ~Copyable {
  /// Sends one datagram, as a whole or not at all, without waiting.
  ///
  /// - Parameters:
  ///   - ancillary: settings for this datagram, encoded by ``OutgoingMetadata`` or ``AncillaryBuffer``:
  ///     ``AncillaryBuffer/bytes``.
  ///   - address: the receiver; nil on a connected socket.
  /// - Returns: the number of bytes sent; nil when the call would block.
  /// - Throws: `.messageTooLarge`, `.unreachable`, `.permissionDenied` (broadcast needs the option),
  ///   `.connectionRefused` (the pending error of an earlier send), `.notConnected` (no receiver), `.invalidArgument`.
  ///   With ancillary data also `.invalidArgument` or `.unreachable`, depending on the kernel (a source that is not an
  ///   address of this host), `.addressNotAvailable` (no such interface), `.invalidArgument` (a segment size that the
  ///   host does not support, a time of sending without the option `.transmitTime`).
  @inlinable @inline(__always)
  public borrowing func send(
    _ bytes: Span<UInt8>, ancillary: RawSpan = RawSpan(), to address: Address? = nil, flags: SendFlags = []
  ) throws(SocketError) -> Int? {
    guard let address else {
      return try attemptSend(bytes.bytes, ancillary: ancillary, to: RawSpan(), flags: flags).count(.send)
    }
    let result = address.withBytes { attemptSend(bytes.bytes, ancillary: ancillary, to: $0, flags: flags) }
    return try result.count(.send)
  }

  /// Sends one datagram, waiting on this thread until there is room.
  ///
  /// After the queue of a Unix receiver was full, the call detects free room within one millisecond, or within four
  /// after a long wait. When the socket is connected to the receiver, the call detects it at once.
  /// - Returns: the number of bytes sent.
  /// - Throws: `.timedOut`, `.cancelled`, and as ``send(_:ancillary:to:flags:)``.
  @inlinable @discardableResult
  public borrowing func send(
    _ bytes: Span<UInt8>, ancillary: RawSpan = RawSpan(), to address: Address? = nil, flags: SendFlags = [],
    until limit: some WaitLimit
  ) throws(SocketError) -> Int {
    let receiver = address.map { AnySocketAddress($0) } ?? AnySocketAddress()
    return try sending(to: receiver, until: limit) { socket, name in
      socket.attemptSend(bytes.bytes, ancillary: ancillary, to: name, flags: flags)
    }
  }

  /// Sends the bytes of several buffers as one datagram, as a whole or not at all, without waiting. On kernel sockets
  /// this is one system call, and the bytes are not copied before it.
  ///
  /// - Parameter list: at most 1024 buffers that are not empty (UIO_MAXIOV), because a datagram cannot be sent in
  ///   parts.
  /// - Returns: the number of bytes sent; nil when the call would block.
  /// - Throws: `.capacityExceeded` for more than 1024 buffers, and as ``send(_:ancillary:to:flags:)``.
  @inlinable
  public borrowing func send(
    gathering list: borrowing GatherList, ancillary: RawSpan = RawSpan(), to address: Address? = nil,
    flags: SendFlags = []
  ) throws(SocketError) -> Int? {
    try list.segments.checkMessage(.send)
    let receiver = address.map { AnySocketAddress($0) } ?? AnySocketAddress()
    let result = receiver.withBytes { name in
      list.segments.withSegments { attemptSend(gathering: $0, ancillary: ancillary, to: name, flags: flags) }
    }
    return try result.count(.send)
  }

  /// Sends the bytes of several buffers as one datagram, waiting on this thread until there is room.
  /// - Returns: the number of bytes sent.
  /// - Throws: `.capacityExceeded` for more than 1024 buffers, and as ``send(_:ancillary:to:flags:until:)``.
  @inlinable @discardableResult
  public borrowing func send(
    gathering list: borrowing GatherList, ancillary: RawSpan = RawSpan(), to address: Address? = nil,
    flags: SendFlags = [], until limit: some WaitLimit
  ) throws(SocketError) -> Int {
    try list.segments.checkMessage(.send)
    let receiver = address.map { AnySocketAddress($0) } ?? AnySocketAddress()
    return try sending(to: receiver, until: limit) { socket, name in
      list.segments.withSegments { socket.attemptSend(gathering: $0, ancillary: ancillary, to: name, flags: flags) }
    }
  }
}
