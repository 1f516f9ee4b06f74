// Lists the network interfaces over netlink (rtnetlink(7)), with a generic socket and an address type that this file
// defines.
import SocketKit

// snippet.address
/// sockaddr_nl of netlink(7): family, padding, port (0 is the kernel), multicast groups.
struct NetlinkAddress: SocketAddress {
  var port: UInt32 = 0
  var groups: UInt32 = 0

  static var netlink: AddressFamily { AddressFamily(rawValue: 16) }
  var family: AddressFamily { Self.netlink }
  var description: String { "netlink:\(port)" }

  init(port: UInt32 = 0, groups: UInt32 = 0) {
    self.port = port
    self.groups = groups
  }

  init?(sockaddr bytes: RawSpan) {
    guard bytes.byteCount >= 12, bytes.integer(as: UInt16.self) == 16 else { return nil }
    port = bytes.integer(at: 4, as: UInt32.self)
    groups = bytes.integer(at: 8, as: UInt32.self)
  }

  func withBytes<R>(_ body: (RawSpan) -> R) -> R {
    let words: InlineArray<3, UInt32> = [16, port, groups]
    return body(words.span.integerBytes)
  }
}
// snippet.end

// snippet.dump
/// Returns the names of the interfaces in one datagram of the answer, or nil if the datagram ends the answer.
func interfaceNames(in datagram: RawSpan) -> [String]? {
  var names: [String] = []
  var rest = datagram
  // nlmsghdr: length, type, flags, sequence, port
  while rest.byteCount >= 16 {
    let length = Int(rest.unsafeLoadUnaligned(as: UInt32.self))
    guard length >= 16, length <= rest.byteCount else { break }
    switch rest.unsafeLoadUnaligned(fromByteOffset: 4, as: UInt16.self) {
    case 2, 3: return nil  // NLMSG_ERROR, NLMSG_DONE
    case 16: if let name = name(in: rest.extracting(first: length)) { names.append(name) }  // RTM_NEWLINK
    default: break
    }
    rest = rest.extracting(droppingFirst: min(rest.byteCount, (length + 3) & ~3))
  }
  return names
}

/// Returns the attribute IFLA_IFNAME, or nil. The attributes follow nlmsghdr and ifinfomsg, of 16 bytes each.
func name(in message: RawSpan) -> String? {
  guard message.byteCount >= 32 else { return nil }
  var rest = message.extracting(droppingFirst: 32)
  while rest.byteCount >= 4 {
    let length = Int(rest.unsafeLoadUnaligned(as: UInt16.self))
    guard length >= 4, length <= rest.byteCount else { return nil }
    if rest.unsafeLoadUnaligned(fromByteOffset: 2, as: UInt16.self) == 3 {
      return rest.extracting(4..<length).withUnsafeBytes { String(decoding: $0.prefix { $0 != 0 }, as: UTF8.self) }
    }
    rest = rest.extracting(droppingFirst: min(rest.byteCount, (length + 3) & ~3))
  }
  return nil
}

do {
  let kind = SocketKind(NetlinkAddress.netlink, .raw, protocolNumber: 0)  // NETLINK_ROUTE
  let socket = try GenericMessageSocket<NetlinkAddress, SocketLevelOptions>.open(kind)
  let deadline = Deadline.after(.seconds(5))
  // nlmsghdr: 32 bytes, RTM_GETLINK = 18, NLM_F_REQUEST | NLM_F_DUMP = 0x301, sequence 1; then an empty ifinfomsg.
  var request = [UInt8](repeating: 0, count: 32)
  request.withUnsafeMutableBytes { bytes in
    bytes.storeBytes(of: 32, as: UInt32.self)
    bytes.storeBytes(of: 18, toByteOffset: 4, as: UInt16.self)
    bytes.storeBytes(of: 0x301, toByteOffset: 6, as: UInt16.self)
    bytes.storeBytes(of: 1, toByteOffset: 8, as: UInt32.self)
  }
  try socket.send(request.span, to: NetlinkAddress(), until: deadline)
  var answer = [UInt8](repeating: 0, count: 1 << 16)
  var info = MessageInfo()
  while true {
    let count = try socket.receive(into: answer.mutableSpan, &info, until: deadline)
    guard let names = interfaceNames(in: answer.span.extracting(first: count).integerBytes) else { break }
    for name in names { print(name) }
  }
} catch {
  print(error)
}
// snippet.end
