extension DatagramSocket where Self: ~Copyable {
  /// Receives one datagram and its sender's address, without waiting. To detect truncation, use
  /// ``receive(into:_:flags:)``.
  ///
  /// - Parameters:
  ///   - buffer: receives the first bytes of the datagram. If the buffer is empty, the call removes a datagram from the
  ///     queue and discards its bytes.
  ///   - sender: receives the sender's address; nil if the sender's socket has no address (an unbound Unix socket).
  /// - Returns: the number of bytes written to the buffer, 0 for an empty datagram; nil if no datagram is available.
  /// - Throws: the pending error of an earlier send, such as `.connectionRefused` on a connected socket.
  @inlinable @inline(__always)
  public borrowing func receive(
    into buffer: consuming MutableSpan<UInt8>, from sender: inout Address?, flags: ReceiveFlags = []
  ) throws(SocketError) -> Int? {
    var bytes = buffer
    return try receive(bytes: &bytes, from: &sender, flags)
  }

  /// Receives one datagram and its sender's address. Blocks this thread until a datagram arrives.
  /// - Returns: the number of bytes written to the buffer, 0 for an empty datagram.
  /// - Throws: `.shutDown` if the queue is empty and ``Socket/shutdown(_:)`` shut down the receiving direction before
  ///   or during the call; `.timedOut`; `.cancelled`; and the errors of ``receive(into:from:flags:)``.
  @inlinable
  public borrowing func receive(
    into buffer: consuming MutableSpan<UInt8>, from sender: inout Address?, flags: ReceiveFlags = [],
    until limit: some WaitLimit
  ) throws(SocketError) -> Int {
    var bytes = buffer
    return try waiting(for: .readable, .receive, until: limit) { (socket) throws(SocketError) in
      try socket.receive(bytes: &bytes, from: &sender, flags)
    }
  }

  @inlinable @inline(__always)
  borrowing func receive(
    bytes: inout MutableSpan<UInt8>, from sender: inout Address?, _ flags: ReceiveFlags
  ) throws(SocketError) -> Int? {
    let room = bytes.count
    var address = AnySocketAddress()
    guard let length = try attemptReceive(into: &bytes, from: &address, flags: flags).count(.receive) else {
      return nil
    }
    // The conversion reads the address in place. A copy would be large, because the address can be of any family.
    sender = address.withOwnBytes { Address(sockaddr: $0) }
    return length < room ? length : room
  }

  /// Receives one datagram and information about the datagram, without waiting.
  ///
  /// - Parameters:
  ///   - buffer: receives the first bytes of the datagram. If the buffer is empty, the call removes a datagram from the
  ///     queue and discards its bytes.
  ///   - info: receives the full length of the datagram, whether the datagram was truncated, and the sender.
  /// - Returns: the same as ``receive(into:from:flags:)``.
  /// - Throws: the errors of ``receive(into:from:flags:)``.
  @inlinable @inline(__always)
  public borrowing func receive(
    into buffer: consuming MutableSpan<UInt8>, _ info: inout MessageInfo, flags: ReceiveFlags = []
  ) throws(SocketError) -> Int? {
    var bytes = buffer
    var none = MutableRawSpan()
    return try receive(bytes: &bytes, &none, &info, flags)
  }

  /// Receives one datagram and information about the datagram. Blocks this thread until a datagram arrives.
  /// - Returns: the number of bytes written to the buffer, 0 for an empty datagram.
  /// - Throws: the errors of ``receive(into:from:flags:until:)``.
  @inlinable
  public borrowing func receive(
    into buffer: consuming MutableSpan<UInt8>, _ info: inout MessageInfo, flags: ReceiveFlags = [],
    until limit: some WaitLimit
  ) throws(SocketError) -> Int {
    var bytes = buffer
    var none = MutableRawSpan()
    return try waiting(for: .readable, .receive, until: limit) { (socket) throws(SocketError) in
      try socket.receive(bytes: &bytes, &none, &info, flags)
    }
  }

