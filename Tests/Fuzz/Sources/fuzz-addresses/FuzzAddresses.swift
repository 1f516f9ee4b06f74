// Address text and sockaddr decoding against any bytes: nothing may crash, what is read must survive its own text and
// bytes, and IP addresses must be read exactly as inet_pton(3) reads them.
import FuzzDriver
import Glibc
import SocketKit
import SocketKitCore
import SocketKitSCTP
import SocketKitVsock

@_cdecl("LLVMFuzzerTestOneInput")
public func fuzzAddresses(_ data: UnsafePointer<UInt8>, _ count: Int) -> Int32 {
  let bytes = UnsafeRawBufferPointer(start: data, count: count)
  decode(bytes.bytes)
  let text = String(decoding: bytes, as: UTF8.self)
  // Zeros end a C string, and invalid UTF-8 is not what inet_pton would see.
  let isPlain = !bytes.contains(0) && bytes.allSatisfy { $0 < 128 }
  parse(text, comparing: isPlain)
  return 0
}

private func decode(_ bytes: RawSpan) {
  if let address = IPSocketAddress(sockaddr: bytes) {
    let again = address.withBytes { IPSocketAddress(sockaddr: $0) }
    require(again == address, "IP address does not survive its bytes")
    if address.flowLabel == 0 {
      require(IPSocketAddress(address.description) == address, "IP address does not survive its text")
    }
  }
  if let address = UnixAddress(sockaddr: bytes) {
    let again = address.withBytes { UnixAddress(sockaddr: $0) }
    require(again == address, "Unix address does not survive its bytes")
    let most = address.isPath ? UnixAddress.maximumPathLength : UnixAddress.maximumNameLength
    require(address.name.count <= most, "Unix name is too long")
    require(UnixAddress(address.description) == address, "Unix address does not survive its text")
  }
  decodeVsock(bytes)
  if let address = AnySocketAddress(sockaddr: bytes) {
    require(address.withBytes { $0.byteCount } == bytes.byteCount, "any address lost bytes")
    _ = address.description
    require(AnySocketAddress(address) == address && address.hashValue == address.hashValue, "any address differs")
  } else {
    require(bytes.byteCount > AnySocketAddress.maximumLength, "any address refused bytes")
  }
}

/// struct sockaddr_vm (linux/vm_sockets.h): family, two zeros, port, context ID, flags, three zeros.
private func decodeVsock(_ bytes: RawSpan) {
  let plain = bytes.withUnsafeBytes { Array($0) }
  func number(_ start: Int) -> UInt32 { plain[start..<start + 4].reversed().reduce(0) { $0 << 8 | UInt32($1) } }
  guard let address = VsockAddress(sockaddr: bytes) else {
    require(plain.count != 16 || plain[0] != 40 || plain[1] != 0, "a vsock address is refused")
    return
  }
  require(plain.count == 16 && plain[0] == 40 && plain[1] == 0, "a vsock address of other bytes")
  require(
    address.port.rawValue == number(4) && address.contextID.rawValue == number(8)
      && address.flags.rawValue == plain[12],
    "\(address) for \(plain)")
  let again = address.withBytes { VsockAddress(sockaddr: $0) }
  require(again == address, "vsock address does not survive its bytes")
  survives(address)
}

private func survives(_ address: VsockAddress) {
  do throws(SocketError) {
    require(try VsockAddress(address.description) == address, "\(address) does not survive its text")
    require(try VsockAddress(address.addressText) == address, "\(address.addressText) does not survive")
    let text = address.addressText
    require(AnyEndpoint(text)?.description == text, "\(text) does not survive as an endpoint")
  } catch {
    require(false, "\(error)")
  }
}

/// What is refused says why, and of what.
private func parseVsock(_ text: String) {
  do throws(SocketError) {
    survives(try VsockAddress(text))
  } catch {
    require(error.code == .invalidAddress || error.code == .invalidPort, "\(error)")
    require(error.operation == .parse && error.address == "\"\(text)\"", "the error is about something else: \(error)")
  }
}

private func parseList(_ text: String) {
  do throws(SocketError) {
    let list = try SCTPAddressList(parsing: text)
    require(!list.addresses.isEmpty && list.addresses.allSatisfy { $0.port == list.port }, "\(list.addresses)")
    // A zone may have some too.
    require(list.addresses.count <= 1 + text.utf8.count { $0 == 44 || $0 == 47 }, "\(list) of \(text)")
    require(SCTPAddressList(list.addresses) == list, "a list is not its addresses")
    let again = try SCTPAddressList(parsing: list.description)
    require(again == list && again.description == list.description, "\(list) does not survive its text")
    // The separators mean the same.
    let other = String(list.description.map { $0 == "," ? "/" : $0 })
    require(SCTPAddressList(other) == list, "\(other) is another list")
  } catch {
    require(error.code == .invalidAddress || error.code == .invalidPort, "\(error)")
    require(error.operation == .parse && error.address == "\"\(text)\"", "the error is about something else: \(error)")
  }
  // One address is a list of one.
  if let address = IPSocketAddress(text) {
    require(SCTPAddressList(text)?.addresses == [address], "\(text) is no list")
  }
}

private func parse(_ text: String, comparing: Bool) {
  parseVsock(text)
  parseList(text)
  if let address = IPSocketAddress(text) {
    require(IPSocketAddress(address.description) == address, "IP text is not stable")
  }
  if let address = UnixAddress(text) {
    require(UnixAddress(address.description) == address, "Unix text is not stable")
  }
  let four = IPv4Address(text)
  let six = IPv6Address(text)
  if let six { require(IPv6Address(six.description) == six, "IPv6 text is not stable") }
  guard comparing else { return }
  var known = in6_addr()
  require((inet_pton(AF_INET, text, &known) == 1) == (four != nil), "IPv4: inet_pton disagrees")
  let isKnown = inet_pton(AF_INET6, text, &known) == 1
  require(isKnown == (six != nil), "IPv6: inet_pton disagrees")
  if let six {
    let words = withUnsafeBytes(of: &known) { ($0.load(as: UInt64.self), $0.load(fromByteOffset: 8, as: UInt64.self)) }
    require(six.high.bigEndian == words.0 && six.low.bigEndian == words.1, "IPv6: inet_pton reads another address")
  }
}

// SwiftPM renames the entry point of an executable target to <module>_main.
@_cdecl("fuzz_addresses_main")
public func main(_ argc: Int32, _ argv: UnsafeMutablePointer<UnsafeMutablePointer<CChar>?>?) -> Int32 {
  drive(argc, argv, { fuzzAddresses($0, $1) })
}
