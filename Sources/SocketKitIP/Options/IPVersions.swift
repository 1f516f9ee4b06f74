internal import CSocketKit
internal import SocketKitCore

// Options that exist separately in IPv4 and IPv6 but have one name in SocketKit. The family of the socket selects the
// kernel's option. Setting such an option on an IPv6 socket sets the IPv4 option, too, because a dual-stack socket
// handles packets of both IP versions.

extension SocketOption where Group: IPOptions, Value == Bool {
  init(ipv4: Int32, ipv6: Int32) {
    self.init(
      read: { (target: RawDescriptor) throws(SocketError) -> Bool in try target.ipOption(ipv4, ipv6) != 0 },
      write: { (target: RawDescriptor, value: Bool) throws(SocketError) in
        try target.setIPOption(ipv4, ipv6, value ? 1 : 0)
      })
  }
}

extension SocketOption where Group: IPOptions, Value == Int {
  init(ipv4: Int32, ipv6: Int32) {
    self.init(
      read: { (target: RawDescriptor) throws(SocketError) -> Int in try target.ipOption(ipv4, ipv6) },
      write: { (target: RawDescriptor, value: Int) throws(SocketError) in try target.setIPOption(ipv4, ipv6, value) })
  }
}

extension RawDescriptor {
  /// Returns whether this is an IPv6 socket (SO_DOMAIN).
  func isIPv6(_ operation: SocketError.Operation) throws(SocketError) -> Bool {
    try integerOption(CSK_SOL_SOCKET, CSK_SO_DOMAIN, operation) == CSK_AF_INET6
  }

  func ipOption(_ ipv4: Int32, _ ipv6: Int32) throws(SocketError) -> Int {
    try isIPv6(.getOption) ? integerOption(CSK_IPPROTO_IPV6, ipv6) : integerOption(CSK_IPPROTO_IP, ipv4)
  }

  func setIPOption(_ ipv4: Int32, _ ipv6: Int32, _ value: Int) throws(SocketError) {
    guard try isIPv6(.setOption) else { return try setIntegerOption(CSK_IPPROTO_IP, ipv4, value) }
    try setIntegerOption(CSK_IPPROTO_IPV6, ipv6, value)
    try unlessIPv6Only { () throws(SocketError) in try setIntegerOption(CSK_IPPROTO_IP, ipv4, value) }
  }

  /// Runs the body, which sets an IPv4 option on an IPv6 socket. Ignores the error ENOPROTOOPT: IPv6 raw sockets do not
  /// handle IPv4 packets and refuse IPv4 options with this error.
  func unlessIPv6Only(_ body: () throws(SocketError) -> Void) throws(SocketError) {
    do throws(SocketError) {
      try body()
    } catch {
      if error.errno != CSK_ENOPROTOOPT { throw error }
    }
  }

  func setIPValue<Value: BitwiseCopyable>(_ level: Int32, _ name: Int32, _ value: Value) throws(SocketError) {
    try checkInterface(writeOption(level, name, value))
  }

  func setIPBytes(_ level: Int32, _ name: Int32, _ bytes: RawSpan) throws(SocketError) {
    try checkInterface(writeOption(level, name, bytes: bytes))
  }

  private func checkInterface(_ result: IOResult) throws(SocketError) {
    // Here ENODEV refers to the interface, not to the protocol.
    if result.errno == CSK_ENODEV { throw SocketError(code: .addressNotAvailable, .setOption, errno: CSK_ENODEV) }
    if result.isFailure { throw SocketError(result, .setOption) }
  }
}
