import Glibc
import SocketKit

/// System calls on sockets, made by the C library and not by the package. The kernel accesses the memory of an argument
/// only during the call. A call that fails returns -1 and sets errno.
enum SystemCalls {
  static func bind(_ number: Int32, to address: RawSpan) -> Int32 {
    unsafe address.withUnsafeBytes {
      unsafe Glibc.bind(number, $0.baseAddress?.assumingMemoryBound(to: sockaddr.self), socklen_t($0.count))
    }
  }

  static func connect(_ number: Int32, to address: RawSpan) -> Int32 {
    unsafe address.withUnsafeBytes {
      unsafe Glibc.connect(number, $0.baseAddress?.assumingMemoryBound(to: sockaddr.self), socklen_t($0.count))
    }
  }

  /// With MSG_ZEROCOPY, the kernel reads the bytes later, and holds their pages until then.
  static func send(_ number: Int32, _ bytes: ArraySlice<UInt8>, flags: Int32 = 0) -> Int {
    unsafe bytes.withUnsafeBytes { unsafe Glibc.send(number, $0.baseAddress, $0.count, flags) }
  }

  /// Returns no bytes at the end of a stream, and nil if the call fails.
  static func receive(_ number: Int32, atMost capacity: Int, flags: Int32 = 0) -> [UInt8]? {
    var bytes = [UInt8](repeating: 0, count: capacity)
    let count = unsafe recv(number, &bytes, bytes.count, flags)
    return count < 0 ? nil : Array(bytes.prefix(count))
  }

  /// Waits for events. Returns those that have occurred: none if the time has passed.
  static func poll(_ number: Int32, for events: Int32 = 0, milliseconds: Int32) -> Int32 {
    var watched = pollfd(fd: number, events: Int16(events), revents: 0)
    let count = unsafe Glibc.poll(&watched, 1, milliseconds)
    return count < 0 ? count : Int32(watched.revents)
  }

  /// ioctl(2) for an interface or a route. The bytes are the structure that the request reads or writes.
  static func control(_ number: Int32, _ request: Int32, _ bytes: inout [UInt8]) -> Int32 {
    unsafe ioctl(number, UInt(request), &bytes)
  }
}
