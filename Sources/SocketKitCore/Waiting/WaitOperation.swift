public import CSocketKit

/// One wait of a call: the limit of the wait, and the state that earlier attempts have detected.
///
/// This type is for implementers of waiting calls. A call that consists of one operation needs only
/// `waiting(for:until:)` of ``Watchable``, which makes a `WaitOperation`. A call that consists of several operations
/// makes its own `WaitOperation`, and so does a call that waits for a change that no descriptor reports. Such a call
/// attempts its operation repeatedly. After every attempt that would block, it calls `block(on:for:)` or
/// ``pause(until:)``.
@frozen
public struct WaitOperation<Limit: WaitLimit> {
  /// The time for which the call may wait, and the way in which the thread waits.
  public let limit: Limit
  /// The operation that errors contain.
  public let operation: SocketError.Operation
  @usableFromInline var progress: Limit.Progress
  @usableFromInline var history = ParkHistory()

  /// Creates the state of one wait and checks the limit's control. Does not check the limit's own deadline.
  /// - Throws: `.cancelled` if the control is cancelled; `.timedOut` if the control's deadline has passed.
  @inlinable @inline(__always)
  public init(_ operation: SocketError.Operation, until limit: Limit) throws(SocketError) {
    self.operation = operation
    self.limit = limit
    progress = limit.begin()
    try limit.checkControl(operation)
  }

  /// Throws if the wait has ended. Call this method before every step except the first.
  /// - Throws: `.timedOut`, `.cancelled`.
  @inlinable
  public func check() throws(SocketError) { try limit.check(operation) }

  /// Clears what earlier attempts stored about the state of the descriptor. An operation of several steps calls this
  /// method after every attempt that transferred data.
  @inlinable @inline(__always)
  public mutating func progressed() { history = ParkHistory() }

  /// Waits, as the limit specifies, until the call on the socket may be able to proceed. Try again after this method
  /// returns; the new attempt may also find that it would block.
  ///
  /// If the socket's ``Watchable/pending`` contains the direction, this method does not wait. Otherwise, it watches the
  /// socket's sources for the events that the socket's ``Watchable/sources(for:)`` returns. For a kernel socket, this
  /// is equivalent to ``block(on:for:)-(RawDescriptor,_)`` on its descriptor.
  /// - Parameters:
  ///   - socket: the socket, the listener or the other value on which the call makes its attempts.
  ///   - interest: the direction of the call, `.readable` or `.writable`.
  /// - Throws: as ``block(on:for:)-(RawDescriptor,_)``.
  @inlinable @inline(__always)
  public mutating func block<Source: Watchable & ~Copyable>(
    on socket: borrowing Source, for interest: Interest
  ) throws(SocketError) {
    if socket.pending.rawValue & interest.rawValue != 0 { return try check() }
    let needed = socket.sources(for: interest)
    if !needed.contains(.writable) {
      try block(on: socket.readSource, for: needed)
    } else if !needed.hasReading || socket.readSource == socket.writeSource {
      try block(on: socket.writeSource, for: needed)
    } else {
      try block(reading: socket.readSource, writing: socket.writeSource, for: needed)
    }
  }

  /// Waits for one descriptor, as the limit specifies. Try again after this method returns; the descriptor may still
  /// not be ready.
  ///
  /// A parked thread uses almost no processor time. This also applies if poll(2) repeatedly reports the descriptor
  /// although the call would block, for example because of an unread error queue. Call ``progressed()`` after an
  /// attempt that transferred data.
  /// - Parameters:
  ///   - source: the descriptor to watch.
  ///   - interest: the events to watch. With an empty interest, the method waits for the error queue.
  /// - Throws: `.timedOut` if the deadline of the limit or of the control has passed; `.cancelled`; `.shutDown` if this
  ///   side has shut down the receiving direction and the kernel does not report the end (datagram sockets and Unix
  ///   listeners); the pending error of the socket; `.tooManyDescriptors` if a control needs a wake-up descriptor and
  ///   no descriptor is free.
  @inlinable
  public mutating func block(on source: RawDescriptor, for interest: Interest) throws(SocketError) {
    try check()
    switch limit.next(&progress) {
    case .spin:
      csk_relax()
      try lookNowAndThen(at: source, interest)
    case .yield:
      csk_yield()
      try lookNowAndThen(at: source, interest)
    case .park:
      try park(
        source, interest, until: limit.deadline, control: limit.control, operation: operation, &history)
    }
  }

  /// Waits as `block(on:for:)` does, but watches one source for reading and another source for writing.
  @inlinable
  mutating func block(
    reading: RawDescriptor, writing: RawDescriptor, for interest: Interest
  ) throws(SocketError) {
    try check()
    switch limit.next(&progress) {
    case .spin:
      csk_relax()
      try lookNowAndThen(at: reading, interest)
    case .yield:
      csk_yield()
      try lookNowAndThen(at: reading, interest)
    case .park:
      try park(
        reading: reading, writing: writing, interest, until: limit.deadline, control: limit.control,
        operation: operation, &history)
    }
  }

  /// Checks at every 1024th step whether the receiving direction was shut down, because an attempt on a datagram socket
  /// does not detect the shutdown.
  @inlinable
  mutating func lookNowAndThen(at source: RawDescriptor, _ interest: Interest) throws(SocketError) {
    history.spins &+= 1
    if history.spins & 0x3ff == 0 { try look(source, interest, operation) }
  }

  /// Waits for a change that the kernel does not report. The limit specifies how long and in which way the thread
  /// waits. Try again after this method returns.
  /// - Parameter moment: the time at which to return. With nil, each of the first 50 pauses lasts one millisecond, and
  ///   each later pause lasts four milliseconds. The method may return earlier.
  /// - Throws: `.timedOut`, `.cancelled`, `.tooManyDescriptors`.
  @inlinable
  public mutating func pause(until moment: Deadline? = nil) throws(SocketError) {
    try check()
    switch limit.next(&progress) {
    case .spin: csk_relax()
    case .yield: csk_yield()
    case .park:
      let moment = moment ?? Deadline(nanoseconds: csk_monotonic_nanoseconds() &+ history.nextPause())
      var none = ParkHistory()
      let end = min(limit.deadline, moment)
      // poll(2) ignores a negative descriptor.
      try park(RawDescriptor(-1), .writable, until: end, control: limit.control, operation: operation, &none)
    }
  }
}
