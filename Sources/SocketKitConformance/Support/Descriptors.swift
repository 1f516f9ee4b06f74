internal import SocketKitCore

#if canImport(Musl)
  internal import Musl
#else
  internal import Glibc
#endif

/// Returns the numbers of this process's open descriptors, except the one used to read the list.
func openDescriptors() -> [Int32] {
  guard let (names, own) = readFolder("/proc/self/fd") else { return [] }
  return names.compactMap { Int32($0) }.filter { $0 != own }.sorted()
}

/// Describes a descriptor by its number and target, such as `7 (socket:[4242])`.
func describeDescriptor(_ number: Int32) -> String {
  var bytes = [CChar](repeating: 0, count: 128)
  // The path and the array outlive the call, and the array has the stated size.
  let count = unsafe readlink("/proc/self/fd/\(number)", &bytes, bytes.count)
  let target = count > 0 ? String(decoding: bytes.prefix(count).map { UInt8(bitPattern: $0) }, as: UTF8.self) : "?"
  return "\(number) (\(target))"
}

extension RawDescriptor {
  var isOpen: Bool { fcntl(value, F_GETFD) >= 0 }
  var isCloseOnExec: Bool { fcntl(value, F_GETFD) & FD_CLOEXEC != 0 }
  /// Returns whether data, an end or an error becomes available within the duration.
  func becomesReadable(within duration: Duration) -> Bool {
    becomesReady(reading: self, writing: nil, within: duration)
  }
  /// Whether an error is pending. The next call returns this error.
  var hasPendingError: Bool {
    var watched = [pollfd(fd: value, events: 0, revents: 0)]
    return awaitEvent(&watched, within: .zero) && watched[0].revents & Int16(POLLERR) != 0
  }
  var isNonBlocking: Bool { fcntl(value, F_GETFL) & O_NONBLOCK != 0 }
}

/// Returns whether `reading` becomes readable or `writing` becomes writable within the duration.
func becomesReady(reading: RawDescriptor?, writing: RawDescriptor?, within duration: Duration) -> Bool {
  // poll(2) ignores negative descriptors.
  var watched = [
    pollfd(fd: reading?.value ?? -1, events: Int16(POLLIN), revents: 0),
    pollfd(fd: writing?.value ?? -1, events: Int16(POLLOUT), revents: 0),
  ]
  return awaitEvent(&watched, within: duration)
}

/// Returns whether poll(2) reports an event within the duration.
private func awaitEvent(_ watched: inout [pollfd], within duration: Duration) -> Bool {
  // The kernel accesses the array, which has the stated length, only during the call.
  unsafe poll(&watched, nfds_t(watched.count), Int32(duration / .milliseconds(1))) > 0
}

/// Prevents the process from opening descriptors, and runs `body` in this state.
func withoutFreeDescriptors<R>(_ body: () throws -> R) throws -> R {
  var old = rlimit()
  #if canImport(Musl)
    let resource = RLIMIT_NOFILE
  #else
    let resource = __rlimit_resource_t(UInt32(RLIMIT_NOFILE.rawValue))
  #endif
  // The kernel accesses the limits only during each call.
  guard unsafe getrlimit(resource, &old) == 0 else { throw ConformanceUnavailable("getrlimit(2) failed") }
  // Set the limit to the lowest free number: all lower numbers are in use.
  let lowest = dup(0)
  guard lowest >= 0 else { throw ConformanceUnavailable("descriptor 0 is not open") }
  close(lowest)
  var tight = old
  tight.rlim_cur = rlim_t(lowest)
  guard unsafe setrlimit(resource, &tight) == 0 else { throw ConformanceUnavailable("setrlimit(2) failed") }
  defer { unsafe setrlimit(resource, &old) }
  return try body()
}

/// Two connected local sockets for testing pollers, independent of SocketKit's transports.
///
/// Call `close()` at the end of the rule. The call also keeps the object alive until then.
final class Wire: @unchecked Sendable {
  private(set) var near: RawDescriptor
  private(set) var far: RawDescriptor

