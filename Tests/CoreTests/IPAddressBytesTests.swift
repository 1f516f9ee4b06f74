import SocketKit
import TestSupport
import Testing

@Suite struct IPAddressBytesTests {
  private func bytes(_ address: IPAddress) -> [UInt8] { address.withBytes { [UInt8](copying: $0) } }

  @Test(
    arguments: [
      ("127.0.0.1", [127, 0, 0, 1]),
      ("1.2.3.255", [1, 2, 3, 255]),
      ("2001:db8::ff00:42:8329", [0x20, 1, 0xd, 0xb8, 0, 0, 0, 0, 0, 0, 0xff, 0, 0, 0x42, 0x83, 0x29]),
      ("::ffff:1.2.3.4", [0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 255, 255, 1, 2, 3, 4]),
    ] as [(String, [UInt8])])
  func inNetworkOrder(_ text: String, _ expected: [UInt8]) throws {
    let address = try #require(IPAddress(text))
    #expect(bytes(address) == expected)
    #expect(IPAddress(bytes: expected.span) == address)
    switch address {
    case .v4(let four): #expect(IPv4Address(bytes: expected.span) == four && four.bytes[3] == expected[3])
    case .v6(let six): #expect(IPv6Address(bytes: expected.span) == six && six.bytes[15] == expected[15])
    }
  }

  @Test func everyOtherNumberOfBytesIsRefused() {
    for count in 0...20 where count != 4 && count != 16 {
      let bytes = [UInt8](repeating: 1, count: count)
      #expect(IPAddress(bytes: bytes.span) == nil && IPv4Address(bytes: bytes.span) == nil, "\(count)")
      #expect(IPv6Address(bytes: bytes.span) == nil, "\(count)")
    }
    let four: [UInt8] = [1, 2, 3, 4]
    #expect(IPv6Address(bytes: four.span) == nil)
    let sixteen = [UInt8](repeating: 0, count: 16)
    #expect(IPv4Address(bytes: sixteen.span) == nil)
  }
}
