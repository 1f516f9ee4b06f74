internal import CSocketKit

extension StreamSocket where Self: KernelSocket & ~Copyable {
  /// Sends a piece of a file without it passing through this program's memory (sendfile(2)), without waiting for the
  /// peer.
  ///
  /// It waits for the disk, as every read of a regular file does. The file may be anything that can be mapped, and
  /// since Linux 5.12 a pipe; for sockets see ``Pipe``.
  ///
  /// - Parameters:
  ///   - file: open for reading; it stays the caller's.
  ///   - offset: where to begin, in bytes; moved on by what was sent, while the file's own position stays. With nil the
  ///     file's own position counts, and is moved.
  ///   - count: at most so many bytes; one call moves less than 2 GiB.
  /// - Returns: `.bytes` with the count taken (0 only when `count` is 0), `.endOfStream` at the end of the file, or nil
  ///   when the socket has no room now.
  /// - Throws: `.brokenPipe` when the peer reads no more (SIGPIPE is kept away), `.connectionReset`, `.notConnected`,
  ///   `.invalidArgument` (a negative count or offset, or a descriptor that sendfile(2) cannot read from), `.closed`.
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
  /// Moves bytes between two descriptors, of which at least one is a pipe, inside the kernel (splice(2)): once, and
  /// without waiting.
  ///
  /// Sockets must be non-blocking, as SocketKit's are; the pipe's side never waits. For a relay see
  /// ``Pipe/relay(from:to:count:)``.
  ///
  /// - Parameters:
  ///   - target: where to; both stay the caller's.
  ///   - count: at most so many bytes; one call moves less than 2 GiB.
  /// - Returns: `.bytes` with the count moved (0 only when `count` is 0), `.endOfStream` when the source has ended, or
  ///   nil when the source has none or the target no room now.
  /// - Throws: `.brokenPipe` when nobody reads the target (SIGPIPE is kept away), `.connectionReset`,
  ///   `.invalidArgument` (no pipe among them, a negative count, both the same pipe), `.closed`.
  public func splice(to target: RawDescriptor, count: Int) throws(SocketError) -> ReadOutcome? {
    try splice(to: target, count: count, mayRaiseSignal: true)
  }

  /// - Parameter mayRaiseSignal: false only where the target is a pipe whose reading end this program holds.
  func splice(to target: RawDescriptor, count: Int, mayRaiseSignal: Bool) throws(SocketError) -> ReadOutcome? {
    if count < 0 { throw SocketError(code: .invalidArgument, .transfer) }
    let flags = UInt32(CSK_SPLICE_F_MOVE | CSK_SPLICE_F_NONBLOCK)
    return try transfer(count, mayRaiseSignal: mayRaiseSignal) { csk_splice(value, target.value, $0, flags) }
  }
}

/// Calls with SIGPIPE blocked: sendfile(2) and splice(2) raise it where the peer has closed (measured on Linux 6.18,
/// both, to TCP, Unix sockets and pipes), and neither has a flag against it. A call that moved only a part may have met
/// the closed peer after that part, so the signal is looked for then too.
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