  /// Receives one datagram with its ancillary data, without waiting. `AncillaryBuffer.metadata` decodes the
  /// information that the program has requested with socket options, for example the destination, the interface, the
  /// hop limit and the timestamp.
  ///
  /// The call closes received descriptors and replaces their numbers in the ancillary data with -1. To receive
  /// descriptors, use `receiveDescriptors(_:into:…)` of a Unix socket. With the option `.receivePathMTU`, the call may
  /// return 0 bytes and a notice instead of a datagram. In this case `PacketMetadata.pathMTU` is not nil.
  ///
  /// - Parameter ancillary: receives the ancillary data. The call replaces the contents of this buffer. If the call
  ///   returns no datagram, the buffer is empty afterwards. A capacity of 320 bytes is sufficient for all ancillary
  ///   data of UDP. The kernel discards ancillary data that do not fit and sets
  ///   ``MessageInfo/Flags/ancillaryTruncated`` in the flags.
  /// - Returns: the same as ``receive(into:from:flags:)``.
  /// - Throws: the errors of ``receive(into:from:flags:)``.
  @inlinable @inline(__always)
  public borrowing func receive<let capacity: Int>(
    into buffer: consuming MutableSpan<UInt8>, ancillary: inout AncillaryBuffer<capacity>, _ info: inout MessageInfo,
    flags: ReceiveFlags = []
  ) throws(SocketError) -> Int? {
    var bytes = buffer
    ancillary.used = 0
    var words = ancillary.storage.mutableSpan
    var room = words.mutableIntegerBytes
    let count = try receive(bytes: &bytes, &room, &info, flags)
    if count != nil { ancillary.noteReceived(info.ancillaryLength) }
    return count
  }

  /// Receives one datagram with its ancillary data. Blocks this thread until a datagram arrives.
  /// - Returns: the number of bytes written to the buffer, 0 for an empty datagram.
  /// - Throws: the errors of ``receive(into:from:flags:until:)``.
  @inlinable
  public borrowing func receive<let capacity: Int>(
    into buffer: consuming MutableSpan<UInt8>, ancillary: inout AncillaryBuffer<capacity>, _ info: inout MessageInfo,
    flags: ReceiveFlags = [], until limit: some WaitLimit
  ) throws(SocketError) -> Int {
    var bytes = buffer
    ancillary.used = 0
    var words = ancillary.storage.mutableSpan
    var room = words.mutableIntegerBytes
    let count = try waiting(for: .readable, .receive, until: limit) { (socket) throws(SocketError) in
      try socket.receive(bytes: &bytes, &room, &info, flags)
    }
    ancillary.noteReceived(info.ancillaryLength)
    return count
  }

  @inlinable @inline(__always)
  borrowing func receive(
    bytes: inout MutableSpan<UInt8>, _ ancillary: inout MutableRawSpan, _ info: inout MessageInfo, _ flags: ReceiveFlags
  ) throws(SocketError) -> Int? {
    let room = bytes.count
    let result = attemptReceive(into: &bytes, ancillary: &ancillary, flags: flags, &info)
    guard let length = try result.count(.receive) else { return nil }
    if info.ancillaryLength != 0 && mayReceiveDescriptors {
      // A socket with `mayReceiveDescriptors` guarantees that the kernel wrote the ancillary data.
      unsafe closePassedDescriptors(in: &ancillary, info.ancillaryLength)
    }
    return length < room ? length : room
  }

  /// Receives one datagram into several buffers, without waiting. The call fills the buffers in order. On kernel
  /// sockets the call makes one system call.
  ///
  /// - Parameters:
  ///   - list: at most 1024 buffers that are not empty (UIO_MAXIOV). More buffers are an error, because a datagram
  ///     cannot be received in parts.
  ///   - info: receives the full length of the datagram, whether the datagram was truncated, and the sender.
  /// - Returns: the number of bytes written to all buffers together; nil if no datagram is available.
  /// - Throws: `.capacityExceeded` for more than 1024 buffers, and the errors of ``receive(into:from:flags:)``.
  @inlinable
  public borrowing func receive(
    scattering list: consuming ScatterList, _ info: inout MessageInfo, flags: ReceiveFlags = []
  ) throws(SocketError) -> Int? {
    try list.segments.checkMessage(.receive)
    return try receive(segments: list.segments, &info, flags)
  }

  /// Receives one datagram into several buffers, which the call fills in order. Blocks this thread until a datagram
  /// arrives.
  /// - Returns: the number of bytes written to all buffers together.
  /// - Throws: `.capacityExceeded` for more than 1024 buffers, and the errors of ``receive(into:from:flags:until:)``.
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
    // The list borrows the memory of its segments, so the memory exists during the call.
    let result = unsafe segments.withSegments {
      unsafe attemptReceive(scattering: $0, ancillary: &none, flags: flags, &info)
    }
    guard let length = try result.count(.receive) else { return nil }
    return length < segments.byteCount ? length : segments.byteCount
  }
}
