internal import CSocketKit
public import SocketKitCore
public import SocketKitIP

/// The options that raw IP sockets support: those of raw(7), ip(7) and ipv6(7).
public enum RawIPSocketOptions: IPOptions {}

/// The options that ICMP sockets support: those of ip(7) and ipv6(7).
public enum ICMPSocketOptions: IPOptions {}

extension SocketOption where Group == RawIPSocketOptions, Value == Bool {
  /// Whether sent packets begin with an IP header that the caller has written.
  ///
  /// On IPv4, the kernel fills in the checksum and the total length. It also fills in the source address and the
  /// identification if they are 0. The option is always enabled for ``IPProtocol/any``. The C names are `IP_HDRINCL`
  /// and `IPV6_HDRINCL` (Linux 4.5).
  public static var headerIncluded: Self {
    let four = SocketOption(flag: CSK_IP_HDRINCL, level: CSK_IPPROTO_IP)
    let six = SocketOption(flag: CSK_IPV6_HDRINCL, level: CSK_IPPROTO_IPV6)
    return Self(
      read: { (target: RawDescriptor) throws(SocketError) -> Bool in
        try (try target.family() == .ipv6 ? six : four).read(target)
      },
      write: { (target: RawDescriptor, value: Bool) throws(SocketError) in
        try (try target.family() == .ipv6 ? six : four).write(target, value)
      })
  }
}

extension RawDescriptor {
  /// Returns the address family of this socket (SO_DOMAIN).
  func family() throws(SocketError) -> AddressFamily {
    let option = SocketOption<SocketLevelOptions, Int>(integer: CSK_SO_DOMAIN, level: CSK_SOL_SOCKET)
    return AddressFamily(rawValue: Int32(truncatingIfNeeded: try option.read(self)))
  }
}

extension SocketOption where Group == RawIPSocketOptions, Value == Int? {
  /// The offset in the payload of IPv6 packets at which the kernel writes and verifies an Internet checksum: an even
  /// number of bytes. Nil disables the checksum. The offset for ICMPv6 is always 2 and cannot be changed. The C name is
  /// `IPV6_CHECKSUM`.
  public static var checksumOffset: Self {
    let option = SocketOption<SocketLevelOptions, Int>(integer: CSK_IPV6_CHECKSUM, level: CSK_IPPROTO_IPV6)
    return Self(
      read: { (target: RawDescriptor) throws(SocketError) -> Int? in
        let offset = try option.read(target)
        return offset < 0 ? nil : offset
      },
      write: { (target: RawDescriptor, value: Int?) throws(SocketError) in
        if let value, value < 0 { throw SocketError(code: .invalidArgument, .setOption) }
        try option.write(target, value ?? -1)
      })
  }
}

extension SocketOption where Group == RawIPSocketOptions, Value == ICMPTypes {
  /// The ICMPv6 message types that a raw ICMPv6 socket receives; all types by default. The C name is `ICMPV6_FILTER`
  /// (RFC 3542, 3.2).
  public static var receivedICMPv6Types: Self {
    Self(
      read: { (target: RawDescriptor) throws(SocketError) -> ICMPTypes in
        var words = SIMD8<UInt32>.zero
        var length = 0
        // The array consists of integers.
        let result = unsafe target.readOption(CSK_IPPROTO_ICMPV6, CSK_ICMPV6_FILTER, intoStructure: &words, &length)
        if result.isFailure { throw SocketError(result, .getOption) }
        return ICMPTypes(blocked: words)
      },
      write: { (target: RawDescriptor, value: ICMPTypes) throws(SocketError) in
        let result = target.writeOption(CSK_IPPROTO_ICMPV6, CSK_ICMPV6_FILTER, value.blocked)
        if result.isFailure { throw SocketError(result, .setOption) }
      })
  }

  /// The ICMP message types from 0 to 31 that a raw ICMP socket over IPv4 receives; all types by default. Higher types
  /// are always received. The C name is `ICMP_FILTER`.
  public static var receivedICMPTypes: Self {
    let option = SocketOption<SocketLevelOptions, Int>(integer: CSK_ICMP_FILTER, level: CSK_IPPROTO_RAW)
    return Self(
      read: { (target: RawDescriptor) throws(SocketError) -> ICMPTypes in
        var words = SIMD8<UInt32>.zero
        words[0] = UInt32(truncatingIfNeeded: try option.read(target))
        return ICMPTypes(blocked: words)
      },
      write: { (target: RawDescriptor, value: ICMPTypes) throws(SocketError) in
        try option.write(target, Int(Int32(bitPattern: value.blocked[0])))
      })
  }
}

/// A set of ICMP message types, 0 to 255.
///
/// ```swift
/// var types = ICMPTypes.all
/// types[133] = false
/// ```
public struct ICMPTypes: Hashable, Sendable {
  // The kernel's representation: a set bit blocks the type.
  var blocked: SIMD8<UInt32>

  init(blocked: SIMD8<UInt32>) { self.blocked = blocked }

  /// All types.
  public static var all: ICMPTypes { ICMPTypes(blocked: .zero) }

  /// Only these types.
  public init(_ types: UInt8...) {
    blocked = SIMD8(repeating: .max)
    for type in types { self[type] = true }
  }

  /// Whether the set contains a type.
  public subscript(type: UInt8) -> Bool {
    get { blocked[Int(type >> 5)] & (1 << (type & 31)) == 0 }
    set {
      let bit: UInt32 = 1 << (type & 31)
      if newValue { blocked[Int(type >> 5)] &= ~bit } else { blocked[Int(type >> 5)] |= bit }
    }
  }
}
