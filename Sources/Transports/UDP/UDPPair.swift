public import SocketKitCore
internal import SocketKitIP

extension UDPSocket {
  /// Makes two UDP sockets that are connected to each other over loopback.
  ///
  /// A socket that is bound but not yet connected receives datagrams from every process on the host. To discard such
  /// datagrams, each socket sends a random value, and the other socket discards everything received before that value.
  /// When this call returns, at least one datagram has been delivered in each direction, and both receive queues are
  /// empty.
  /// - Parameters:
  ///   - family: `.ipv4` for 127.0.0.1, `.ipv6` for ::1.
  ///   - limit: how long to wait. A firewall may block the random values.
  ///   - configure: sets options on each socket before it is bound.
  /// - Throws: `.wrongSocketKind` for another family; `.timedOut`, `.cancelled`, `.tooManyDescriptors`;
  ///   `.addressNotAvailable` if loopback is down or has no address of the family; `.protocolNotSupported` for IPv6 if
  ///   the kernel does not support it; errors that `configure` throws.
  public static func pair(
    over family: AddressFamily = .ipv4, until limit: some WaitLimit,
    configure: (borrowing UDPSocket) throws -> Void = { _ in }
  ) throws(SocketError) -> SocketPair<UDPSocket> {
    guard family == .ipv4 || family == .ipv6 else { throw SocketError(code: .wrongSocketKind, .pair) }
    let any: IPSocketAddress = family == .ipv6 ? .loopbackIPv6(port: 0) : .loopback(port: 0)
    let first = try bound(to: any, configure)
    let second = try bound(to: any, configure)
    try first.connect(to: second.localAddress())
    try second.connect(to: first.localAddress())
    try first.clearTheWay(to: second, until: limit)
    try second.clearTheWay(to: first, until: limit)
    return SocketPair(first, second)
  }

  private static func bound(
    to address: IPSocketAddress, _ configure: (borrowing UDPSocket) throws -> Void
  ) throws(SocketError) -> UDPSocket {
    do throws(SocketError) {
      return try bind(to: address, configure: configure)
    } catch {
      throw error
    }
  }

  /// Sends a random value, and receives from the other socket until that value arrives.
  private borrowing func clearTheWay(
    to other: borrowing UDPSocket, until limit: some WaitLimit
  ) throws(SocketError) {
    var buffer = [UInt8](repeating: 0, count: 17)
    var info = MessageInfo()
    while true {
      // Each attempt uses a new value: an earlier value may still arrive, and must not remain in the queue.
      let bytes = (0..<16).map { _ in UInt8.random(in: .min ... .max) }
      try send(bytes.span, to: nil, until: limit)
      // If the receive buffer is full, the kernel drops the value. Receiving frees buffer space for the next value.
      let slice = min(limit.deadline, .after(.milliseconds(20)))
      while true {
        do throws(SocketError) {
          try limit.check(.receive)
          let count = try other.receive(into: buffer.mutableSpan, &info, until: slice.cancellable(by: limit.control))
          if buffer.prefix(count) == bytes[...] { return }
        } catch {
          if error.code != .timedOut || error.errno != 0 || limit.deadline.hasPassed { throw error }
          break
        }
      }
    }
  }
}
