internal import Glibc

// The properties of IP addresses (ip(7), ipv6(7)) that this module uses: the port and the link-local prefix, for
// connecting and disconnecting; and the text, for errors. The type IPSocketAddress is in the module SocketKitIP.

extension AnySocketAddress {
  private var isIP: Bool { family == .ipv4 && length >= 16 || family == .ipv6 && length >= 28 }

  /// The port of an IP address; nil for other addresses. Setting nil, or setting the port of an address that is not an
  /// IP address, has no effect.
  var ipPort: UInt16? {
    get { isIP ? UInt16(bigEndian: UInt16(truncatingIfNeeded: UInt64(littleEndian: storage[0]) >> 16)) : nil }
    set {
      guard isIP, let newValue else { return }
      let others = UInt64(littleEndian: storage[0]) & ~0xffff_0000
      storage[0] = (others | UInt64(newValue.bigEndian) << 16).littleEndian
    }
  }

  /// Whether this is an IPv6 address in fe80::/10.
  var isLinkLocalIPv6: Bool { isIP && family == .ipv6 && UInt64(bigEndian: storage[1]) >> 54 == 0xfe80 >> 6 }

  /// The text of an IP address and its port, such as `[::1]:80`; nil for other addresses (getnameinfo(3)).
  var ipText: String? {
    guard let port = ipPort else { return nil }
    var host = [CChar](repeating: 0, count: Int(NI_MAXHOST))
    let status = withBytes { bytes in
      // getnameinfo(3) reads the address and writes at most `host.count` bytes. It accesses this memory only during the
      // call.
      unsafe bytes.withUnsafeBytes {
        unsafe getnameinfo(
          $0.baseAddress?.assumingMemoryBound(to: sockaddr.self), UInt32($0.count), &host, UInt32(host.count), nil, 0,
          NI_NUMERICHOST)
      }
    }
    guard status == 0 else { return nil }
    let text = String(decoding: host.prefix { $0 != 0 }.map { UInt8(bitPattern: $0) }, as: UTF8.self)
    return family == .ipv6 ? "[\(text)]:\(port)" : "\(text):\(port)"
  }
}
