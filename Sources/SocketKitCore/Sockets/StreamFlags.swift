public import CSocketKit

extension StreamSocket where Self: KernelSocket & ~Copyable {
  /// Reads once with flags, without waiting (recv(2)).
  ///
  /// With ``ReceiveFlags/peek``, the bytes stay in the queue. With ``ReceiveFlags/outOfBand``, the call returns urgent
  /// data, at most 1 byte. If there is no urgent data, or if the option `.urgentDataInline` is enabled, the call
  /// returns `.endOfStream` if the stream has ended, and nil otherwise.
  /// - Returns: as ``StreamSocket/read(into:)-(MutableSpan<UInt8>)``.
  /// - Throws: `.invalidArgument` for ``ReceiveFlags/errorQueue``, which does not return bytes of the stream;
  ///   `.notSupported` if the transport has no urgent data; `.notASocket` for a descriptor that is not a socket; and
  ///   the errors of ``StreamSocket/read(into:)-(MutableSpan<UInt8>)``.
  @inlinable
  public borrowing func read(
    into buffer: consuming MutableSpan<UInt8>, flags: ReceiveFlags
  ) throws(SocketError) -> ReadOutcome? {
    var bytes = buffer
    return try read(bytes: &bytes, flags)
  }

  /// Reads at least one byte with flags, and blocks the calling thread until a byte arrives. With
  /// ``ReceiveFlags/outOfBand``, the call waits for urgent data.
  /// - Returns: as ``StreamSocket/read(into:until:)-(MutableSpan<UInt8>,_)``.
  /// - Throws: `.timedOut`, `.cancelled`, and the errors of ``read(into:flags:)``.
  @inlinable
  public borrowing func read(
    into buffer: consuming MutableSpan<UInt8>, flags: ReceiveFlags, until limit: some WaitLimit
  ) throws(SocketError) -> ReadOutcome {
    var bytes = buffer
    let interest: Interest = flags.contains(.outOfBand) ? [.priority, .readClosed] : .readable
    return try waiting(for: interest, .read, until: limit, atEnd: .endOfStream) { (socket) throws(SocketError) in
      try socket.read(bytes: &bytes, flags)
    }
  }

  @inlinable
  borrowing func read(bytes: inout MutableSpan<UInt8>, _ flags: ReceiveFlags) throws(SocketError) -> ReadOutcome? {
    if flags.contains(.errorQueue) { throw SocketError(code: .invalidArgument, .read) }
    if bytes.isEmpty { return .bytes(0) }
    let raw = descriptor
    let result = raw.attemptReceiveBytes(into: &bytes, flags: flags.rawValue)
    // recv(2) fails with EINVAL if there is no urgent data, or if the socket receives urgent data in-line.
    if flags.contains(.outOfBand) && result.errno == CSK_EINVAL { return raw.peerHasEnded ? .endOfStream : nil }
    return try Self.named(result, on: raw).readOutcome(.read)
  }

  /// Writes once with flags, without waiting (send(2)).
  ///
  /// With ``SendFlags/more``, TCP delays a segment that is not full. TCP sends this segment when more bytes follow, or
  /// after at most 200 milliseconds. With ``SendFlags/outOfBand``, the last byte is urgent.
  /// - Returns: as ``StreamSocket/write(_:)``.
  /// - Throws: `.invalidArgument` for ``SendFlags/zeroCopy``, because the kernel would use the bytes after the call
  ///   (see `ZeroCopySender`); `.notSupported` if the transport has no urgent data; `.notASocket` for a descriptor
  ///   that is not a socket; and the errors of ``StreamSocket/write(_:)``.
  @inlinable
  public borrowing func write(_ bytes: Span<UInt8>, flags: SendFlags) throws(SocketError) -> Int? {
    if flags.contains(.zeroCopy) { throw SocketError(code: .invalidArgument, .write) }
    if bytes.isEmpty { return 0 }
    let raw = descriptor
    let result = raw.attemptSendBytes(bytes, flags: flags.rawValue | CSK_MSG_NOSIGNAL)
    return try Self.named(result, on: raw).count(.write)
  }

  /// Writes at least one byte with flags, and blocks the calling thread until the kernel accepts a byte.
  /// - Returns: as ``StreamSocket/write(_:until:)``.
  /// - Throws: `.timedOut`, `.cancelled`, and the errors of ``write(_:flags:)``.
  @inlinable
  public borrowing func write(
    _ bytes: Span<UInt8>, flags: SendFlags, until limit: some WaitLimit
  ) throws(SocketError) -> Int {
    try waiting(for: .writable, .write, until: limit) { (socket) throws(SocketError) in
      try socket.write(bytes, flags: flags)
    }
  }
}

extension RawDescriptor {
  /// Whether poll(2) reports that the peer has closed the connection or shut down its sending side.
  @usableFromInline
  var peerHasEnded: Bool {
    var watched = csk_pollfd(fd: value, events: Int16(CSK_POLLRDHUP), revents: 0)
    var none = csk_timespec()
    // The kernel accesses only these two structures, and only during the call.
    return unsafe csk_ppoll(&watched, 1, &none) > 0 && watched.revents & Int16(CSK_POLLRDHUP | CSK_POLLHUP) != 0
  }
}
