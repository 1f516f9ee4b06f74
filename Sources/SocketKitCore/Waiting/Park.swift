internal import CSocketKit

/// One sleep of a waiting call. The thread sleeps in ppoll(2), or in a replacement if ppoll(2) would not sleep.
///
/// poll(2) reports POLLERR and POLLHUP even if a program does not request them. It also reports some sockets as ready
/// although the waiting call would still block. In these two cases, a loop of attempts and ppoll(2) calls would use a
/// full core. ``ParkHistory`` detects these cases.
struct Park {
  let source: RawDescriptor
  /// A second descriptor, which is watched for writing, or -1 if there is no second descriptor.
  let second: RawDescriptor
  /// The events to watch on ``source``.
  let interest: Interest
  let deadline: Deadline
  let control: WaitControl?
  let operation: SocketError.Operation

  /// The maximum number of consecutive calls of poll(2) that return immediately because a descriptor is ready. After
  /// that, the waiting call pauses between attempts.
  private static var tolerance: UInt8 { 16 }
  /// If a park lasts less than this number of nanoseconds, this type assumes that the thread did not sleep.
  private static var momentary: Int64 { 30_000 }

  /// The events that poll(2) watches. If POLLIN is watched, POLLRDHUP is added. It indicates that the receiving
  /// direction has ended.
  private var events: Int16 {
    let watched = interest.contains(.readable) ? interest.union(.readClosed) : interest
    return Int16(truncatingIfNeeded: watched.events.rawValue)
  }

  /// The events that the call waits for. With an empty interest, the call waits for the error queue.
  private var wanted: Int16 {
    let all = hasSecond ? events | Int16(CSK_POLLOUT) : events
    return all == 0 ? Int16(CSK_POLLERR) : all
  }

  private var hasSecond: Bool { second.value >= 0 }

  /// The ``source``, if the call also waits for changes that ``RawDescriptor/announceChanges()`` announces; otherwise
  /// nil.
  private var changing: RawDescriptor? { interest.contains(.changes) ? source : nil }

  /// Sleeps until the call should try again because the source is ready, the deadline has passed, the control has woken
  /// the thread, or a shutdown or a change was announced.
  func run(_ history: inout ParkHistory) throws(SocketError) {
    let reported = history.reported
    if reported & Int16(CSK_POLLNVAL) != 0 { throw SocketError(.failure(errno: CSK_EBADF), operation) }
    if reported & Int16(CSK_POLLRDHUP) != 0, try receivingHasEnded() {
      throw SocketError(code: .shutDown, operation)
    }
    if reported != 0 && reported & wanted == 0 {
      try sleepUntilNews(&history)
    } else if history.immediate < Self.tolerance {
      try sleep(&history)
    } else {
      try pauseWhileReported(&history)
    }
  }

  private func sleep(_ history: inout ParkHistory) throws(SocketError) {
    let start = csk_monotonic_nanoseconds()
    if !needsNotices {
      history.reported = try poll(source, events, until: deadline)
    } else if history.isLong {
      try sleepWithNotice(&history)
    } else {
      history.generation = WaitNotices.generation(changing)
      let moment = Deadline(nanoseconds: start &+ WaitNotices.patience)
      history.reported = try poll(source, events, until: min(deadline, moment))
      history.isLong = moment.hasPassed
    }
    let wasMomentary = history.reported != 0 && csk_monotonic_nanoseconds() &- start < Self.momentary
    history.immediate = wasMomentary ? history.immediate &+ 1 : 0
  }

  /// Whether the call needs ``WaitNotices`` because the kernel might not wake the thread after a shutdown or a change.
  private var needsNotices: Bool {
    if source.value < 0 { return false }
    let writes = interest.contains(.writable) || hasSecond
    return operation == .accept || interest.contains(.changes) || writes && operation != .connect
  }

  private func sleepWithNotice(_ history: inout ParkHistory) throws(SocketError) {
    let bell: RawDescriptor
    if let control {
      bell = try control.enter(operation)
    } else {
      let result = csk_eventfd()
      if result < 0 {
        // No descriptor is free: sleep for a limited time, then try again.
        let moment = Deadline(nanoseconds: csk_monotonic_nanoseconds() &+ WaitNotices.patience)
        history.reported = try poll(source, events, until: min(deadline, moment))
        return
      }
      bell = RawDescriptor(Int32(truncatingIfNeeded: result))
    }
    let generation = WaitNotices.enter(bell, changing)
    defer {
      WaitNotices.leave(bell)
      if let control { control.leave(bell) } else { _ = csk_close(bell.value) }
    }
    history.reported = 0
    if generation != history.generation {
      history.generation = generation
      return
    }
    if let control, control.isCancelled { return }
    history.reported = try poll(source, events, bell, until: min(deadline, control?.deadline ?? .never))
  }

