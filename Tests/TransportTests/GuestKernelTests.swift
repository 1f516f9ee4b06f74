import CSocketKit
import Glibc
import SocketKit
import TestSupport
import Testing

/// Whether the guest is what the other suites take it for. The C library alone makes the calls: a failure here is the
/// guest's fault, and not that of a transport.
@Suite(.exclusive, .guestOnly) struct GuestKernelTests {
  @Test func theKernelIsOneOfTheWanted() throws {
    let release = try text(of: "/proc/sys/kernel/osrelease").dropLast()
    #expect(release.hasPrefix("6.1.") || release.hasPrefix("6.12."), "\(release)")
    #expect(release.hasSuffix("-amd64"), "\(release)")
  }

  /// struct sockaddr_vm (vsock(7)): family, nothing, port, context ID, and zeros up to 16 bytes.
  private func address(context: UInt32, port: UInt32) -> [UInt32] { [UInt32(AF_VSOCK), port, context, 0] }

  private func socket(_ family: Int32, _ type: __socket_type) throws -> Int32 {
    let number = Glibc.socket(family, Int32(type.rawValue) | Int32(SOCK_CLOEXEC.rawValue), 0)
    try #require(number >= 0, "errno \(errno)")
    return number
  }

  private func bind(_ number: Int32, context: UInt32, port: UInt32) -> Int32 {
    CLibrary.bind(number, to: address(context: context, port: port).span.integerBytes) == 0 ? 0 : errno
  }

  @Test(arguments: [SOCK_STREAM, SOCK_SEQPACKET])
  func vsockLoopbackIsThere(_ type: __socket_type) throws {
    let listener = try socket(AF_VSOCK, type)
    let client = try socket(AF_VSOCK, type)
    defer {
      close(listener)
      close(client)
    }
    try #require(bind(listener, context: 1, port: 7_000_000) == 0)
    try #require(listen(listener, 1) == 0)
    let connected = CLibrary.connect(client, to: address(context: 1, port: 7_000_000).span.integerBytes)
    #expect(connected == 0, "errno \(errno)")
    let server = accept(listener, nil, nil)
    #expect(server >= 0)
    defer { close(server) }
    #expect(CLibrary.send(client, [7]) == 1)
    // Linux 6.1 peeks at streams only.
    #expect(GuestKernel.peeks(server) == (type == SOCK_STREAM || !GuestKernel.isLinux61))
    var byte: [UInt8] = [0]
    #expect(CLibrary.receive(server, into: &byte) == 1 && byte == [7])
  }

  @Test func noOtherContextIsOurs() throws {
    let number = try socket(AF_VSOCK, SOCK_STREAM)
    defer { close(number) }
    #expect(bind(number, context: 3, port: 7_000_001) == EADDRNOTAVAIL)
  }

  /// IOCTL_VM_SOCKETS_GET_LOCAL_CID, linux/vm_sockets.h.
  @Test func theContextIsLoopbacks() throws {
    let device = CLibrary.open("/dev/vsock", O_RDONLY | O_CLOEXEC)
    try #require(device >= 0, "no /dev/vsock: errno \(errno)")
    defer { close(device) }
    var context: UInt32 = 0
    // The kernel writes the four bytes during the call.
    let result = unsafe ioctl(device, UInt(CSK_VM_SOCKETS_GET_LOCAL_CID), &context)
    #expect(result == 0 && context == 1)
  }

  @Test(arguments: [AF_INET, AF_INET6], [SOCK_STREAM, SOCK_SEQPACKET])
  func sctpSocketsCanBeMade(_ family: Int32, _ type: __socket_type) {
    let number = Glibc.socket(family, Int32(type.rawValue), 132)
    #expect(number >= 0, "errno \(errno)")
    if number >= 0 { close(number) }
    #expect(GuestKernel.hasSCTP)
  }

  @Test func loopbackIsUpInBothFamilies() throws {
    // struct sockaddr_in (ip(7)): family, port 7001, address, and eight zeros.
    let four = UInt16(AF_INET).rawBytes + [0x1b, 0x59, 127, 0, 0, 1] + [UInt8](repeating: 0, count: 8)
    // struct sockaddr_in6 (ipv6(7)): family, port 7001, flow, address, and scope.
    let six =
      UInt16(AF_INET6).rawBytes + [0x1b, 0x59, 0, 0, 0, 0] + [UInt8](repeating: 0, count: 15) + [1, 0, 0, 0, 0]
    for (family, address) in [(AF_INET, four), (AF_INET6, six)] {
      let listener = try socket(family, SOCK_STREAM)
      let client = try socket(family, SOCK_STREAM)
      defer {
        close(client)
        close(listener)
      }
      let bound = CLibrary.bind(listener, to: address.span.integerBytes)
      try #require(bound == 0 && listen(listener, 1) == 0, "family \(family): errno \(errno)")
      let connected = CLibrary.connect(client, to: address.span.integerBytes)
      #expect(connected == 0, "family \(family): errno \(errno)")
    }
  }

  @Test func namespacesAndFilesCanBeMade() {
    #expect(inNewNetworkNamespace { true } == true)
    for folder in ["/tmp", "/var/tmp", "/run", "/dev/shm"] {
      let path = "\(folder)/sk-\(getpid())"
      let file = Files.create(path)
      #expect(file >= 0, "\(path): errno \(errno)")
      if file >= 0 {
        close(file)
        CLibrary.unlink(path)
      }
    }
    // The machine's own files are not the guest's to change.
    #expect(CLibrary.open("/etc/socketkit-guest", O_WRONLY | O_CREAT | O_CLOEXEC) == -1 && errno == EROFS)
  }
}
