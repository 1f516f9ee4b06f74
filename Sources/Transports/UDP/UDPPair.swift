public import SocketKitCore

extension UDPSocket {
  /// Makes two UDP sockets that are connected to each other over loopback.
  ///
  /// A socket that is bound and not connected yet receives from every process of the host. This call drops what arrived
  /// in that time: each socket sends a random word, and the other drops everything up to that word. So both directions
  /// have carried a datagram when this returns, and neither socket has one waiting.
  /// - Parameters:
  ///   - family: `.ipv4` for 127.0.0.1, `.ipv6` for ::1.
  ///   - deadline: when to give up: a firewall may keep the words from arriving.
  ///   - control: lets other threads cancel this wait or change its deadline.
  ///   - configure: sets options on each socket before it is bound.
  /// - Throws: `.wrongSocketKind` for another family; `.timedOut`, `.cancelled`, `.tooManyDescriptors`;
  ///   `.addressNotAvailable` where loopback is down or has no address of the family; `.protocolNotSupported` for IPv6
  ///   where the kernel has none; what `configure` throws.
  public static func pair(
    over family: AddressFamily = .ipv4, until deadline: Deadline, control: WaitControl? = nil,
    configure: (borrowing UDPSocket) throws(SocketError) -> Void = { (_) throws(SocketError) in }
  ) throws(SocketError) -> SocketPair<UDPSocket> {
    guard family == .ipv4 || family == .ipv6 else { throw SocketError(code: .wrongSocketKind, .pair) }
    let any: IPSocketAddress = family == .ipv6 ? .loopbackIPv6(port: 0) : .loopback(port: 0)
    let first = try bound(to: any, configure)
    let second = try bound(to: any, configure)
    try first.connect(to: second.localAddress())
    try second.connect(to: first.localAddress())
    try first.clearTheWay(to: second, until: deadline, control)
    try second.clearTheWay(to: first, until: deadline, control)
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
    to other: borrowing UDPSocket, until deadline: Deadline, _ control: WaitControl?
  ) throws(SocketError) {
    var buffer = [UInt8](repeating: 0, count: 17)
    var info = MessageInfo()
    while true {
      // Another one each time: one that was sent before may still arrive, and must not stay behind.
      let word: [UInt64] = [.random(in: .min ... .max), .random(in: .min ... .max)]
      let bytes = word.withUnsafeBytes { [UInt8]($0) }
      try send(bytes.span, to: nil, until: deadline, control: control)
      // A full receive buffer drops the word. Receiving makes room for the next one.
      let slice = min(deadline, .after(.milliseconds(20)))
      while true {
        do throws(SocketError) {
          let count = try other.receive(into: buffer.mutableSpan, &info, until: slice, control: control)
          if buffer.prefix(count) == bytes[...] { return }
        } catch {
          if error.code != .timedOut || error.errno != 0 || deadline.hasPassed { throw error }
          break
        }
      }
    }
  }
}
