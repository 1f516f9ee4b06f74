internal import CSocketKit
public import SocketKitCore

extension RawDescriptor {
  /// Sends part of this file to a stream without copying it to the program's memory (sendfile(2)), and without waiting
  /// for the peer.
  ///
  /// The call waits for the disk, like every read of a regular file. The descriptor must be open for reading.
  /// sendfile(2) can read from a regular file or a block device. It cannot read from a pipe, and it can read from a
  /// socket only if the target is a pipe (Linux 5.12). To move bytes from one socket to another, see ``Pipe``.
  ///
  /// - Parameters:
  ///   - socket: the stream that sends the bytes.
  ///   - offset: the offset in the file from which to start, in bytes. The call advances this offset by the number of
  ///     bytes sent, and does not change the file position of the descriptor. With nil, the call starts from the file
  ///     position and advances the file position.
  ///   - count: the maximum number of bytes to move. One call moves less than 2 GiB.
  /// - Returns: `.bytes` with the number of bytes sent (0 only if `count` is 0), `.endOfStream` at the end of the file,
  ///   or nil if the socket has no buffer space now.
  /// - Throws: `.brokenPipe` if the peer no longer reads (SIGPIPE is suppressed), `.connectionReset`, `.notConnected`,
  ///   `.invalidArgument` (a negative count or offset, or a descriptor that sendfile(2) cannot read from), `.closed`.
  public func sendFile(
    to socket: borrowing some StreamSocket & KernelSocket & ~Copyable, offset: inout Int64?, count: Int
  ) throws(SocketError) -> ReadOutcome? {
    if count < 0 { throw SocketError(code: .invalidArgument, .transfer) }
    let target = socket.descriptor.value
    let source = value
    var place = offset ?? 0
    let hasPlace = offset != nil
    let outcome = try socket.naming { () throws(SocketError) in
      try transfer(count) { limit in
        // The kernel reads and writes the offset only during the call.
        unsafe hasPlace ? csk_sendfile(target, source, &place, limit) : csk_sendfile(target, source, nil, limit)
      }
    }
    if hasPlace { offset = place }
    return outcome
  }

  /// Moves bytes from this descriptor to another descriptor inside the kernel (splice(2)), once and without waiting. At
  /// least one of the two descriptors must be a pipe.
  ///
  /// A socket must be non-blocking, as SocketKit's sockets are. The call never waits for a pipe. For a relay, see
  /// ``Pipe/relay(from:to:count:)``.
  ///
  /// - Parameters:
  ///   - target: the descriptor to which to move the bytes. The caller keeps the ownership of both descriptors.
  ///   - count: the maximum number of bytes to move. One call moves less than 2 GiB.
  /// - Returns: `.bytes` with the number of bytes moved (0 only if `count` is 0), `.endOfStream` if the source has
  ///   ended, or nil if the source has no bytes or the target has no buffer space now.
  /// - Throws: `.brokenPipe` if the target has no reader (SIGPIPE is suppressed), `.connectionReset`,
  ///   `.invalidArgument` (neither descriptor is a pipe, both descriptors are the same pipe, or the count is negative),
  ///   `.closed`.
  public func splice(to target: RawDescriptor, count: Int) throws(SocketError) -> ReadOutcome? {
    try splice(to: target, count: count, mayRaiseSignal: true)
  }

  /// - Parameter mayRaiseSignal: false only if the target is a pipe whose read end this process holds open.
  func splice(to target: RawDescriptor, count: Int, mayRaiseSignal: Bool) throws(SocketError) -> ReadOutcome? {
    if count < 0 { throw SocketError(code: .invalidArgument, .transfer) }
    let flags = UInt32(CSK_SPLICE_F_MOVE | CSK_SPLICE_F_NONBLOCK)
    return try transfer(count, mayRaiseSignal: mayRaiseSignal) { csk_splice(value, target.value, $0, flags) }
  }
}

/// Calls the body. If the call may raise SIGPIPE, blocks this signal during the call. sendfile(2) and splice(2) raise
/// the signal if the peer has closed its end, and neither call has a flag that suppresses the signal. This was measured
/// on Linux 6.18 for both calls, with TCP sockets, Unix sockets and pipes as targets. The peer can close its end after
/// a part of the bytes was moved, so the function checks for the signal after a partial transfer, too.
private func transfer(
  _ count: Int, mayRaiseSignal: Bool = true, _ call: (Int) -> Int
) throws(SocketError) -> ReadOutcome? {
  if count == 0 { return .bytes(0) }
  let limit = min(count, Int(CSK_MAX_RW_COUNT))
  // This structure is accessed only during two calls: one blocks the signal, and the other restores the signal mask.
  var signal = csk_pipe_signal()
  if mayRaiseSignal {
    let blocked = IOResult(raw: unsafe csk_pipe_signal_block(&signal))
    if blocked.isFailure { throw SocketError(blocked, .transfer) }
  }
  var result = call(limit)
  while result == 0 &- Int(CSK_EINTR) { result = call(limit) }
  if mayRaiseSignal {
    let mayBeRaised = result == 0 &- Int(CSK_EPIPE) || (result > 0 && result < limit)
    unsafe csk_pipe_signal_restore(&signal, mayBeRaised ? 1 : 0)
  }
  return try IOResult(raw: result).readOutcome(.transfer)
}
