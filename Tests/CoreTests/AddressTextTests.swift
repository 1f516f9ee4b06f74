import Glibc
import SocketKitCore
import SocketKitIP
import SocketKitUnix
import TestSupport
import Testing

@Suite(.exclusive) struct AddressTextTests {
  @Test(arguments: [
    "127.0.0.1:80", "0.0.0.0:0", "255.255.255.255:65535", "[::1]:80", "[::]:0", "[2001:db8::1]:443",
    "[2001:db8:0:1:1:1:1:1]:1", "[1:2:3:4:5:6:7:8]:9", "[fe80::1%lo]:80", "[::ffff:1.2.3.4]:5", "[1::]:1",
    "[0:0:1::]:1",
  ])
  func socketAddressTextIsReadAndPrintedAlike(_ text: String) throws {
    let address = try IPSocketAddress(parsing: text)
    let again = try IPSocketAddress(parsing: address.description)
    #expect(again == address)
    if text != "[0:0:1::]:1" { #expect(address.description == text) }
  }

  @Test(arguments: [
    "", "127.0.0.1", "127.0.0.1:", "127.0.0.1:65536", "127.0.0.1:-1", "127.0.0.1:80 ", " 127.0.0.1:80",
    "127.0.0.1:080", "127.0.0.01:80", "256.0.0.1:80", "1.2.3:80", "1.2.3.4.5:80", "::1:80", "[::1]", "[::1]:",
    "[::1]:x", "[::1:80", "[:::]:1", "[1::2::3]:1", "[12345::]:1", "[1:2:3:4:5:6:7]:1", "[1:2:3:4:5:6:7:8:9]:1",
    "[1:2:3:4:5:6:7::8]:1x", "[fe80::1%]:1", "[fe80::1%nosuchinterface0]:1", "[fe80::1%0]:1", "[1:]:1", "[:1]:1",
    "[::1.2.3]:1", "[1.2.3.4]:1", "127.0.0.1:99999999999999999999", "[::g]:1", "[::1%lo]", "[::1]]:1", "localhost:80",
  ])
  func badTextIsATypedErrorWithTheText(_ text: String) throws {
    let badPorts = [
      "127.0.0.1:", "127.0.0.1:65536", "127.0.0.1:-1", "127.0.0.1:80 ", "127.0.0.1:080", "[::1]:", "[::1]:x",
      "127.0.0.1:99999999999999999999",
    ]
    #expect(IPSocketAddress(text) == nil)
    do throws(SocketError) {
      _ = try IPSocketAddress(parsing: text)
      Issue.record("parsed \(text)")
    } catch {
      #expect(error.operation == .parse)
      #expect(error.code == (badPorts.contains(text) ? .invalidPort : .invalidAddress))
      #expect(error.description.contains("\"\(text)\""))
      #expect(error.remedy != nil)
    }
  }

  /// The kernel lets interfaces have names that read as something else in an address: then the number stands there.
  @Test(arguments: ["7", "a,b", "a]b", "ü", "a@b", "a-b_c.7"])
  func zonesSurviveTheirText(_ name: String) throws {
    let text = inNewNetworkNamespace { () -> String in
      // struct ifreq of SIOCSIFNAME: the name that it has, and the new one (netdevice(7)).
      var request = [UInt8](repeating: 0, count: 40)
      request.replaceSubrange(0..<2, with: "lo".utf8)
      request.replaceSubrange(16..<16 + name.utf8.count, with: name.utf8)
      let number = socket(AF_INET, Int32(SOCK_DGRAM.rawValue | SOCK_CLOEXEC.rawValue), 0)
      defer { close(number) }
      // The array outlives the call.
      guard unsafe ioctl(number, UInt(SIOCSIFNAME), &request) == 0 else { return "errno \(errno)" }
      guard let address = IPSocketAddress("[fe80::1%1]:80") else { return "nothing" }
      let endpoint = IPEndpoint.address(address)
      let again = try? IPEndpoint(body: endpoint.body)
      return IPSocketAddress(address.description) == address && again == endpoint ? "\(address)" : "not \(address)"
    }
    guard let text else {
      #expect(!mustBeAvailable, "unavailable: no new network namespace")
      return
    }
    #expect(text == (name == "a-b_c.7" ? "[fe80::1%\(name)]:80" : "[fe80::1%1]:80"))
  }

  @Test func badPortsAreToldFromBadAddresses() {
    for text in ["127.0.0.1:65536", "127.0.0.1:", "[::1]:x", "127.0.0.1:080"] {
      #expect(throws: SocketError(code: .invalidPort, .parse).with(address: "\"\(text)\"")) {
        try IPSocketAddress(parsing: text)
      }
    }
  }

