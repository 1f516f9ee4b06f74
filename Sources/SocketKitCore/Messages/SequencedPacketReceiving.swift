extension SequencedPacketSocket where Self: ~Copyable {
  /// Receives one packet, without waiting.
  ///
  /// The call closes received descriptors. To receive descriptors, use `receiveDescriptors(_:into:…)` of a Unix socket.
  /// - Parameters:
  ///   - buffer: receives the first bytes of the packet. Bytes that do not fit are lost, and
  ///     ``MessageInfo/isTruncated`` is then true. If the socket has ``SocketCapabilities/continuedMessages``, the next
  ///     receive returns these bytes instead.
  ///   - info: receives the packet's full length and flags.
  /// - Returns: `.bytes` with the number of bytes written to the buffer (0 for an empty packet); `.endOfStream`; or nil
  ///   if no packet is available.
  /// - Throws: `.connectionReset`, `.notConnected`.
  @inlinable
  public borrowing func receive(
    into buffer: consuming MutableSpan<UInt8>, _ info: inout MessageInfo, flags: ReceiveFlags = []
  ) throws(SocketError) -> ReadOutcome? {
    var bytes = buffer
    return try receive(bytes: &bytes, &info, flags)
  }

  /// Receives one packet. Blocks this thread until a packet arrives or the connection ends.
  /// - Returns: `.bytes` with the number of bytes written to the buffer, or `.endOfStream`.
  /// - Throws: `.timedOut`, `.cancelled`, and the errors of ``receive(into:_:flags:)``.
  @inlinable
  public borrowing func receive(
    into buffer: consuming MutableSpan<UInt8>, _ info: inout MessageInfo, flags: ReceiveFlags = [],
    until limit: some WaitLimit
  ) throws(SocketError) -> ReadOutcome {
    var bytes = buffer
    return try waiting(for: .readable, .receive, until: limit, atEnd: .endOfStream) { (socket) throws(SocketError) in
      try socket.receive(bytes: &bytes, &info, flags)
    }
  }

  @inlinable
  borrowing func receive(
    bytes: inout MutableSpan<UInt8>, _ info: inout MessageInfo, _ flags: ReceiveFlags
  ) throws(SocketError) -> ReadOutcome? {
    // A buffer for credentials, which distinguish an empty packet from the end of the connection.
    var memory = InlineArray<64, UInt8>(repeating: 0)
    var span = memory.mutableSpan
    var ancillary = span.mutableIntegerBytes
    return try receive(bytes: &bytes, &ancillary, &info, flags)
  }

  @inlinable @inline(__always)
  borrowing func receive(
    bytes: inout MutableSpan<UInt8>, _ ancillary: inout MutableRawSpan, _ info: inout MessageInfo, _ flags: ReceiveFlags
  ) throws(SocketError) -> ReadOutcome? {
    let result = attemptReceive(into: &bytes, ancillary: &ancillary, flags: flags, &info)
    return try outcome(result, bytes.count, &ancillary, info)
  }

  /// Receives one packet with its ancillary data, without waiting.
  ///
  /// The call closes received descriptors and replaces their numbers in the ancillary data with -1. To receive
  /// descriptors, use `receiveDescriptors(_:into:…)` of a Unix socket.
  /// - Parameter ancillary: receives the ancillary data. The call replaces the contents of this buffer. If the call
  ///   returns no packet, the buffer is empty afterwards. The kernel discards ancillary data that do not fit and sets
  ///   ``MessageInfo/Flags/ancillaryTruncated`` in the flags.
  /// - Returns: the same as ``receive(into:_:flags:)``.
  /// - Throws: the errors of ``receive(into:_:flags:)``.
  @inlinable
  public borrowing func receive<let capacity: Int>(
    into buffer: consuming MutableSpan<UInt8>, ancillary: inout AncillaryBuffer<capacity>, _ info: inout MessageInfo,
    flags: ReceiveFlags = []
  ) throws(SocketError) -> ReadOutcome? {
    var bytes = buffer
    ancillary.used = 0
    var words = ancillary.storage.mutableSpan
    var room = words.mutableIntegerBytes
    let outcome = try receive(bytes: &bytes, &room, &info, flags)
    if case .bytes? = outcome { ancillary.noteReceived(info.ancillaryLength) }
    return outcome
  }

  /// Receives one packet with its ancillary data. Blocks this thread until a packet arrives or the connection ends.
  /// - Returns: `.bytes` with the number of bytes written to the buffer, or `.endOfStream`.
  /// - Throws: `.timedOut`, `.cancelled`, and the errors of ``receive(into:_:flags:)``.
  @inlinable
  public borrowing func receive<let capacity: Int>(
    into buffer: consuming MutableSpan<UInt8>, ancillary: inout AncillaryBuffer<capacity>, _ info: inout MessageInfo,
    flags: ReceiveFlags = [], until limit: some WaitLimit
  ) throws(SocketError) -> ReadOutcome {
    var bytes = buffer
    ancillary.used = 0
    var words = ancillary.storage.mutableSpan
    var room = words.mutableIntegerBytes
    let outcome = try waiting(
      for: .readable, .receive, until: limit, atEnd: .endOfStream
    ) { (socket) throws(SocketError) in try socket.receive(bytes: &bytes, &room, &info, flags) }
    if case .bytes = outcome { ancillary.noteReceived(info.ancillaryLength) }
    return outcome
  }

  /// Receives one packet into several buffers, without waiting. The call fills the buffers in order. On kernel sockets
  /// the call makes one system call.
  ///
  /// - Parameters:
  ///   - list: at most 1024 buffers that are not empty (UIO_MAXIOV). More buffers are an error, because a packet cannot
  ///     be received in parts.
  ///   - info: receives the packet's full length and flags.
  /// - Returns: `.bytes` with the number of bytes written to all buffers together; `.endOfStream`; or nil if no packet
  ///   is available.
  /// - Throws: `.capacityExceeded` for more than 1024 buffers, and the errors of ``receive(into:_:flags:)``.
  @inlinable
  public borrowing func receive(
    scattering list: consuming ScatterList, _ info: inout MessageInfo, flags: ReceiveFlags = []
  ) throws(SocketError) -> ReadOutcome? {
    try list.segments.checkMessage(.receive)
    return try receive(segments: list.segments, &info, flags)
  }

  /// Receives one packet into several buffers, which the call fills in order. Blocks this thread until a packet arrives
  /// or the connection ends.
  /// - Returns: `.bytes` with the number of bytes written to all buffers together, or `.endOfStream`.
  /// - Throws: `.timedOut`, `.cancelled`, and the errors of ``receive(scattering:_:flags:)``.
  @inlinable
  public borrowing func receive(
    scattering list: consuming ScatterList, _ info: inout MessageInfo, flags: ReceiveFlags = [],
    until limit: some WaitLimit
  ) throws(SocketError) -> ReadOutcome {
    try list.segments.checkMessage(.receive)
    return try waiting(for: .readable, .receive, until: limit, atEnd: .endOfStream) { (socket) throws(SocketError) in
      try socket.receive(segments: list.segments, &info, flags)
    }
  }

  @inlinable
  borrowing func receive(
    segments: borrowing SegmentList, _ info: inout MessageInfo, _ flags: ReceiveFlags
  ) throws(SocketError) -> ReadOutcome? {
    var memory = InlineArray<64, UInt8>(repeating: 0)
    var span = memory.mutableSpan
    var ancillary = span.mutableIntegerBytes
    // The list borrows the memory of its segments, so the memory exists during the call.
    let result = unsafe segments.withSegments {
      unsafe attemptReceive(scattering: $0, ancillary: &ancillary, flags: flags, &info)
    }
    return try outcome(result, segments.byteCount, &ancillary, info)
  }

  @inlinable @inline(__always)
  borrowing func outcome(
    _ result: IOResult, _ room: Int, _ ancillary: inout MutableRawSpan, _ info: MessageInfo
  ) throws(SocketError) -> ReadOutcome? {
    if result.raw > 0 || (result.raw == 0 && !Self.isEnd(info)) {
      if info.ancillaryLength != 0 && mayReceiveDescriptors {
        // A socket with `mayReceiveDescriptors` guarantees that the kernel wrote the ancillary data.
        unsafe closePassedDescriptors(in: &ancillary, info.ancillaryLength)
      }
      return .bytes(result.raw < room ? result.raw : room)
    }
    return try result.readOutcome(.receive)
  }
}
