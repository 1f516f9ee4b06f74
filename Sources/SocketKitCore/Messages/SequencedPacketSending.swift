extension SequencedPacketSocket where Self: ~Copyable {
  /// Sends one packet completely or not at all, without waiting.
  /// - Parameter ancillary: the ancillary data of this packet. Pass ``AncillaryBuffer/bytes``.
  /// - Returns: the length of the packet; nil if the call would block.
  /// - Throws: `.messageTooLarge`, `.brokenPipe`, `.connectionReset`, `.notConnected`.
  @inlinable
  public borrowing func send(
    _ bytes: Span<UInt8>, ancillary: RawSpan = RawSpan(), flags: SendFlags = []
  ) throws(SocketError) -> Int? {
    try attemptSend(bytes, ancillary: ancillary, to: RawSpan(), flags: flags).count(.send)
  }

  /// Sends one packet. Blocks this thread until there is buffer space.
  /// - Returns: the length of the packet.
  /// - Throws: `.timedOut`, `.cancelled`, and the errors of ``send(_:ancillary:flags:)``.
  @inlinable @discardableResult
  public borrowing func send(
    _ bytes: Span<UInt8>, ancillary: RawSpan = RawSpan(), flags: SendFlags = [], until limit: some WaitLimit
  ) throws(SocketError) -> Int {
    try sending(to: AnySocketAddress(), until: limit) { socket, name in
      socket.attemptSend(bytes, ancillary: ancillary, to: name, flags: flags)
    }
  }

  /// Sends the bytes of several buffers as one packet, completely or not at all, without waiting. On kernel sockets the
  /// call makes one system call and does not copy the bytes in user space.
  /// - Parameter list: at most 1024 buffers that are not empty (UIO_MAXIOV). More buffers are an error, because a
  ///   packet cannot be sent in parts.
  /// - Returns: the length of the packet; nil if the call would block.
  /// - Throws: `.capacityExceeded` for more than 1024 buffers, and the errors of ``send(_:ancillary:flags:)``.
  @inlinable
  public borrowing func send(
    gathering list: borrowing GatherList, ancillary: RawSpan = RawSpan(), flags: SendFlags = []
  ) throws(SocketError) -> Int? {
    try list.segments.checkMessage(.send)
    // The list borrows the memory of its segments, so the memory exists during the call.
    let result = unsafe list.segments.withSegments {
      unsafe attemptSend(gathering: $0, ancillary: ancillary, to: RawSpan(), flags: flags)
    }
    return try result.count(.send)
  }

  /// Sends the bytes of several buffers as one packet. Blocks this thread until there is buffer space.
  /// - Returns: the length of the packet.
  /// - Throws: `.timedOut`, `.cancelled`, and the errors of ``send(gathering:ancillary:flags:)``.
  @inlinable @discardableResult
  public borrowing func send(
    gathering list: borrowing GatherList, ancillary: RawSpan = RawSpan(), flags: SendFlags = [],
    until limit: some WaitLimit
  ) throws(SocketError) -> Int {
    try list.segments.checkMessage(.send)
    return try sending(to: AnySocketAddress(), until: limit) { socket, name in
      // The list borrows the memory of its segments, so the memory exists during the call.
      unsafe list.segments.withSegments {
        unsafe socket.attemptSend(gathering: $0, ancillary: ancillary, to: name, flags: flags)
      }
    }
  }
}
