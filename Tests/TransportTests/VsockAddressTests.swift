import SocketKit
import TestSupport
import Testing

/// Addresses of vsock as text and bytes: needs no vsock.
@Suite struct VsockAddressTests {
  private let named: [(VsockAddress, reading: String, writing: String)] = [
    (VsockAddress(contextID: .hypervisor, port: 10), "hypervisor(0):10", "vsock://hypervisor:10"),
    (.local(port: 20), "local(1):20", "vsock://local:20"),
    (.host(port: 30), "host(2):30", "vsock://host:30"),
    (VsockAddress(contextID: 3, port: 40), "vm(3):40", "vsock://3:40"),
    (.any(port: .any), "any:*", "vsock://any:*"),
    (.any(port: 0), "any:0", "vsock://any:0"),
    (VsockAddress(contextID: 3, port: 40, flags: .toHost), "vm(3):40?to-host", "vsock://3:40?to-host"),
    (VsockAddress(contextID: 3, port: 40, flags: .init(rawValue: 6)), "vm(3):40?flags=6", "vsock://3:40?flags=6"),
    (
      VsockAddress(contextID: 4_294_967_294, port: 4_294_967_294), "vm(4294967294):4294967294",
      "vsock://4294967294:4294967294"
    ),
  ]

  @Test func bothTextsAreWrittenAndRead() throws {
    for (address, reading, writing) in named {
      #expect(address.description == reading && address.addressText == writing)
      #expect(try VsockAddress(reading) == address)
      #expect(try VsockAddress(writing) == address)
      #expect(try VsockAddress(String(writing.dropFirst(8))) == address)
    }
  }

  @Test func numbersAreReadForNames() throws {
    #expect(try VsockAddress("vsock://2:1024") == .host(port: 1024))
    #expect(try VsockAddress("1:7") == .local(port: 7))
    #expect(try VsockAddress("0:7").contextID == .hypervisor)
    #expect(try VsockAddress("4294967295:4294967295") == .any(port: .any))
    #expect(try VsockAddress("vm(2):7") == .host(port: 7))
  }

  @Test func literalPortZeroIsNotAny() throws {
    #expect(try VsockAddress("any:0") != VsockAddress("any:*"))
    #expect(VsockPort(rawValue: 0) != .any && VsockPort(rawValue: 0).isPrivileged && !VsockPort.any.isPrivileged)
    #expect(VsockPort(rawValue: 1023).isPrivileged && !VsockPort(rawValue: 1024).isPrivileged)
  }

  @Test func whatIsNoAddressIsRefusedWithItsText() {
    let wrong = [
      "", ":", "vsock://", "host", " host:1", "host(1):1", "local(2):1", "any(3):1", "vm():1", "vm(3:1", "vm3:1",
      "-1:1",
      "+1:1", "01:1", "4294967296:1", "0x3:1", "3:1?", "3:1?to-hos", "3:1?flags=256", "3:1?flags=",
      "3:1?to-host?to-host",
      "vsock:3:1", "vsock:///3:1", "vsock://vsock://3:1", "HOST:1", "*:1", "٣:1",
    ]
    let wrongPorts = ["host:", "host: 1", "host:1 ", "1:01", "1:-1", "1:4294967296", "3:*1", "3:**", "3:1:1"]
    for text in wrong + wrongPorts {
      do throws(SocketError) {
        let address = try VsockAddress(text)
        Issue.record("\"\(text)\" was taken for \(address)")
      } catch {
        #expect(error.operation == .parse && error.address == "\"\(text)\"" && error.remedy != nil)
        #expect(error.code == (wrongPorts.contains(text) ? .invalidPort : .invalidAddress), "\"\(text)\"")
      }
    }
  }

  @Test func anyAddressTextReadsBack() throws {
    for _ in 0..<400 {
      // Near the edges as often as anywhere.
      func number() -> UInt32 {
        switch UInt8.random(in: 0..<3) {
        case 0: .random(in: 0...5)
        case 1: .random(in: .max - 3 ... .max)
        default: .random(in: 0 ... .max)
        }
      }
      let address = VsockAddress(
        contextID: VsockContextID(rawValue: number()), port: VsockPort(rawValue: number()),
        flags: .init(rawValue: .random(in: 0...2)))
      #expect(try VsockAddress(address.addressText) == address)
      #expect(try VsockAddress(address.description) == address)
    }
  }

  @Test func bytesAreTheKernels() {
    let address = VsockAddress(contextID: 0x0102_0304, port: 0x0506_0708, flags: .toHost)
    let bytes = address.withBytes { $0.array }
    let expected =
      UInt16(40).rawBytes + [0, 0] + UInt32(0x0506_0708).rawBytes + UInt32(0x0102_0304).rawBytes + [1, 0, 0, 0]
    #expect(bytes == expected)
  }
}
