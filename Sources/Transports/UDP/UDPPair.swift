public import SocketKitCore

extension UDPSocket {
  /// Makes two UDP sockets that are connected to each other over loopback.
  ///
  /// A socket that is bound and not connected yet receives from every process of the host. This call drops what arrived
  /// in that time: each socket sends a random word, and the other drops everything up to that word. So both directions
  /// have carried a datagram when this returns, and neither socket has one waiting.
  /// - Parameters:
  ///   - family: `.ipv4` for 127.0.0.1, `.ipv6` for ::1.
  ///   - limit: how long to wait: a firewall may keep the words from arriving.
  ///   - configure: sets options on each socket before it is bound.
  /// - Throws: `.wrongSocketKind` for another family; `.timedOut`, `.cancelled`, `.tooManyDescriptors`;
  ///   `.addressNotAvailable` where loopback is down or has no address of the family; `.protocolNotSupported` for IPv6
  ///   where the kernel has none; what `configure` throws.
  public static func pair(
    over family: AddressFamily = .ipv4, until limit: some WaitLimit,
    configure: (borrowing UDPSocket) throws(SocketError) -> Void = { (_) throws(SocketError) in }
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
    to address: IPSocketAddress, _ configure: (borrowing UDPSocket) throws(SocketError) -> Void
  ) throws(SocketError) -> UDPSocket {
    do throws(EndpointError) {
      return try bind(to: address, configure: configure)
    } catch {
      throw error.reason
    }
  }

  /// Sends a word, and receives from the other socket until that word arrives.
  private borrowing func clearTheWay(
    to other: borrowing UDPSocket, until limit: some WaitLimit
  ) throws(SocketError) {
    var buffer = [UInt8](repeating: 0, count: 17)
    var info = MessageInfo()
    while true {
      // Another one each time: one that was sent before may still arrive, and must not stay behind.
      let word: [UInt64] = [.random(in: .min ... .max), .random(in: .min ... .max)]
      let bytes = word.withUnsafeBytes { [UInt8]($0) }
      try send(bytes.span, to: nil, until: limit)
      // A full receive buffer drops the word. Receiving makes room for the next one.
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
