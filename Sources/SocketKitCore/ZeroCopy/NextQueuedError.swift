internal import CSocketKit

extension DescriptorSocket where Self: ~Copyable {
  /// Removes and returns the next entry of the socket's error queue, without waiting. Entries are, for example,
  /// completions of zero-copy sends, ICMP errors (option `.receiveErrors`) and transmit timestamps. Streams have such a
  /// queue too.
  ///
  /// While the queue has entries, every poller reports ``Readiness/error`` for the socket, also when the program did
  /// not ask for it (EPOLLERR). A level-triggered poller reports it on every wait.
  ///
  /// - Returns: the entry; nil when there is none. Entries that are not an ``ExtendedError`` are skipped.
  /// - Throws: `.closed`; `.notSupported` when the socket has no error queue (Unix, SCTP, netlink, vsock before Linux
  ///   6.7); the call then reads nothing.
  public borrowing func nextQueuedError() throws(SocketError) -> ExtendedError? {
    if !Self.capabilities.contains(.errorQueue) { try descriptor.requireErrorQueue() }
    return try descriptor.nextQueuedError()
  }
}

extension RawDescriptor {
  /// Reads the queue of a socket that is known to have one.
  func nextQueuedError() throws(SocketError) -> ExtendedError? {
    var ancillary = InlineArray<256, UInt8>(repeating: 0)
    while true {
      var ancillaryLength = 0
      let result = withUnsafeMutableBytes(of: &ancillary) { memory in
        var message = csk_msghdr()
        message.control = memory.baseAddress
        message.control_length = memory.count
        // No buffer for bytes: this function does not return the packet that caused an ICMP error.
        let result = csk_recvmsg(value, &message, CSK_MSG_ERRQUEUE | CSK_MSG_DONTWAIT)
        ancillaryLength = message.control_length
        return IOResult(raw: result)
      }
      if result.isWouldBlock { return nil }
      if result.isInterrupted { continue }
      if result.isFailure { throw SocketError(result, .receive) }
      let metadata = PacketMetadata(ancillary: ancillary.span.bytes.extracting(first: ancillaryLength))
      if let error = metadata.error { return error }
    }
  }
}
