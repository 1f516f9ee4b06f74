internal import CSocketKit

extension DescriptorSocket where Self: ~Copyable {
  /// Takes the next entry of the socket's error queue, without waiting: what the kernel has to say beside the data,
  /// such as completions of zero-copy sends, ICMP errors (option `.receiveErrors`) or transmit timestamps. For streams
  /// too.
  ///
  /// A socket with entries shows ``Readiness/error`` to every poller, asked for or not (EPOLLERR), until they are read;
  /// a level-triggered poller reports it again and again.
  ///
  /// - Returns: the entry; nil when there is none. Entries that are none of ``ExtendedError`` are skipped.
  /// - Throws: `.closed`; `.notSupported` by sockets that have no such queue (Unix, SCTP, netlink, vsock before Linux
  ///   6.7), from which nothing is taken.
  public borrowing func nextQueuedError() throws(SocketError) -> ExtendedError? {
    if !Self.capabilities.contains(.errorQueue) { try descriptor.requireErrorQueue() }
    return try descriptor.nextQueuedError()
  }
}

extension RawDescriptor {
  /// Reads the queue of a socket that is known to have one.
  func nextQueuedError() throws(SocketError) -> ExtendedError? {
    var control = InlineArray<256, UInt8>(repeating: 0)
    while true {
      var controlLength = 0
      let result = withUnsafeMutableBytes(of: &control) { memory in
        var message = csk_msghdr()
        message.control = memory.baseAddress
        message.control_length = memory.count
        // No room for bytes: the packet that an ICMP error came back for is not wanted here.
        let result = csk_recvmsg(value, &message, CSK_MSG_ERRQUEUE | CSK_MSG_DONTWAIT)
        controlLength = message.control_length
        return IOResult(raw: result)
      }
      if result.isWouldBlock { return nil }
      if result.isInterrupted { continue }
      if result.isFailure { throw SocketError(result, .receive) }
      let metadata = PacketMetadata(control: control.span.bytes.extracting(first: controlLength))
      if let error = metadata.error { return error }
    }
  }
}
