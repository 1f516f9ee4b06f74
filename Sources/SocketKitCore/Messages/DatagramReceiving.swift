extension DatagramSocket where Self: ~Copyable {
  /// Receives one datagram and its sender, without waiting. Use ``receive(into:_:flags:)`` to detect truncation too.
  ///
  /// - Parameters:
  ///   - buffer: receives the first bytes of the datagram. With an empty buffer the call takes a datagram and discards
  ///     its bytes.
  ///   - sender: receives the sender's address; nil when it has none (an unbound Unix socket).
  /// - Returns: the number of bytes in the buffer, 0 for an empty datagram; nil when no datagram is available.
  /// - Throws: the pending error of an earlier send, such as `.connectionRefused` on a connected socket.
  @inlinable @inline(__always)
  public borrowing func receive(
    into buffer: consuming MutableSpan<UInt8>, from sender: inout Address?, flags: ReceiveFlags = []
  ) throws(SocketError) -> Int? {
    var bytes = buffer.mutableBytes
    return try receive(bytes: &bytes, from: &sender, flags)
  }

  /// Receives one datagram and its sender, waiting on this thread until there is one.
  /// - Returns: the number of bytes in the buffer, 0 for an empty datagram.
  /// - Throws: `.shutDown` when ``Socket/shutdown(_:)`` has ended the receiving direction, before the call or while it
  ///   waits, and no datagram is left; `.timedOut`, `.cancelled`, and as ``receive(into:from:flags:)``.
  @inlinable
  public borrowing func receive(
    into buffer: consuming MutableSpan<UInt8>, from sender: inout Address?, flags: ReceiveFlags = [],
    until limit: some WaitLimit
  ) throws(SocketError) -> Int {
    var bytes = buffer.mutableBytes
    return try waiting(for: .readable, .receive, until: limit) { (socket) throws(SocketError) in
      try socket.receive(bytes: &bytes, from: &sender, flags)
    }
  }

  @inlinable @inline(__always)
  borrowing func receive(
    bytes: inout MutableRawSpan, from sender: inout Address?, _ flags: ReceiveFlags
  ) throws(SocketError) -> Int? {
    let room = bytes.byteCount
    var address = AnySocketAddress()
    let result = attemptReceive(into: &bytes, from: &address, flags: flags)
    if result.raw >= 0 {
      // Avoids a copy, because an address of any family is large.
      sender = address.withOwnBytes { Address(sockaddr: $0) }
      return result.raw < room ? result.raw : room
    }
    if result.isWouldBlock { return nil }
    throw SocketError(result, .receive)
  }

  /// Receives one datagram and what the kernel reports about it, without waiting.
  ///
  /// - Parameters:
  ///   - buffer: receives the first bytes of the datagram. With an empty buffer the call takes a datagram and discards
  ///     its bytes.
  ///   - info: receives the full length of the datagram, whether the datagram was truncated, and the sender.
  /// - Returns: as ``receive(into:from:flags:)``.
  /// - Throws: as ``receive(into:from:flags:)``.
  @inlinable @inline(__always)
  public borrowing func receive(
    into buffer: consuming MutableSpan<UInt8>, _ info: inout MessageInfo, flags: ReceiveFlags = []
  ) throws(SocketError) -> Int? {
    var bytes = buffer.mutableBytes
    var none = MutableRawSpan()
    return try receive(bytes: &bytes, &none, &info, flags)
  }

  /// Receives one datagram and what the kernel reports about it, waiting on this thread until there is one.
  /// - Returns: the number of bytes in the buffer, 0 for an empty datagram.
  /// - Throws: as ``receive(into:from:flags:until:)``.
  @inlinable
  public borrowing func receive(
    into buffer: consuming MutableSpan<UInt8>, _ info: inout MessageInfo, flags: ReceiveFlags = [],
    until limit: some WaitLimit
  ) throws(SocketError) -> Int {
    var bytes = buffer.mutableBytes
    var none = MutableRawSpan()
    return try waiting(for: .readable, .receive, until: limit) { (socket) throws(SocketError) in
      try socket.receive(bytes: &bytes, &none, &info, flags)
    }
  }

  /// Receives one datagram with its ancillary data, without waiting. ``AncillaryBuffer/metadata`` decodes what the
  /// socket options request: destination, interface, hop limit, timestamp and more.
  ///
  /// The call closes received descriptors and writes -1 in the place of each. To get descriptors, use
  /// `receiveDescriptors(_:into:…)` of a Unix socket. With the option `.receivePathMTU` a result of 0 bytes may be a
  /// notice instead of a datagram; ``PacketMetadata/pathMTU`` is not nil then.
  ///
  /// - Parameter ancillary: receives ancillary data, which replace its content; empty unless a datagram is returned.
  ///   320 bytes hold all ancillary data of UDP. Ancillary data that do not fit are lost, and the flags contain
  ///   ``MessageInfo/Flags/ancillaryTruncated``.
  /// - Returns: as ``receive(into:from:flags:)``.
  /// - Throws: as ``receive(into:from:flags:)``.
  @inlinable @inline(__always)
  public borrowing func receive<let capacity: Int>(
    into buffer: consuming MutableSpan<UInt8>, ancillary: inout AncillaryBuffer<capacity>, _ info: inout MessageInfo,
    flags: ReceiveFlags = []
  ) throws(SocketError) -> Int? {
    var bytes = buffer.mutableBytes
    ancillary.used = 0
    var words = ancillary.storage.mutableSpan
    var room = words.mutableBytes
    let count = try receive(bytes: &bytes, &room, &info, flags)
    if count != nil { ancillary.used = info.ancillaryLength < capacity ? info.ancillaryLength : capacity }
    return count
  }

  /// Receives one datagram with its ancillary data, waiting on this thread until there is one.
  /// - Returns: the number of bytes in the buffer, 0 for an empty datagram.
  /// - Throws: as ``receive(into:from:flags:until:)``.
  @inlinable
  public borrowing func receive<let capacity: Int>(
    into buffer: consuming MutableSpan<UInt8>, ancillary: inout AncillaryBuffer<capacity>, _ info: inout MessageInfo,
    flags: ReceiveFlags = [], until limit: some WaitLimit
  ) throws(SocketError) -> Int {
    var bytes = buffer.mutableBytes
    ancillary.used = 0
    var words = ancillary.storage.mutableSpan
    var room = words.mutableBytes
    let count = try waiting(for: .readable, .receive, until: limit) { (socket) throws(SocketError) in
      try socket.receive(bytes: &bytes, &room, &info, flags)
    }
    ancillary.used = info.ancillaryLength < capacity ? info.ancillaryLength : capacity
    return count
  }

  @inlinable @inline(__always)
  borrowing func receive(
    bytes: inout MutableRawSpan, _ ancillary: inout MutableRawSpan, _ info: inout MessageInfo, _ flags: ReceiveFlags
  ) throws(SocketError) -> Int? {
    let room = bytes.byteCount
    let result = attemptReceive(into: &bytes, ancillary: &ancillary, flags: flags, &info)
    if result.raw >= 0 {
      if info.ancillaryLength != 0 && mayReceiveDescriptors {
        closePassedDescriptors(in: &ancillary, info.ancillaryLength)
      }
      return result.raw < room ? result.raw : room
    }
    if result.isWouldBlock { return nil }
    throw SocketError(result, .receive)
  }

  /// Receives one datagram into several buffers in turn, without waiting. On kernel sockets this is one system call.
  ///
  /// - Parameters:
  ///   - list: at most 1024 buffers that are not empty (UIO_MAXIOV), because a datagram cannot be received in parts.
  ///   - info: receives the full length of the datagram, whether it exceeded the buffers, and the sender.
  /// - Returns: the number of bytes in all buffers together; nil when no datagram is available.
  /// - Throws: `.capacityExceeded` for more than 1024 buffers, and as ``receive(into:from:flags:)``.
  @inlinable
  public borrowing func receive(
    scattering list: consuming ScatterList, _ info: inout MessageInfo, flags: ReceiveFlags = []
  ) throws(SocketError) -> Int? {
    try list.segments.checkMessage(.receive)
    return try receive(segments: list.segments, &info, flags)
  }

  /// Receives one datagram into several buffers in turn, waiting on this thread until there is one.
  /// - Returns: the number of bytes in all buffers together.
  /// - Throws: `.capacityExceeded` for more than 1024 buffers, and as ``receive(into:from:flags:until:)``.
  @inlinable
  public borrowing func receive(
    scattering list: consuming ScatterList, _ info: inout MessageInfo, flags: ReceiveFlags = [],
    until limit: some WaitLimit
  ) throws(SocketError) -> Int {
    try list.segments.checkMessage(.receive)
    return try waiting(for: .readable, .receive, until: limit) { (socket) throws(SocketError) in
      try socket.receive(segments: list.segments, &info, flags)
    }
  }

  @inlinable
  borrowing func receive(
    segments: borrowing SegmentList, _ info: inout MessageInfo, _ flags: ReceiveFlags
  ) throws(SocketError) -> Int? {
    var none = MutableRawSpan()
    let result = segments.withSegments { attemptReceive(scattering: $0, ancillary: &none, flags: flags, &info) }
    if result.raw >= 0 { return result.raw < segments.byteCount ? result.raw : segments.byteCount }
    if result.isWouldBlock { return nil }
    throw SocketError(result, .receive)
  }
}
