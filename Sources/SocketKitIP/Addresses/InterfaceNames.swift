internal import CSocketKit
internal import SocketKitCore

/// The names and indices of network interfaces (netdevice(7), SIOCGIFINDEX and SIOCGIFNAME).
public enum InterfaceNames {
  /// Returns the index of the interface, or nil if this host has no interface of this name. A name has 1 to 15 bytes.
  public static func index(of name: String) -> UInt32? {
    let bytes = Array(name.utf8)
    guard (1...15).contains(bytes.count), !bytes.contains(0) else { return nil }
    var request = Request(repeating: 0)
    for (place, byte) in bytes.enumerated() { request[place] = byte }
    guard control(CSK_SIOCGIFINDEX, &request) else { return nil }
    return request.span.integerBytes.integer(at: 16, as: UInt32.self)
  }

  /// Returns the name of the interface, or nil if this host has no interface of this index.
  public static func name(of index: UInt32) -> String? {
    var request = Request(repeating: 0)
    var elements = request.mutableSpan
    var bytes = elements.mutableIntegerBytes
    bytes.storeBytes(of: index, toByteOffset: 16, as: UInt32.self)
    guard control(CSK_SIOCGIFNAME, &request) else { return nil }
    return String(decoding: (0..<16).map { request[$0] }.prefix { $0 != 0 }, as: UTF8.self)
  }

  /// Returns the index of the interface that a zone in an address identifies. A zone is the name or the index of an
  /// interface.
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

  /// struct ifreq: 16 bytes for the name and 24 bytes for a union, which here contains the index.
  private typealias Request = InlineArray<40, UInt8>

  private static func control(_ operation: Int32, _ request: inout Request) -> Bool {
    let number = csk_socket(CSK_AF_UNIX, CSK_SOCK_DGRAM | CSK_SOCK_CLOEXEC, 0)
    guard number >= 0 else { return false }
    // The kernel has returned a new descriptor, which has no other owner.
    let socket = unsafe Descriptor(unsafeOwning: RawDescriptor(Int32(truncatingIfNeeded: number)))
    // The kernel reads and writes one struct ifreq.
    return unsafe csk_ioctl(socket.raw.value, UInt(operation), &request) >= 0
  }
}
