internal import CSocketKit
public import SocketKitCore
public import SocketKitIP

extension ReadOnlySocketOption where Group == TCPSocketOptions, Value == IPSocketAddress? {
  /// The address to which the peer connected before a firewall redirected the connection to this socket. The address of
  /// an IPv4 connection is an IPv4 address, even on a dual-stack socket. The value is nil if the kernel does not track
  /// the connection.
  ///
  /// Firewalls redirect with REDIRECT or DNAT. If no address was translated, the value is the local address. The option
  /// is intended for transparent proxies. Reading the option throws `.notSupported` if the kernel does not support or
  /// does not use connection tracking, and `.notConnected` if the socket has no peer. The C names are `SO_ORIGINAL_DST`
  /// (netfilter, Linux 2.4) and `IP6T_SO_ORIGINAL_DST` (Linux 3.7).
  public static var originalDestination: Self {
    Self { (target: RawDescriptor) throws(SocketError) -> IPSocketAddress? in
      guard let peer = IPSocketAddress(try target.remoteAddress()) else {
        throw SocketError(code: .invalidAddress, .remoteAddress)
      }
      let isIPv6 = peer.unmapped.isIPv6
      var address = AnySocketAddress()
      let result = IOResult(
        raw: unsafe address.fill { memory, length in
          // The kernel writes at most `length` bytes, and the memory has 128 bytes.
          length = isIPv6 ? 28 : 16
          return unsafe csk_getsockopt(
            target.value, isIPv6 ? CSK_IPPROTO_IPV6 : CSK_IPPROTO_IP, CSK_SO_ORIGINAL_DST, memory, &length)
        })
      if result.errno == CSK_ENOENT { return nil }
      if result.isFailure { throw SocketError(result, .getOption) }
      return IPSocketAddress(address)
    }
  }
}
