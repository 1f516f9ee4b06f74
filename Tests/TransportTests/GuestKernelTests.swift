import CSocketKit
import Glibc
import SocketKit
import TestSupport
import Testing

/// Whether the guest is what the other suites take it for. By the C library alone: these say whose fault it is.
@Suite(.exclusive, .guestOnly) struct GuestKernelTests {
  @Test func theKernelIsOneOfTheWanted() throws {
    let release = try text(of: "/proc/sys/kernel/osrelease").dropLast()
    #expect(release.hasPrefix("6.1.") || release.hasPrefix("6.12."), "\(release)")
    #expect(release.hasSuffix("-amd64"), "\(release)")
  }

  /// struct sockaddr_vm (vsock(7)): family, nothing, port, context ID, and zeros up to 16 bytes.
  private func address(context: UInt32, port: UInt32) -> [UInt32] { [UInt32(AF_VSOCK), port, context, 0] }

  private func socket(_ type: __socket_type) throws -> Int32 {
    let number = Glibc.socket(AF_VSOCK, Int32(type.rawValue) | Int32(SOCK_CLOEXEC.rawValue), 0)
    try #require(number >= 0, "errno \(errno)")
    return number
  }

  private func bind(_ number: Int32, context: UInt32, port: UInt32) -> Int32 {
    SystemCalls.bind(number, to: address(context: context, port: port).span.integerBytes) == 0 ? 0 : errno
  }

  @Test(arguments: [SOCK_STREAM, SOCK_SEQPACKET])
  func vsockLoopbackIsThere(_ type: __socket_type) throws {
    let listener = try socket(type)
    let client = try socket(type)
    defer {
      close(listener)
      close(client)
    }
    try #require(bind(listener, context: 1, port: 7_000_000) == 0)
    try #require(listen(listener, 1) == 0)
    let connected = SystemCalls.connect(client, to: address(context: 1, port: 7_000_000).span.integerBytes)
    #expect(connected == 0, "errno \(errno)")
    let server = accept(listener, nil, nil)
    #expect(server >= 0)
    defer { close(server) }
    #expect(SystemCalls.send(client, [7]) == 1)
    // Linux 6.1 peeks at streams only.
    #expect(GuestKernel.peeks(server) == (type == SOCK_STREAM || !GuestKernel.isLinux61))
    #expect(SystemCalls.receive(server, atMost: 1) == [7])
  }

  @Test func noOtherContextIsOurs() throws {
    let number = try socket(SOCK_STREAM)
    defer { close(number) }
    #expect(bind(number, context: 3, port: 7_000_001) == EADDRNOTAVAIL)
  }

  /// IOCTL_VM_SOCKETS_GET_LOCAL_CID, linux/vm_sockets.h.
  @Test func theContextIsLoopbacks() throws {
    let device = Files.open("/dev/vsock", O_RDONLY)
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
    let four = try TCPSocket.listen(on: .loopback(port: 0))
    let six = try TCPSocket.listen(on: .loopbackIPv6(port: 0))
    let first = try TCPSocket.connect(to: four.localAddress(), until: .after(.seconds(20)))
    let second = try TCPSocket.connect(to: six.localAddress(), until: .after(.seconds(20)))
    let ports = (try first.remoteAddress().port, try second.remoteAddress().port)
    #expect(ports.0 != 0 && ports.1 != 0)
  }

  @Test func namespacesAndFilesCanBeMade() {
    #expect(inNewNetworkNamespace { true } == true)
    for folder in ["/tmp", "/var/tmp", "/run", "/dev/shm"] {
      let path = "\(folder)/sk-\(getpid())"
      let file = Files.create(path)
      #expect(file >= 0, "\(path): errno \(errno)")
      if file >= 0 {
        close(file)
        Files.remove(path)
      }
    }
    // The machine's own files are not the guest's to change.
    #expect(Files.open("/etc/socketkit-guest", O_WRONLY | O_CREAT) == -1 && errno == EROFS)
  }
}
