internal import Glibc

/// Waits until a descriptor is readable, by poll(2); a negative time waits for ever.
/// - Returns: the result of poll(2): 1, 0 after the time, or -1 with errno.
@discardableResult
public func pollReadable(_ number: Int32, milliseconds: Int32) -> Int32 {
  var watched = pollfd(fd: number, events: Int16(POLLIN), revents: 0)
  // The kernel accesses the one structure only during the call.
  return unsafe poll(&watched, 1, milliseconds)
}
