internal import CSocketKit

extension StreamSocket where Self: KernelSocket & ~Copyable {
  /// Sends part of a file without passing it through the program's memory (sendfile(2)), without waiting for the peer.
  ///
  /// The call waits for the disk, like every read of a regular file. The file may be any that can be mapped, and since
  /// Linux 5.12 a pipe; for sockets see ``Pipe``.
  ///
  /// - Parameters:
  ///   - file: a descriptor that is open for reading; the caller keeps its ownership.
  ///   - offset: the offset in the file to start from, in bytes. The call advances it by the number of bytes sent, and
  ///     does not change the file's own position. With nil the call starts from the file's own position and advances
  ///     that.
  ///   - count: the largest number of bytes to move; one call moves less than 2 GiB.
  /// - Returns: `.bytes` with the number of bytes sent (0 only when `count` is 0), `.endOfStream` at the end of the
  ///   file, or nil when the socket has no room now.
  /// - Throws: `.brokenPipe` when the peer no longer reads (SIGPIPE is suppressed), `.connectionReset`,
  ///   `.notConnected`, `.invalidArgument` (a negative count or offset, or a descriptor that sendfile(2) cannot read
  ///   from), `.closed`.
  public borrowing func sendFile(
    from file: RawDescriptor, offset: inout Int64?, count: Int
  ) throws(SocketError) -> ReadOutcome? {
    if count < 0 { throw SocketError(code: .invalidArgument, .transfer) }
    let target = descriptor.value
    let source = file.value
    var place = offset ?? 0
    let hasPlace = offset != nil
    let outcome = try naming { () throws(SocketError) in
      try transfer(count) { limit in
        hasPlace ? csk_sendfile(target, source, &place, limit) : csk_sendfile(target, source, nil, limit)
      }
    }
    if hasPlace { offset = place }
    return outcome
  }
}

extension RawDescriptor {
  /// Moves bytes from this descriptor to another inside the kernel (splice(2)), once and without waiting. At least one
  /// of the two must be a pipe.
  ///
  /// Sockets must be non-blocking, as SocketKit's are; the pipe's side never waits. For a relay see
  /// ``Pipe/relay(from:to:count:)``.
  ///
  /// - Parameters:
  ///   - target: the descriptor to move the bytes to. The caller keeps the ownership of both.
  ///   - count: the largest number of bytes to move; one call moves less than 2 GiB.
  /// - Returns: `.bytes` with the number of bytes moved (0 only when `count` is 0), `.endOfStream` when the source has
  ///   ended, or nil when the source has no bytes or the target has no room now.
  /// - Throws: `.brokenPipe` when the target has no reader (SIGPIPE is suppressed), `.connectionReset`,
  ///   `.invalidArgument` (neither is a pipe, a negative count, both are the same pipe), `.closed`.
  public func splice(to target: RawDescriptor, count: Int) throws(SocketError) -> ReadOutcome? {
    try splice(to: target, count: count, mayRaiseSignal: true)
  }

  /// - Parameter mayRaiseSignal: false only when the target is a pipe whose read end this program holds.
  func splice(to target: RawDescriptor, count: Int, mayRaiseSignal: Bool) throws(SocketError) -> ReadOutcome? {
    if count < 0 { throw SocketError(code: .invalidArgument, .transfer) }
    let flags = UInt32(CSK_SPLICE_F_MOVE | CSK_SPLICE_F_NONBLOCK)
    return try transfer(count, mayRaiseSignal: mayRaiseSignal) { csk_splice(value, target.value, $0, flags) }
  }
}

/// Calls the body with SIGPIPE blocked. sendfile(2) and splice(2) raise the signal when the peer has closed (measured
/// on Linux 6.18, both, to TCP, Unix sockets and pipes), and neither has a flag that suppresses it. A call that moved
/// only a part may have found the peer closed after that part, so the function checks for the signal then too.
private func transfer(
  _ count: Int, mayRaiseSignal: Bool = true, _ call: (Int) -> Int
) throws(SocketError) -> ReadOutcome? {
  if count == 0 { return .bytes(0) }
  let limit = min(count, Int(CSK_MAX_RW_COUNT))
  var signal = csk_pipe_signal()
  if mayRaiseSignal {
    let blocked = IOResult(raw: csk_pipe_signal_block(&signal))
    if blocked.isFailure { throw SocketError(blocked, .transfer) }
  }
  var result = call(limit)
  while result == 0 &- Int(CSK_EINTR) { result = call(limit) }
  if mayRaiseSignal {
    let mayBeRaised = result == 0 &- Int(CSK_EPIPE) || (result > 0 && result < limit)
    csk_pipe_signal_restore(&signal, mayBeRaised ? 1 : 0)
  }
  return try IOResult(raw: result).readOutcome(.transfer)
}
