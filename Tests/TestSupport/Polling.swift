internal import Glibc

/// Waits by poll(2) until a descriptor has one of these events, an error or a hang-up; a negative time waits for ever.
///
/// - Returns: the events that have occurred (`revents`): 0 if the time has passed. If the call fails, nil and `errno`,
///   also if a signal interrupts it. The result -1 of poll(2) would have the bit of every event.
@discardableResult
public func polledEvents(_ number: Int32, for events: Int32 = 0, milliseconds: Int32) -> Int32? {
  var watched = pollfd(fd: number, events: Int16(events), revents: 0)
  // The kernel accesses the one structure only during the call.
  let count = unsafe poll(&watched, 1, milliseconds)
  return count < 0 ? nil : Int32(watched.revents)
}
