extension DatagramSocket where Self: ~Copyable {
  /// Sends one datagram completely or not at all, without waiting.
  ///
  /// - Parameters:
  ///   - ancillary: settings for this datagram, encoded by `OutgoingMetadata` or ``AncillaryBuffer``. Pass
  ///     ``AncillaryBuffer/bytes``.
  ///   - address: the address of the receiver; nil on a connected socket.
  /// - Returns: the number of bytes sent; nil if the call would block.
  /// - Throws: `.messageTooLarge`, `.unreachable`, `.permissionDenied` (a broadcast without the option `.broadcast`),
  ///   `.connectionRefused` (the pending error of an earlier send), `.notConnected` (no receiver), `.invalidArgument`.
  ///   With ancillary data, the call also throws `.addressNotAvailable` if the interface does not exist. It throws
  ///   `.invalidArgument` for a segment size that the host does not support, and for a transmit time without the option
  ///   `.transmitTime`. For a source that is not an address of this host, it throws `.invalidArgument` or
  ///   `.unreachable`, depending on the kernel.
  @inlinable @inline(__always)
  public borrowing func send(
    _ bytes: Span<UInt8>, ancillary: RawSpan = RawSpan(), to address: Address? = nil, flags: SendFlags = []
  ) throws(SocketError) -> Int? {
    guard let address else {
      return try attemptSend(bytes, ancillary: ancillary, to: RawSpan(), flags: flags).count(.send)
    }
    let result = address.withBytes { attemptSend(bytes, ancillary: ancillary, to: $0, flags: flags) }
    return try result.count(.send)
  }

  /// Sends one datagram. Blocks this thread until there is buffer space.
  ///
  /// If the queue of a Unix receiver is full and the socket is connected to the receiver, the call resumes as soon as
  /// the queue has space. If the socket is not connected to the receiver, the call sleeps and tries again. It then
  /// resumes within one millisecond after the queue has space again, or within four milliseconds if the wait was long.
  /// - Returns: the number of bytes sent.
  /// - Throws: `.timedOut`, `.cancelled`, and the errors of ``send(_:ancillary:to:flags:)``.
  @inlinable @discardableResult
  public borrowing func send(
    _ bytes: Span<UInt8>, ancillary: RawSpan = RawSpan(), to address: Address? = nil, flags: SendFlags = [],
    until limit: some WaitLimit
  ) throws(SocketError) -> Int {
    let receiver = address.map { AnySocketAddress($0) } ?? AnySocketAddress()
    return try sending(to: receiver, until: limit) { socket, name in
      socket.attemptSend(bytes, ancillary: ancillary, to: name, flags: flags)
    }
  }

  /// Sends the bytes of several buffers as one datagram, completely or not at all, without waiting. On kernel sockets
  /// the call makes one system call and does not copy the bytes in user space.
  ///
  /// - Parameter list: at most 1024 buffers that are not empty (UIO_MAXIOV). More buffers are an error, because a
  ///   datagram cannot be sent in parts.
  /// - Returns: the number of bytes sent; nil if the call would block.
  /// - Throws: `.capacityExceeded` for more than 1024 buffers, and the errors of ``send(_:ancillary:to:flags:)``.
  @inlinable
  public borrowing func send(
    gathering list: borrowing GatherList, ancillary: RawSpan = RawSpan(), to address: Address? = nil,
    flags: SendFlags = []
  ) throws(SocketError) -> Int? {
    try list.segments.checkMessage(.send)
    let receiver = address.map { AnySocketAddress($0) } ?? AnySocketAddress()
    let result = receiver.withBytes { name in
      // The list borrows the memory of its segments, so the memory exists during the call.
      unsafe list.segments.withSegments {
        unsafe attemptSend(gathering: $0, ancillary: ancillary, to: name, flags: flags)
      }
    }
    return try result.count(.send)
  }

  /// Sends the bytes of several buffers as one datagram. Blocks this thread until there is buffer space.
  /// - Returns: the number of bytes sent.
  /// - Throws: `.capacityExceeded` for more than 1024 buffers, and the errors of ``send(_:ancillary:to:flags:until:)``.
  @inlinable @discardableResult
  public borrowing func send(
    gathering list: borrowing GatherList, ancillary: RawSpan = RawSpan(), to address: Address? = nil,
    flags: SendFlags = [], until limit: some WaitLimit
  ) throws(SocketError) -> Int {
    try list.segments.checkMessage(.send)
    let receiver = address.map { AnySocketAddress($0) } ?? AnySocketAddress()
    return try sending(to: receiver, until: limit) { socket, name in
      // The list borrows the memory of its segments, so the memory exists during the call.
      unsafe list.segments.withSegments {
        unsafe socket.attemptSend(gathering: $0, ancillary: ancillary, to: name, flags: flags)
      }
    }
  }
}
