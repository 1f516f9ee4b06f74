internal import SocketKitCore
#if canImport(Musl)
  internal import Musl
#else
  internal import Glibc
#endif

/// Two TCP sockets that are connected over loopback. They can send urgent data, which not all Unix sockets support.
final class UrgentWire: @unchecked Sendable {
  let near: RawDescriptor
  private let far: RawDescriptor

  init() throws {
    #if canImport(Musl)
      let kind = SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK
    #else
      let kind = Int32(SOCK_STREAM.rawValue) | Int32(SOCK_CLOEXEC.rawValue) | Int32(SOCK_NONBLOCK.rawValue)
    #endif
    let listener = socket(AF_INET, kind, 0)
    guard listener >= 0 else {
      throw ConformanceUnavailable("TCP is not available: socket(2) failed with errno \(errno)")
    }
    defer { closeNumber(listener) }
    // The address 127.0.0.1, with a port chosen by the kernel.
    var address = sockaddr_in()
    address.sin_family = sa_family_t(AF_INET)
    address.sin_addr.s_addr = UInt32(0x7f00_0001).bigEndian
    var length = socklen_t(MemoryLayout<sockaddr_in>.size)
    let client = socket(AF_INET, kind, 0)
    // Each call accesses at most `length` bytes, where `length` is the size of the address, and does so only during the
    // call.
    let server = unsafe withUnsafeMutablePointer(to: &address) {
      unsafe $0.withMemoryRebound(to: sockaddr.self, capacity: 1) { name -> Int32 in
        guard unsafe bind(listener, name, length) == 0, listen(listener, 1) == 0,
          unsafe getsockname(listener, name, &length) == 0
        else { return -1 }
        _ = unsafe connect(client, name, length)
        _ = RawDescriptor(listener).becomesReadable(within: Times.limit)
        let accepted = accept(listener, nil, nil)
        // Set the flags that accept4(2) would set.
        if accepted >= 0 {
          _ = fcntl(accepted, F_SETFD, FD_CLOEXEC)
          _ = fcntl(accepted, F_SETFL, O_NONBLOCK)
        }
        return accepted
      }
    }
    guard client >= 0, server >= 0 else {
      if client >= 0 { closeNumber(client) }
      throw ConformanceUnavailable("connecting over 127.0.0.1 failed with errno \(errno)")
    }
    near = RawDescriptor(client)
    far = RawDescriptor(server)
  }

  func ring(urgently: Bool) {
    var byte: UInt8 = 7
    // The byte outlives the call.
    _ = unsafe send(far.value, &byte, 1, Int32(MSG_NOSIGNAL) | (urgently ? Int32(MSG_OOB) : 0))
  }

  func close() {
    closeNumber(near.value)
    closeNumber(far.value)
  }
}

private func closeNumber(_ number: Int32) { close(number) }
