internal import Glibc
internal import SocketKit

// In mdlayher's wire format, a connection transfers the bytes of one file and then closes. The format has no delivery
// confirmation.

extension StreamSocket where Self: ~Copyable {
  /// Receives a stream to its end and writes it to a file.
  /// - Returns: the checksum if `checksum` is true.
  borrowing func receivePlain(
    into file: borrowing LocalFile, limits: TransferLimits, checksum: Bool, meter: inout ProgressMeter
  ) throws -> SHA256Digest? {
    var hash: SHA256? = nil
    if checksum { hash = try SHA256() }
    var buffer = [UInt8](repeating: 0, count: transferBufferSize)
    var isOpen = true
    while isOpen {
      try limits.total.check(.read)
      switch try read(into: buffer.mutableSpan, until: limits.next) {
      case .endOfStream: isOpen = false
      case .bytes(let count):
        let part = buffer.span.extracting(first: count)
        try hash?.update(part)
        try file.write(part, within: limits)
        meter.advance(by: count)
      }
    }
    return try hash.take()?.finish()
  }

  /// Sends a file. The caller must then close the connection to mark the end of the file.
  borrowing func sendPlain(
    _ file: borrowing LocalFile, limits: TransferLimits, checksum: Bool, meter: inout ProgressMeter
  ) throws -> SHA256Digest? {
    var hash: SHA256? = nil
    if checksum { hash = try SHA256() }
    var buffer = [UInt8](repeating: 0, count: transferBufferSize)
    while true {
      var target = buffer.mutableSpan
      // Watch only for errors and hang-ups. A peer that sends bytes or half-closes the connection may still read.
      let socket = pollfd(fd: writeSource.value, events: 0, revents: 0)
      guard let count = try file.read(into: &target, until: limits.next, beside: socket) else { throw hangUp() }
      if count == 0 { return try hash.take()?.finish() }
      let part = buffer.span.extracting(first: count)
      try hash?.update(part)
      try writeAll(part, within: limits)
      meter.advance(by: count)
    }
  }

  /// Shuts down the stream after the last write, and waits until the peer's kernel has received everything.
  ///
  /// Closing with unread input would reset the connection (RFC 9293, 3.10.4) and lose the bytes in flight. Therefore
  /// this method shuts down its own direction and discards input until the peer also shuts down. If the peer stays
  /// connected, the method stops waiting one second after the peer's kernel has received everything.
  /// - Throws: `.connectionReset`, or `.timedOut` if a limit expires; in both cases the peer has not received
  ///   everything.
  borrowing func finishPlain(within limits: TransferLimits) throws(SocketError) {
    var scraps = [UInt8](repeating: 0, count: 65536)
    // SCTP has no half-close, and does not report the end of an association that this side ends. Closing sends the
    // queued data, unless there is unread input.
    guard Self.capabilities.contains(.halfClose) else {
      let end = min(limits.next, .after(.seconds(1)))
      while !end.hasPassed, case .bytes = try read(into: scraps.mutableSpan) {}
      return
    }
    do throws(SocketError) {
      try shutdown(.write)
    } catch {
      throw try pendingError(.write) ?? error
    }
    var hasEnded = false
    var patience = Deadline.never
    var untaken = bytesNotTaken() ?? 0
    var limit = limits.next
    while true {
      let left = bytesNotTaken() ?? 0
      if left != untaken { limit = limits.next }
      untaken = left
      if hasEnded, let error = try pendingError(.write) { throw error }
      if hasEnded && untaken == 0 { return }
      if untaken == 0 && patience.isNever { patience = .after(.seconds(1)) }
      if min(limit, patience).hasPassed {
        if untaken > 0 { throw SocketError(code: .timedOut, .write) }
        return
      }
      // The kernel does not wake waiting threads when the peer acknowledges the last byte.
      if hasEnded {
        usleep(10_000)
        continue
      }
      do throws(SocketError) {
        switch try read(into: scraps.mutableSpan, until: min(limit, patience, .after(.milliseconds(20)))) {
        case .bytes: limit = limits.next
        case .endOfStream: hasEnded = true
        }
      } catch {
        if error.code != .timedOut || error.errno != 0 { throw error }
      }
    }
  }

  /// The number of bytes that the peer's kernel has not acknowledged (SIOCOUTQ), or nil if the kernel does not report
  /// this number. Bytes written to a Unix socket are already in the peer's queue and stay there when this end closes.
  private borrowing func bytesNotTaken() -> Int32? {
    if Address.self == UnixAddress.self { return nil }
    var count: Int32 = 0
    // The kernel writes the number during the call.
    return unsafe ioctl(writeSource.value, UInt(TIOCOUTQ), &count) == 0 ? count : nil
  }

  /// Returns and clears the pending error, which the kernel reports once (SO_ERROR).
  private borrowing func pendingError(_ operation: SocketError.Operation) throws(SocketError) -> SocketError? {
    var number: Int32 = 0
    var length = 0
    let result = writeSource.readOption(SOL_SOCKET, SO_ERROR, into: &number, &length)
    if result.isFailure { throw SocketError(result, operation) }
    return number == 0 ? nil : SocketError(.failure(errno: number), operation)
  }

  /// Makes `close` reset the connection, if the transport supports this (TCP, SCTP). The peer would interpret an
  /// orderly close as the end of the file.
  borrowing func spoilEnd() {
    _ = writeSource.writeOption(SOL_SOCKET, SO_LINGER, linger(l_onoff: 1, l_linger: 0))
  }

  /// Returns the error of a connection for which poll(2) reported an error or a hang-up.
  private borrowing func hangUp() -> SocketError {
    var scraps = [UInt8](repeating: 0, count: 256)
    do throws(SocketError) {
      _ = try read(into: scraps.mutableSpan)
    } catch {
      return error
    }
    return SocketError(code: .brokenPipe, .write)
  }

  /// Writes all the bytes; the limits apply to each piece that the kernel accepts.
  borrowing func writeAll(_ bytes: Span<UInt8>, within limits: TransferLimits) throws(SocketError) {
    var rest = bytes
    while !rest.isEmpty {
      try limits.total.check(.write)
      rest = rest.extracting(droppingFirst: try write(rest, until: limits.next))
    }
  }
}