  @Test(arguments: [
    ("1:0:0:2:0:0:0:3", "1:0:0:2::3"), ("1:0:2:0:3:0:4:0", "1:0:2:0:3:0:4:0"), ("0:0:0:0:0:0:0:0", "::"),
    ("0:0:0:0:0:0:0:1", "::1"), ("2001:DB8::ABCD", "2001:db8::abcd"), ("1:0:0:0:0:0:0:0", "1::"),
    ("0:0:1:2:3:0:0:4", "::1:2:3:0:0:4"), ("64:ff9b::192.0.2.33", "64:ff9b::c000:221"),
    ("::FFFF:192.0.2.1", "::ffff:192.0.2.1"), ("1::2:0:0:3", "1::2:0:0:3"),
  ])
  func ipv6IsPrintedAsRecommended(_ text: String, _ printed: String) throws {
    #expect(try #require(IPv6Address(text)).description == printed)
  }

  @Test func zonesAreInterfacesByNameOrNumber() throws {
    let loopback = try #require(InterfaceNames.index(of: "lo"))
    #expect(try IPSocketAddress(parsing: "[fe80::1%lo]:1").scopeID == loopback)
    #expect(try IPSocketAddress(parsing: "[fe80::1%\(loopback)]:1").description == "[fe80::1%lo]:1")
    #expect(try IPSocketAddress(parsing: "[fe80::1%4000000]:1").description == "[fe80::1%4000000]:1")
    #expect(InterfaceNames.index(of: "an interface name that is far too long") == nil)
    #expect(InterfaceNames.name(of: 4_000_000) == nil)
  }

  @Test func flowLabelAndScopeReachTheKernelsBytes() throws {
    let address = IPSocketAddress(IPv6Address.loopback, port: 0x1234, scopeID: 7, flowLabel: 0xfff_fffff)
    #expect(address.flowLabel == 0xf_ffff)
    let bytes = address.withBytes { [UInt8](copying: $0) }
    #expect(bytes.count == 28)
    #expect(bytes[0...1] == [10, 0] && bytes[2...3] == [0x12, 0x34] && bytes[4...7] == [0, 0x0f, 0xff, 0xff])
    #expect(bytes[23] == 1 && bytes[24] == 7)
  }

  @Test(arguments: ["/run/x.sock", "relative", "@name", "@with%20space", "./@file", "@", "%40x", "unnamed", "/a%25b"])
  func unixTextIsReadAndPrintedAlike(_ text: String) throws {
    let address = try UnixAddress(parsing: text)
    #expect(address.description == text)
    #expect(UnixAddress(AnySocketAddress(address)) == address)
    #expect(AnySocketAddress(address).description == text)
  }