  /// Sleeps even though poll(2) reports an error or a hang-up that the last attempt did not clear. The sleep ends when
  /// an edge-triggered epoll instance reports a new event.
  private func sleepUntilNews(_ history: inout ParkHistory) throws(SocketError) {
    let opened = csk_epoll_create(CSK_EPOLL_CLOEXEC)
    if opened < 0 { return try pauseWhileReported(&history) }
    // The kernel has returned a new descriptor, which has no other owner.
    let epoll = unsafe Descriptor(unsafeOwning: RawDescriptor(Int32(truncatingIfNeeded: opened)))
    let watched = UInt32(UInt16(bitPattern: events)) | Trigger.edge.rawValue
    var event = csk_epoll_event(events: watched, data: 0)
    // The kernel reads one event in each call of epoll_ctl(2), and writes at most one event in each call of
    // epoll_wait(2).
    let added = unsafe csk_epoll_ctl(epoll.raw.value, CSK_EPOLL_CTL_ADD, source.value, &event)
    if added == 0 &- Int(CSK_EBADF) { throw SocketError(IOResult(raw: added), operation) }
    if added < 0 { return try pauseWhileReported(&history) }
    if hasSecond {
      var other = csk_epoll_event(events: UInt32(CSK_POLLOUT) | Trigger.edge.rawValue, data: 0)
      let result = unsafe csk_epoll_ctl(epoll.raw.value, CSK_EPOLL_CTL_ADD, second.value, &other)
      if result < 0 { return try pauseWhileReported(&history) }
    }
    // The epoll instance first reports the current state. After that, it reports only changes of the state.
    var present: Int16 = 0
    for _ in 0..<(hasSecond ? 2 : 1) where unsafe csk_epoll_wait(epoll.raw.value, &event, 1, 0) > 0 {
      present |= Int16(truncatingIfNeeded: event.events)
    }
    let isNew = present & wanted != 0 || present & ~history.reported != 0
    history.reported = present
    if isNew { return }
    // If an error became pending between the last attempt and now, epoll would not report it as new.
    if present & Int16(CSK_POLLERR) != 0, let error = pendingError() { throw error }
    var limit = deadline
    if needsNotices {
      limit = min(limit, Deadline(nanoseconds: csk_monotonic_nanoseconds() &+ 5 * WaitNotices.patience))
    }
    _ = try poll(epoll.raw, Int16(CSK_POLLIN), until: limit)
  }

  /// Checks once, without sleeping, whether the receiving direction has ended.
  func look() throws(SocketError) {
    let reported = try poll(source, events, RawDescriptor(-1), until: .past)
    if reported & Int16(CSK_POLLRDHUP) != 0, try receivingHasEnded() {
      throw SocketError(code: .shutDown, operation)
    }
  }

  private func pendingError() -> SocketError? {
    var number: Int32 = 0
    var length = 0
    let result = source.readOption(CSK_SOL_SOCKET, CSK_SO_ERROR, into: &number, &length)
    return result.isFailure || number == 0 ? nil : SocketError(.failure(errno: number), operation)
  }

  /// Makes a pause, whose length increases from call to call and is at most four milliseconds. If poll(2) reports no
  /// readiness after the pause, this method sleeps.
  private func pauseWhileReported(_ history: inout ParkHistory) throws(SocketError) {
    let step = min(history.immediate &- min(history.immediate, Self.tolerance), 5)
    let length = step < 5 ? Int64(50_000) << step : history.nextPause()
    let moment = Deadline(nanoseconds: csk_monotonic_nanoseconds() &+ length)
    _ = try poll(RawDescriptor(-1), 0, until: min(deadline, moment))
    history.immediate = max(history.immediate, Self.tolerance)
    if history.immediate < .max { history.immediate += 1 }
    history.reported = try poll(source, events, RawDescriptor(-1), until: .past)
    if history.reported != 0 { return }
    history.immediate = 0
    try sleep(&history)
  }