  init() throws {
    var numbers: [Int32] = [-1, -1]
    #if canImport(Musl)
      let kind = SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK
    #else
      let kind = Int32(SOCK_STREAM.rawValue) | Int32(SOCK_CLOEXEC.rawValue) | Int32(SOCK_NONBLOCK.rawValue)
    #endif
    // The kernel writes both numbers only during the call.
    guard unsafe socketpair(AF_UNIX, kind, 0, &numbers) == 0 else {
      throw ConformanceUnavailable("socketpair(2) failed with errno \(errno)")
    }
    near = RawDescriptor(numbers[0])
    far = RawDescriptor(numbers[1])
  }

  deinit { close() }

  /// Makes the near end readable.
  func ring() { _ = write(far, 1) }

  /// Makes the far end readable.
  func ringFar() { _ = write(near, 1) }

  /// Reads all available data at the near end; returns the number of bytes.
  @discardableResult
  func drain() -> Int {
    var bytes = [UInt8](repeating: 0, count: 65536)
    var total = 0
    while case let count = Self.receive(near, &bytes), count > 0 { total += count }
    return total
  }

  /// Reads all available data at the far end.
  func drainFar() {
    var bytes = [UInt8](repeating: 0, count: 65536)
    while Self.receive(far, &bytes) > 0 {}
  }

  /// Reads one byte at the near end.
  func takeOne() {
    var byte: [UInt8] = [0]
    _ = Self.receive(near, &byte)
  }

  /// Writes to the near end until it accepts no more.
  func fill() {
    while write(near, 65536) > 0 {}
    while write(near, 1) > 0 {}
  }

  private func write(_ end: RawDescriptor, _ count: Int) -> Int {
    let bytes = [UInt8](repeating: 7, count: count)
    // The array outlives the call.
    return unsafe send(end.value, bytes, bytes.count, Int32(MSG_NOSIGNAL))
  }

  private static func receive(_ end: RawDescriptor, _ bytes: inout [UInt8]) -> Int {
    // The array outlives the call.
    unsafe recv(end.value, &bytes, bytes.count, 0)
  }

  func endFarWriting() { shutdown(far.value, Int32(SHUT_WR)) }

  func closeNear() { near = Self.closed(near) }
  func closeFar() { far = Self.closed(far) }
  func close() {
    closeNear()
    closeFar()
  }

  private static func closed(_ end: RawDescriptor) -> RawDescriptor {
    if end.value >= 0 { closeNumber(end.value) }
    return RawDescriptor(-1)
  }

  /// Changes the near end's descriptor number to a number that was just closed.
  func moveNear(to number: RawDescriptor) throws {
    if near == number { return }
    if far == number { return swap(&near, &far) }
    let result = dup2(near.value, number.value)
    guard result == number.value else { throw ConformanceUnavailable("dup2(2) failed with errno \(errno)") }
    _ = fcntl(result, F_SETFD, FD_CLOEXEC)
    closeNumber(near.value)
    near = number
  }

  /// Duplicates the near end's descriptor; the caller must close it.
  func duplicateNear() throws -> Descriptor {
    let number = fcntl(near.value, F_DUPFD_CLOEXEC, 0)
    guard number >= 0 else { throw ConformanceUnavailable("fcntl(2) failed with errno \(errno)") }
    // The kernel has returned a new descriptor, which has no other owner.
    return unsafe Descriptor(unsafeOwning: RawDescriptor(number))
  }
}

private func closeNumber(_ number: Int32) { close(number) }

/// Constants of socket(7), unix(7) and errno(3) that SocketKitCore does not define.
enum SocketNumbers {
  static var socketLevel: Int32 { Int32(SOL_SOCKET) }
  /// SCM_RIGHTS.
  static var rights: Int32 { 1 }
  /// The error of a message that has no destination.
  static var destinationRequired: Int32 { EDESTADDRREQ }
}