  /// The addresses differ from each other, and so do their texts.
  @Test func everyUnixAddressIsReadBackFromItsText() throws {
    var addresses = try [
      UnixAddress.unnamed, UnixAddress(path: "unnamed"), UnixAddress(path: "@"), UnixAddress(path: "@x"),
      UnixAddress(abstract: "x"), UnixAddress(path: "%40x"), UnixAddress(path: "x%"), UnixAddress(path: "//x"),
      UnixAddress(path: [0x78, 0xff]), UnixAddress(path: "x\u{fffd}"), UnixAddress(abstract: [0xff, 0, 0x40]),
      UnixAddress(abstract: "@"), UnixAddress(path: "a b"), UnixAddress(path: "a\nb"),
      UnixAddress(path: "@\u{301}"), UnixAddress(path: [UInt8](repeating: 0xfe, count: 108)),
    ]
    // The kernel allows an abstract name of no bytes, and a peer may have it.
    let empty = UnixAddress(sockaddr: ([1, 0, 0] as [UInt8]).span.integerBytes)
    addresses.append(try #require(empty))
    for address in addresses {
      #expect(UnixAddress(address.description) == address, "\(address)")
      #expect(address.withBytes { UnixAddress(sockaddr: $0) } == address)
    }
    #expect(Set(addresses.map(\.description)).count == addresses.count)
  }

  @Test func unixNamesHaveTheirLimits() throws {
    let longest = String(repeating: "x", count: 107)
    #expect(try UnixAddress(path: longest + "x").path == longest + "x")
    #expect(try UnixAddress(abstract: longest).abstractName == longest)
    for (make, limit) in [
      ({ (name: String) throws in try UnixAddress(path: name) }, longest + "x"),
      ({ (name: String) throws in try UnixAddress(abstract: name) }, longest),
    ] {
      for (name, code) in [(limit + "x", SocketError.Code.addressTooLong), ("", .invalidAddress)] {
        do {
          _ = try make(name)
          Issue.record("took \(name)")
        } catch let error as SocketError {
          #expect(error.code == code)
          #expect(error.description.contains(name) && error.remedy != nil)
        }
      }
    }
    #expect(UnixAddress("a\0b") == nil && UnixAddress("") == nil && UnixAddress("x%") == nil)
    #expect(UnixAddress("@a\0b")?.abstractName == "a\0b")
    #expect(UnixAddress.unnamed.description == "@" && UnixAddress.unnamed.name.isEmpty)
  }

  /// The kernel reports a path of 108 bytes with a zero byte behind it, but does not accept that byte in a call.
  @Test func aPathThatFillsTheKernelsAddressIsNamed() throws {
    let name = [UInt8](repeating: 0x70, count: 108)
    let address = try UnixAddress(path: name)
    let bytes = address.withBytes { [UInt8](copying: $0) }
    #expect(bytes == [1, 0] + name && address.name == name)
    #expect(UnixAddress(sockaddr: (bytes + [0]).span.integerBytes) == address)
    #expect(UnixAddress(sockaddr: (bytes + [0x70]).span.integerBytes) == nil)
    #expect(UnixAddress(sockaddr: (bytes + [0, 0]).span.integerBytes) == nil)
    var reported = AnySocketAddress()
    // The memory has 128 bytes, and the array has 110.
    unsafe reported.fill { memory, length in
      unsafe memory.copyMemory(from: bytes, byteCount: 110)
      length = 111
    }
    #expect(reported == AnySocketAddress(address) && reported.withBytes { $0.byteCount } == 110)
  }

  @Test func foreignAndCutBytesAreRefused() throws {
    let ip = AnySocketAddress(IPSocketAddress.loopback(port: 1))
    let unix = AnySocketAddress(try UnixAddress(path: "/x"))
    #expect(UnixAddress(ip) == nil && IPSocketAddress(unix) == nil)
    for length in 0..<28 {
      let whole = AnySocketAddress(IPSocketAddress.loopbackIPv6(port: 1))
      #expect(whole.withBytes { IPSocketAddress(sockaddr: $0.extracting(first: length)) } == nil)
    }
    #expect(IPSocketAddress(AnySocketAddress()) == nil)
    #expect(AnySocketAddress().description == "no address")
  }

  @Test func anyAddressOfAnUnknownFamilyIsKeptAndPrinted() throws {
    let bytes: [UInt8] = [40, 0, 0, 0, 1, 2, 3, 4]
    let read = AnySocketAddress(sockaddr: bytes.span.integerBytes)
    let address = try #require(read)
    #expect(address.family == .vsock)
    #expect(address.description == "vsock:000001020304")
    let tooMany = [UInt8](repeating: 0, count: 129)
    let refused = AnySocketAddress(sockaddr: tooMany.span.integerBytes)
    #expect(refused == nil)
  }
}
