internal import CSocketKit
internal import SocketKitCore

/// The names and indices of network interfaces (netdevice(7), SIOCGIFINDEX and SIOCGIFNAME).
public enum InterfaceNames {
  /// Returns the index of the interface, or nil if this host has no interface of this name. A name has 1 to 15 bytes.
  public static func index(of name: String) -> UInt32? {
    let bytes = Array(name.utf8)
    guard (1...15).contains(bytes.count), !bytes.contains(0) else { return nil }
    var request = InlineArray<5, UInt64>(repeating: 0)
    return withUnsafeMutableBytes(of: &request) { memory -> UInt32? in
      memory.copyBytes(from: bytes)
      guard control(0x8933, memory.baseAddress) else { return nil }
      return memory.loadUnaligned(fromByteOffset: 16, as: UInt32.self)
    }
  }

  /// Returns the name of the interface, or nil if this host has no interface of this index.
  public static func name(of index: UInt32) -> String? {
    var request = InlineArray<5, UInt64>(repeating: 0)
    return withUnsafeMutableBytes(of: &request) { memory -> String? in
      memory.storeBytes(of: index, toByteOffset: 16, as: UInt32.self)
      guard control(0x8910, memory.baseAddress) else { return nil }
      return String(decoding: memory.prefix(16).prefix { $0 != 0 }, as: UTF8.self)
    }
  }

  /// Returns the index of the interface for a zone in an address. A zone is the name or the index of an interface.
  static func index(ofZone zone: String) -> UInt32? {
    if zone.utf8.allSatisfy({ $0 >= 48 && $0 <= 57 }) {
      guard let number = UInt32(zone), number > 0 else { return nil }
      return number
    }
    return index(of: zone)
  }

  /// Returns the zone that represents an interface in an address. The zone is the name of the interface if this name
  /// consists of letters, digits, `-`, `_` and `.` and is not a number; otherwise, it is the index of the interface.
  static func zone(of index: UInt32) -> String {
    guard let name = name(of: index), !name.utf8.allSatisfy({ isDigit($0) }),
      name.utf8.allSatisfy({ isDigit($0) || (97...122).contains($0 | 32) || [45, 46, 95].contains($0) })
    else { return String(index) }
    return name
  }

  private static func isDigit(_ byte: UInt8) -> Bool { (48...57).contains(byte) }

  private static func control(_ request: UInt, _ memory: UnsafeMutableRawPointer?) -> Bool {
    let number = csk_socket(CSK_AF_UNIX, CSK_SOCK_DGRAM | CSK_SOCK_CLOEXEC, 0)
    guard number >= 0 else { return false }
    let socket = unsafe Descriptor(unsafeOwning: RawDescriptor(Int32(truncatingIfNeeded: number)))
    return csk_ioctl(socket.raw.value, request, memory) >= 0
  }
}
