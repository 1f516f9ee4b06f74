internal import CSocketKit
public import SocketKitCore

extension TCPSocket {
  /// Returns the address to which the peer connected before a firewall redirected the connection to this socket.
  ///
  /// Firewalls redirect with REDIRECT or DNAT. If no address was translated, this is the local address. Intended for
  /// transparent proxies. The C names are `SO_ORIGINAL_DST` (netfilter, Linux 2.4) and `IP6T_SO_ORIGINAL_DST` (Linux
  /// 3.7).
  ///
  /// - Returns: an IPv4 address for an IPv4 connection, also on a dual-stack socket; nil if the kernel does not track
  ///   the connection.
  /// - Throws: `.notSupported` if the kernel has no connection tracking or does not use it; `.notConnected`, `.closed`.
  public borrowing func originalDestination() throws(SocketError) -> IPSocketAddress? {
    let isIPv6 = try remoteAddress().unmapped.isIPv6
    let number = descriptor.value
    var address = AnySocketAddress()
    let result = IOResult(
      raw: address.fill { memory, length in
        length = isIPv6 ? 28 : 16
        return csk_getsockopt(
          number, isIPv6 ? CSK_IPPROTO_IPV6 : CSK_IPPROTO_IP, CSK_SO_ORIGINAL_DST, memory, &length)
      })
    if result.errno == CSK_ENOENT { return nil }
    if result.isFailure { throw SocketError(result, .getOption) }
    return IPSocketAddress(address)
  }
}
