internal import CSocketKit
public import SocketKitCore

/// The options that raw IP sockets take: those of raw(7), ip(7) and ipv6(7).
public enum RawIPSocketOptions: IPOptions {}

/// The options that ICMP sockets take: those of ip(7) and ipv6(7).
public enum ICMPSocketOptions: IPOptions {}

extension SocketOption where Group == RawIPSocketOptions, Value == Bool {
  /// What is sent begins with the IP header, written by the caller; on IPv4 the kernel fills in its checksum and total
  /// length, and source and identification where they are 0. Always on for ``IPProtocol/any``. The C names are
  /// `IP_HDRINCL` and `IPV6_HDRINCL` (Linux 4.5).
  public static var headerIncluded: Self {
    let four = SocketOption(flag: CSK_IP_HDRINCL, level: CSK_IPPROTO_IP)
    let six = SocketOption(flag: CSK_IPV6_HDRINCL, level: CSK_IPPROTO_IPV6)
    return Self(
      read: { (target: RawDescriptor) throws(SocketError) -> Bool in
        try target.socketKind().family == .ipv6 ? six.read(target) : four.read(target)
      },
      write: { (target: RawDescriptor, value: Bool) throws(SocketError) in
        if try target.socketKind().family == .ipv6 {
          try six.write(target, value)
        } else {
          try four.write(target, value)
        }
      })
  }
}

extension SocketOption where Group == RawIPSocketOptions, Value == Int? {
  /// Where in the payload of IPv6 packets the kernel keeps an Internet checksum, which it then writes and verifies: an
  /// even offset in bytes, or nil for nowhere. ICMPv6 always has it at 2, which cannot be changed. The C name is
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
  /// Which types of ICMPv6 message a raw ICMPv6 socket receives; all at first. The C name is `ICMPV6_FILTER`
  /// (RFC 3542, 3.2).
  public static var receivedICMPv6Types: Self {
    Self(
      read: { (target: RawDescriptor) throws(SocketError) -> ICMPTypes in
        var words = InlineArray<8, UInt32>(repeating: 0)
        var length = UInt32(32)
        let result = withUnsafeMutableBytes(of: &words) {
          csk_getsockopt(target.value, CSK_IPPROTO_ICMPV6, CSK_ICMPV6_FILTER, $0.baseAddress, &length)
        }
        if result < 0 { throw SocketError(IOResult(raw: result), .getOption) }
        return ICMPTypes(blocked: words)
      },
      write: { (target: RawDescriptor, value: ICMPTypes) throws(SocketError) in
        var words = value.blocked
        let result = withUnsafeBytes(of: &words) {
          csk_setsockopt(target.value, CSK_IPPROTO_ICMPV6, CSK_ICMPV6_FILTER, $0.baseAddress, 32)
        }
        if result < 0 { throw SocketError(IOResult(raw: result), .setOption) }
      })
  }

  /// Which of the types 0 to 31 of ICMP message a raw ICMP socket of IPv4 receives; all at first. Higher types always
  /// come. The C name is `ICMP_FILTER`.
  public static var receivedICMPTypes: Self {
    let option = SocketOption<SocketLevelOptions, Int>(integer: CSK_ICMP_FILTER, level: CSK_IPPROTO_RAW)
    return Self(
      read: { (target: RawDescriptor) throws(SocketError) -> ICMPTypes in
        var words = InlineArray<8, UInt32>(repeating: 0)
        words[0] = UInt32(truncatingIfNeeded: try option.read(target))
        return ICMPTypes(blocked: words)
      },
      write: { (target: RawDescriptor, value: ICMPTypes) throws(SocketError) in
        try option.write(target, Int(Int32(bitPattern: value.blocked[0])))
      })
  }
}

/// A set of ICMP message types, 0 to 255.
public struct ICMPTypes: Hashable, Sendable {
  // The kernel's form: a bit set for each type that is kept out.
  var blocked: InlineArray<8, UInt32>

  init(blocked: InlineArray<8, UInt32>) { self.blocked = blocked }

  /// Every type.
  public static var all: ICMPTypes { ICMPTypes(blocked: InlineArray(repeating: 0)) }

  /// These types and no others.
  public init(_ types: UInt8...) {
    blocked = InlineArray(repeating: .max)
    for type in types { insert(type) }
  }

  public func contains(_ type: UInt8) -> Bool { blocked[Int(type >> 5)] & (1 << UInt32(type & 31)) == 0 }
  public mutating func insert(_ type: UInt8) { blocked[Int(type >> 5)] &= ~(1 << UInt32(type & 31)) }
  public mutating func remove(_ type: UInt8) { blocked[Int(type >> 5)] |= 1 << UInt32(type & 31) }

  public static func == (a: ICMPTypes, b: ICMPTypes) -> Bool { (0..<8).allSatisfy { a.blocked[$0] == b.blocked[$0] } }
  public func hash(into hasher: inout Hasher) { for index in 0..<8 { hasher.combine(blocked[index]) } }
}
