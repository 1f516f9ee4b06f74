internal import Glibc
internal import SocketKit

// mdlayher's wire format: the bytes of one file and nothing else, until the connection closes. Nothing proves delivery.

extension StreamSocket where Self: ~Copyable {
  /// Writes what comes into a file, to the end of the stream.
  /// - Returns: the checksum, where one is wanted.
  borrowing func receivePlain(
    into file: borrowing LocalFile, limits: TransferLimits, checksum: Bool, meter: inout ProgressMeter
  ) throws -> SHA256Digest? {
    var hash: SHA256? = nil
    if checksum { hash = try SHA256() }
    var buffer = [UInt8](repeating: 0, count: transferBufferSize)
    var isOpen = true
    while isOpen {
      switch try read(into: buffer.mutableSpan, until: limits.next) {
      case .endOfStream: isOpen = false
      case .bytes(let count):
        let part = buffer.span.bytes.extracting(first: count)
        try hash?.update(part)
        try file.write(part, within: limits)
        meter.advance(by: count)
      }
    }
    return try hash.take()?.finish()
  }

  /// Sends a file. The caller closes the connection then, which is its end.
  borrowing func sendPlain(
    _ file: borrowing LocalFile, limits: TransferLimits, checksum: Bool, meter: inout ProgressMeter
  ) throws -> SHA256Digest? {
    var hash: SHA256? = nil
    if checksum { hash = try SHA256() }
    var buffer = [UInt8](repeating: 0, count: transferBufferSize)
    while true {
      var target = buffer.mutableSpan
      var bytes = target.mutableBytes
      // Nothing but its end: a peer may send bytes, or half-close, and still read.
      let socket = pollfd(fd: writeSource.value, events: 0, revents: 0)
      guard let count = try file.read(into: &bytes, until: limits.next, beside: socket) else { throw hangUp() }
      if count == 0 { return try hash.take()?.finish() }
      let part = buffer.span.extracting(first: count)
      try hash?.update(part.bytes)
      try writeAll(part, within: limits)
      meter.advance(by: count)
    }
  }

  /// Has the connection end as broken when it closes, where the transport can (TCP, SCTP): an orderly end would be the
  /// end of the file.
  borrowing func spoilEnd() {
    var now = linger(l_onoff: 1, l_linger: 0)
    setsockopt(writeSource.value, SOL_SOCKET, SO_LINGER, &now, socklen_t(MemoryLayout<linger>.size))
  }

  /// Why a connection of which poll(2) tells the end has ended.
  private borrowing func hangUp() -> SocketError {
    var scraps = [UInt8](repeating: 0, count: 256)
    do throws(SocketError) {
      _ = try read(into: scraps.mutableSpan)
    } catch {
      return error
    }
    return SocketError(code: .brokenPipe, .write)
  }

  /// Writes all the bytes; the limits count for each piece that the kernel takes.
  borrowing func writeAll(_ bytes: Span<UInt8>, within limits: TransferLimits) throws(SocketError) {
    var rest = bytes
    while !rest.isEmpty { rest = rest.extracting(droppingFirst: try write(rest, until: limits.next)) }
  }
}
