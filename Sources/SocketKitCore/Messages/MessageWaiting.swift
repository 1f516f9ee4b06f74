// Receiving and sending messages with a deadline, waiting on the calling thread.

extension DatagramSocket where Self: ~Copyable {
  /// Receives one datagram, waiting on this thread until there is one.
  /// - Returns: the count in the buffer; 0 is an empty datagram.
  /// - Throws: `.shutDown` when ``Socket/shutdown(_:)`` has ended the receiving, before the call or while it waits, and
  ///   no datagram is left; `.timedOut`, `.cancelled`, and as ``receive(into:_:flags:)``.
  @inlinable
  public borrowing func receive(
    into buffer: consuming MutableSpan<UInt8>, _ info: inout MessageInfo, until deadline: Deadline,
    strategy: some WaitStrategy = .park, control: WaitControl? = nil
  ) throws(SocketError) -> Int {
    var wait = try WaitOperation(.receive, until: deadline, strategy: strategy, control: control)
    var bytes = buffer.mutableBytes
    var none = MutableRawSpan()
    let room = bytes.byteCount
    while true {
      let result = attemptReceive(into: &bytes, control: &none, flags: [], &info)
      if result.raw >= 0 { return result.raw < room ? result.raw : room }
      if !result.isWouldBlock { throw SocketError(result, .receive) }
      try wait.block(on: readSource, for: .readable)
    }
  }

  /// Receives one datagram with its control data, waiting on this thread until there is one.
  /// - Parameter extra: receives control data: as in ``receive(into:control:_:flags:)``.
  /// - Returns: the count in the buffer; 0 is an empty datagram.
  /// - Throws: `.shutDown` when ``Socket/shutdown(_:)`` has ended the receiving, before the call or while it waits, and
  ///   no datagram is left; `.timedOut`, `.cancelled`, and as ``receive(into:_:flags:)``.
  @inlinable
  public borrowing func receive(
    into buffer: consuming MutableSpan<UInt8>, control extra: inout MutableRawSpan, _ info: inout MessageInfo,
    until deadline: Deadline, strategy: some WaitStrategy = .park, waitControl control: WaitControl? = nil
  ) throws(SocketError) -> Int {
    var wait = try WaitOperation(.receive, until: deadline, strategy: strategy, control: control)
    var bytes = buffer.mutableBytes
    let room = bytes.byteCount
    while true {
      let result = attemptReceive(into: &bytes, control: &extra, flags: [], &info)
      if result.raw >= 0 {
        if info.controlLength != 0 && mayReceiveDescriptors { closePassedDescriptors(in: &extra, info.controlLength) }
        return result.raw < room ? result.raw : room
      }
      if !result.isWouldBlock { throw SocketError(result, .receive) }
      try wait.block(on: readSource, for: .readable)
    }
  }

  /// Sends one datagram, waiting on this thread until there is room.
  ///
  /// A full Unix receiver is noticed to have room again within a millisecond, or within four when the wait has taken
  /// long, unless the socket is connected to it: then at once.
  /// - Parameter address: nil on a connected socket.
  /// - Throws: `.timedOut`, `.cancelled`, and as ``send(_:to:flags:)``.
  @inlinable
  public borrowing func send(
    _ bytes: Span<UInt8>, to address: Address?, until deadline: Deadline, strategy: some WaitStrategy = .park,
    control: WaitControl? = nil
  ) throws(SocketError) {
    let receiver = address.map { AnySocketAddress($0) } ?? AnySocketAddress()
    try sendWaiting(bytes, receiver, until: deadline, strategy: strategy, control: control)
  }
}

extension SequencedPacketSocket where Self: ~Copyable {
  /// Receives one packet, waiting on this thread until there is one.
  /// - Returns: `.bytes` with the count in the buffer, or `.endOfStream`.
  /// - Throws: `.timedOut`, `.cancelled`, and as ``receive(into:_:flags:)``.
  @inlinable
  public borrowing func receive(
    into buffer: consuming MutableSpan<UInt8>, _ info: inout MessageInfo, until deadline: Deadline,
    strategy: some WaitStrategy = .park, control: WaitControl? = nil
  ) throws(SocketError) -> ReadOutcome {
    var wait = try WaitOperation(.receive, until: deadline, strategy: strategy, control: control)
    while true {
      switch try receive(into: buffer._mutatingExtracting(first: buffer.count), &info) {
      case .bytes(let count): return .bytes(count)
      case .endOfStream: return .endOfStream
      case .wouldBlock:
        if try !wait.blockUnlessEnded(on: readSource, for: .readable) { return .endOfStream }
      }
    }
  }

  /// Sends one packet, waiting on this thread until there is room for it.
  /// - Throws: `.timedOut`, `.cancelled`, and as ``send(_:control:flags:)``.
  @inlinable
  public borrowing func send(
    _ bytes: Span<UInt8>, until deadline: Deadline, strategy: some WaitStrategy = .park, control: WaitControl? = nil
  ) throws(SocketError) {
    try sendWaiting(bytes, AnySocketAddress(), until: deadline, strategy: strategy, control: control)
  }
}

extension MessageSocket where Self: ~Copyable {
  @inlinable
  func sendWaiting(
    _ bytes: Span<UInt8>, _ receiver: AnySocketAddress, until deadline: Deadline, strategy: some WaitStrategy,
    control: WaitControl?
  ) throws(SocketError) {
    var wait = try WaitOperation(.send, until: deadline, strategy: strategy, control: control)
    var refused = 0
    while true {
      let result = receiver.withBytes { attemptSend(bytes.bytes, control: RawSpan(), to: $0, flags: []) }
      if result.raw >= 0 { return }
      if !result.isWouldBlock { throw SocketError(result, .send) }
      // A socket that is not connected is writable although its receiver's queue is full (net/unix/af_unix.c,
      // unix_dgram_poll): then only time helps.
      refused &+= 1
      if refused > 2 && receiver.byteCount > 0 {
        try wait.pause()
      } else {
        try wait.block(on: writeSource, for: .writable)
      }
    }
  }
}