  /// Returns whether this side has shut down the receiving direction of the socket. Call this method only if poll(2)
  /// has reported POLLRDHUP and an attempt would block. A receive on a connected socket returns the end of the stream.
  /// An attempt on a datagram socket or a Unix listener does not report that the direction has ended.
  private func receivingHasEnded() throws(SocketError) -> Bool {
    var byte: UInt8 = 0
    // poll(2) reports the same events in two cases: the direction has ended, or a message has arrived since the
    // attempt. The kernel writes at most one byte.
    let result = unsafe csk_recv(source.value, &byte, 1, CSK_MSG_PEEK | CSK_MSG_DONTWAIT)
    switch Int32(truncatingIfNeeded: result < 0 ? 0 &- result : 0) {
    case CSK_EAGAIN: return true
    case CSK_EINVAL, CSK_ENOTCONN:
      var listens: Int32 = 0
      var length = 0
      let result = source.readOption(CSK_SOL_SOCKET, CSK_SO_ACCEPTCONN, into: &listens, &length)
      return !result.isFailure && listens != 0
    case 0, CSK_EINTR, CSK_EOPNOTSUPP, CSK_ENOMEM, CSK_ENOTSOCK: return false
    // The peek returned a pending error, and the kernel thereby cleared the error.
    default: throw SocketError(IOResult(raw: result), operation)
    }
  }

  /// Calls ppoll(2) on a descriptor and on the bell of the control, if there is a control. ppoll(2) ignores a
  /// descriptor with the number -1. If the descriptor is ``source``, the call also watches ``second``.
  /// - Returns: the events of the descriptors, or 0 if the time has passed or the bell was signalled.
  private func poll(
    _ descriptor: RawDescriptor, _ events: Int16, until limit: Deadline
  ) throws(SocketError) -> Int16 {
    guard let control else { return try poll(descriptor, events, RawDescriptor(-1), until: limit) }
    let bell = try control.enter(operation)
    defer { control.leave(bell) }
    // Read the control only after `bell` has been registered, because a change before the registration does not signal
    // `bell`.
    if control.isCancelled { return 0 }
    return try poll(descriptor, events, bell, until: min(limit, control.deadline))
  }

  private func poll(
    _ descriptor: RawDescriptor, _ events: Int16, _ bell: RawDescriptor, until limit: Deadline
  ) throws(SocketError) -> Int16 {
    var watched: InlineArray<3, csk_pollfd> = [
      csk_pollfd(fd: descriptor.value, events: events, revents: 0),
      csk_pollfd(fd: bell.value, events: Int16(CSK_POLLIN), revents: 0),
      csk_pollfd(fd: second.value, events: Int16(CSK_POLLOUT), revents: 0),
    ]
    let count: UInt = hasSecond && descriptor == source ? 3 : 2
    while true {
      var time = csk_timespec()
      let left = limit.remainingNanoseconds
      time.tv_sec = Int(left / 1_000_000_000)
      time.tv_nsec = Int(left % 1_000_000_000)
      // The kernel accesses `count` of the 3 elements, and the time, only during the call.
      let result = unsafe withUnsafeMutableBytes(of: &watched) { bytes in
        let memory = unsafe bytes.baseAddress?.assumingMemoryBound(to: csk_pollfd.self)
        return IOResult(raw: unsafe left < 0 ? csk_ppoll(memory, count, nil) : csk_ppoll(memory, count, &time))
      }
      if result.isInterrupted { continue }
      if result.isFailure {
        throw SocketError(code: SocketError.Code(errno: result.errno), operation, errno: result.errno)
      }
      return watched[0].revents | watched[2].revents
    }
  }
}

/// Throws `.shutDown` if this side has shut down the receiving direction and there is no message to receive.
@usableFromInline
func look(_ source: RawDescriptor, _ interest: Interest, _ operation: SocketError.Operation) throws(SocketError) {
  try Park(
    source: source, second: RawDescriptor(-1), interest: interest, deadline: .past, control: nil, operation: operation
  ).look()
}

/// Sleeps until the descriptor is ready, the deadline passes, or the control wakes the thread.
@usableFromInline
func park(
  _ source: RawDescriptor, _ interest: Interest, until deadline: Deadline, control: WaitControl?,
  operation: SocketError.Operation, _ history: inout ParkHistory
) throws(SocketError) {
  let park = Park(
    source: source, second: RawDescriptor(-1), interest: interest, deadline: deadline, control: control,
    operation: operation)
  try park.run(&history)
}

/// Sleeps as the function above does, but watches one source for reading and another source for writing.
@usableFromInline
func park(
  reading source: RawDescriptor, writing second: RawDescriptor, _ interest: Interest, until deadline: Deadline,
  control: WaitControl?, operation: SocketError.Operation, _ history: inout ParkHistory
) throws(SocketError) {
  let park = Park(
    source: source, second: second, interest: interest.subtracting(.writable), deadline: deadline, control: control,
    operation: operation)
  try park.run(&history)
}
