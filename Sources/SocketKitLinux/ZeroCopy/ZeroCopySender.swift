internal import CSocketKit
public import SocketKitCore
public import SocketKitIP

/// A sender of buffers that the kernel sends without a copy (MSG_ZEROCOPY; TCP since Linux 4.14, UDP since Linux 5.0).
/// The sender returns each buffer when the kernel no longer uses the buffer.
///
/// ```swift
/// var sender = try ZeroCopySender(for: socket)
/// let id = sender.enqueue(buffer)                   // the sender owns the buffer now
/// switch try sender.flush(to: socket) { … }          // again when the socket is writable
/// _ = try sender.readCompletions(from: socket)       // when a poller reports .error
/// while let done = sender.takeCompletion() { … done.takeBuffer() … }
/// ```
/// A sender belongs to one socket. The program must make all zero-copy sends of this socket with the sender, because
/// the kernel identifies sends by consecutive numbers. The sender identifies its socket by the socket's cookie
/// (SO_COOKIE), which is unique: a later socket with the same descriptor number has a different cookie. Zero-copy sends
/// are faster than plain sends only for buffers of at least about 10 KiB (msg_zerocopy.rst). **On loopback, the kernel
/// always copies the bytes.** It also copies them on any other interface that does not support scatter-gather.
/// ``ZeroCopyCompletion/wasCopied`` is true for a buffer whose bytes the kernel has copied. If this is the case on a
/// network path, use plain sends.
///
/// **Waiting**: the kernel puts completions into the socket's error queue. While the queue contains completions, every
/// poller reports ``/SocketKitCore/Readiness/error`` (EPOLLERR), even if the program did not request it. When a poller
/// reports `.error`, read the completions. This event alone does not mean that the connection has failed: if it has
/// failed, the next operation fails. On TCP, a completion arrives when the peer has acknowledged the bytes.
///
/// **Destroying** a sender with sends in flight is safe, does not wait and does not leak memory. The sender unmaps its
/// buffers (``PinnedBuffer``), and the kernel keeps the pages until it has sent them. The sender does not wait for the
/// completions, because the peer may never acknowledge the bytes.
public struct ZeroCopySender: ~Copyable, Sendable {
  /// A buffer that was passed to the sender.
  struct Entry: ~Copyable {
    var id: UInt64 = 0
    // Nil if the program has taken the buffer back.
    var buffer: PinnedBuffer?
    var count = 0
    var sent = 0
    // The number of sends of this buffer that are not completed.
    var pending = 0
    var wasCopied = false
    var address = AnySocketAddress()

    /// Calls the body with a part of the buffer. The part may also include bytes after the last byte that is to be
    /// sent.
    borrowing func withPart(_ part: Range<Int>, _ body: (Span<UInt8>) -> IOResult) -> IOResult {
      switch buffer {
      case .some(let buffer): buffer.withPages { body($0.extracting(part)) }
      case nil: fatalError("a buffer that the program has taken back cannot be sent")
      }
    }
  }
  /// The maximum number of buffers in the sender. The oldest buffer that the program has not taken back and all buffers
  /// after it count towards this maximum.
  public let capacity: Int
  let socket: RawDescriptor
  let cookie: UInt64
  private static var mostBuffers: Int { 1_048_576 }
  private let isStream: Bool
  var entries: Slots<Entry>
  private var finished: Slots<UInt64>
  var tracker: ZeroCopyTracker
  // Identifiers increase. The program has taken back the buffers with identifiers below `oldest`. The buffers in
  // `oldest ..< nextToSend` have been sent, and the buffers in `nextToSend ..< nextToQueue` are queued.
  private var oldest: UInt64 = 0
  private var nextToSend: UInt64 = 0
  private var nextToQueue: UInt64 = 0
  private var finishedFirst = 0
  private var finishedCount = 0
  /// Buffers with identifiers below this number were queued before the last flush.
  private var seen: UInt64 = 0
  /// True if the kernel may have assigned a number to the last failed send and the completion with this number has not
  /// arrived.
  var isNumberUncertain = false
  var others: [ExtendedError] = []

  /// Creates a sender for a stream socket and sets the option `.zeroCopy`. The socket must not have made a zero-copy
  /// send before.
  /// - Parameters:
  ///   - capacity: the largest number of buffers that the sender can contain, 1 to 1048576.
  ///   - sends: the largest number of sends in flight, 1 to 4194304; nil for four times `capacity`. A stream may need
  ///     several sends for one buffer.
  /// - Throws: `.invalidArgument` for numbers outside these ranges; `.closed`; `.notSupported` if the kernel or the
  ///   socket does not support zero-copy sends (Unix sockets), and for vsock streams. On a vsock stream, one send may
  ///   use several completion numbers, or may send bytes without a copy and without a completion number. sendmsg(2)
  ///   does not report this (net/vmw_vsock/virtio_transport_common.c), so a program cannot determine when it may reuse
  ///   a buffer.
  public init<S: StreamSocket & ~Copyable>(
    for socket: borrowing S, capacity: Int = 64, sends: Int? = nil
  ) throws(SocketError) where S: KernelSocket {
    let cookie = try Self.prepare(socket, capacity, sends)
    self.init(socket.descriptor, cookie, isStream: true, capacity, sends ?? 4 * capacity)
  }

  /// Creates a sender for a datagram socket and sets the option `.zeroCopy`. The socket must not have made a zero-copy
  /// send before. Each buffer is sent as one datagram.
  /// - Throws: the errors of ``init(for:capacity:sends:)``.
  public init<S: DatagramSocket & ~Copyable>(
    for socket: borrowing S, capacity: Int = 64
  ) throws(SocketError) where S: KernelSocket {
    let cookie = try Self.prepare(socket, capacity, nil)
    self.init(socket.descriptor, cookie, isStream: false, capacity, capacity)
  }

  /// Checks that completions of the socket can be tracked, sets the option `.zeroCopy`, and returns the socket's
  /// cookie.
  private static func prepare<S: KernelSocket & ~Copyable>(
    _ socket: borrowing S, _ capacity: Int, _ sends: Int?
  ) throws(SocketError) -> UInt64 {
    guard (1...mostBuffers).contains(capacity), (1...4 * mostBuffers).contains(sends ?? 1) else {
      throw SocketError(code: .invalidArgument, .setOption)
    }
    let family = try socket.descriptor.integerOption(CSK_SOL_SOCKET, CSK_SO_DOMAIN, .setOption)
    guard family == CSK_AF_INET || family == CSK_AF_INET6 else { throw SocketError(code: .notSupported, .setOption) }
    try socket.setOption(.zeroCopy, to: true)
    return try socket.descriptor.socketCookie(.setOption)
  }

  private init(_ socket: RawDescriptor, _ cookie: UInt64, isStream: Bool, _ capacity: Int, _ sends: Int) {
    self.capacity = capacity
    self.socket = socket
    self.cookie = cookie
    self.isStream = isStream
    entries = Slots(count: capacity) { Entry() }
    finished = Slots(count: capacity) { 0 }
    tracker = ZeroCopyTracker(capacity: sends)
  }

  /// Whether the sender contains ``capacity`` buffers. Before the program can add another buffer, it must read
  /// completions and take a buffer back.
  public var isFull: Bool { nextToQueue - oldest == UInt64(capacity) }
  /// The number of buffers that the kernel has not accepted completely.
  public var unsentCount: Int { Int(nextToQueue - nextToSend) }
  /// The number of sends in the range from the oldest incomplete send to the newest send, as in
  /// ``ZeroCopyTracker/inFlight``.
  public var sendsInFlight: Int { tracker.inFlight }
  /// The number of buffers that ``takeCompletion()`` can return.
  public var completedCount: Int { finishedCount }

  /// Adds a buffer to the queue but does not send the buffer. Traps if ``isFull`` is true.
  /// - Parameter address: the address of the receiver, for datagrams on an unconnected socket.
  /// - Returns: the identifier that the completion of the buffer will have.
  public mutating func enqueue(_ buffer: consuming PinnedBuffer, to address: (some SocketAddress)?) -> ZeroCopyID {
    precondition(!isFull, "the sender is full")
    let slot = Int(nextToQueue % UInt64(capacity))
    let id = nextToQueue
    let count = buffer.count
    var entry = Entry(id: id, buffer: buffer, count: count)
    if let address { entry.address = AnySocketAddress(address) }
    entries[slot] = entry
    nextToQueue += 1
    return ZeroCopyID(rawValue: id)
  }

  /// Adds a buffer to the queue of a connected socket but does not send the buffer. Traps if ``isFull`` is true.
  public mutating func enqueue(_ buffer: consuming PinnedBuffer) -> ZeroCopyID {
    enqueue(buffer, to: AnySocketAddress?.none)
  }

  /// Adds a buffer to the queue and sends as many bytes as the kernel accepts, without waiting. The call is equivalent
  /// to ``enqueue(_:)`` followed by ``flush(to:)``. After the call, ``unsentCount`` is not 0 if the queue still
  /// contains buffers.
  /// - Throws: the errors of ``flush(to:)``. The sender then owns the unsent buffer, which ``takeUnsent()`` returns.
  public mutating func send<S: KernelSocket & ~Copyable>(
    _ buffer: consuming PinnedBuffer, to socket: borrowing S
  ) throws(SocketError) -> ZeroCopyID {
    let id = enqueue(buffer)
    _ = try flush(to: socket)
    return id
  }

  /// Sends as many queued bytes as the kernel accepts, without waiting.
  ///
  /// The kernel may have no memory to track a send (ENOBUFS because of net.core.optmem_max or RLIMIT_MEMLOCK). If this
  /// occurs while sends are in flight, the result is `.waitForCompletions`, because the completions of these sends free
  /// memory. If it occurs while no sends are in flight, the sender makes a plain send, and the kernel copies the bytes.
  /// A low limit therefore makes a program slower but does not block it.
  ///
  /// After a failed datagram send, the sender reads the error queue, because the failed send may have used up a
  /// completion number. ``takeCompletion()`` then returns the buffers that were completed, and ``takeOtherError()``
  /// returns the other entries of the error queue.
  ///
  /// - Parameter socket: the socket that this sender was created for. The call compares the cookie of this socket with
  ///   the sender's cookie in two cases: if the queue still contains buffers that were queued before the last flush,
  ///   and if a datagram send has failed.
  /// - Returns: the outcome; nil if the call would block.
  /// - Throws: `.brokenPipe`, `.connectionReset`, `.notConnected`, `.messageTooLarge`, `.unreachable`,
  ///   `.permissionDenied` (a firewall), `.outOfMemory` (the queue of the device is full, and the option
  ///   `.receiveErrors` is set); `.invalidArgument` for another socket. Unsent buffers remain in the queue, and
  ///   ``takeUnsent()`` can remove them.
  public mutating func flush<S: KernelSocket & ~Copyable>(to socket: borrowing S) throws(SocketError) -> FlushOutcome? {
    guard socket.descriptor == self.socket else { throw SocketError(code: .invalidArgument, .send) }
    if nextToSend < seen { try checkIdentity(.send) }
    seen = nextToQueue
    return try socket.naming { () throws(SocketError) in try flush() }
  }

  private mutating func flush() throws(SocketError) -> FlushOutcome? {
    while nextToSend < nextToQueue {
      let slot = Int(nextToSend % UInt64(capacity))
      if isStream && entries[slot].count == 0 {
        advance(slot)
        continue
      }
      if tracker.isFull { return .waitForCompletions }
      // The kernel does not assign a number to an empty send.
      var isCounted = entries[slot].count > 0
      if isNumberUncertain && isCounted {
        let probed = try probeNumber(slot)
        if probed.isWouldBlock { return nil }
        if isNumberUncertain {
          if probed.errno == CSK_ENOBUFS && tracker.inFlight > 0 { return .waitForCompletions }
          isCounted = false
        }
      }
      var result = attempt(slot, isCounted ? .zeroCopy : [])
      if isCounted && result.isFailure && !result.isWouldBlock {
        let inFlight = tracker.inFlight
        let usedNumber = try isStream ? false : settleNumber(slot)
        if result.errno == CSK_ENOBUFS && !usedNumber {
          // Fewer sends are in flight only if `settleNumber(_:)` has read completions. The kernel frees the memory of a
          // completion when it is read, so the sender tries again.
          if tracker.inFlight < inFlight { continue }
          if tracker.inFlight > 0 { return .waitForCompletions }
          isCounted = false
          result = attempt(slot, [])
        }
      }
      if result.isWouldBlock { return nil }
      if result.isFailure { throw SocketError(result, .send) }
      entries[slot].sent += result.raw
      if isCounted {
        entries[slot].pending += 1
        tracker.noteSend(of: entries[slot].id)
      } else if entries[slot].count > 0 {
        entries[slot].wasCopied = true
      }
      if entries[slot].sent == entries[slot].count { advance(slot) }
    }
    return .done
  }

  private func attempt(_ slot: Int, _ flags: SendFlags) -> IOResult {
    attempt(slot, entries[slot].sent..<entries[slot].count, RawSpan(), flags)
  }

  /// Sends a part of a buffer to the receiver of the buffer. The call does not wait, even if the descriptor is
  /// blocking.
  func attempt(_ slot: Int, _ part: Range<Int>, _ ancillary: RawSpan, _ flags: SendFlags) -> IOResult {
    entries[slot].withPart(part) { bytes in
      entries[slot].address.withBytes { address in
        socket.attemptSendMessage(
          bytes, ancillary: ancillary, to: address,
          flags: flags.union(SendFlags(rawValue: CSK_MSG_DONTWAIT)))
      }
    }
  }

  /// Continues with the next buffer of the queue. Finishes the current buffer if none of its sends is pending.
  private mutating func advance(_ slot: Int) {
    nextToSend += 1
    if entries[slot].pending == 0 { finish(slot) }
  }

  private mutating func finish(_ slot: Int) {
    finished[(finishedFirst + finishedCount) % capacity] = entries[slot].id
    finishedCount += 1
  }

  /// Reads completions from the socket's error queue, without waiting. The call discards entries of other origins. A
  /// program that needs these entries must read the error queue with `nextQueuedError(into:)` and pass the entries to
  /// ``note(_:)``.
  /// - Returns: the number of buffers that ``takeCompletion()`` can return.
  /// - Throws: `.closed`; `.invalidArgument` for another socket, even if the sender's socket was closed and the other
  ///   socket now has its descriptor number. The call does not read the error queue of another socket.
  public mutating func readCompletions<S: KernelSocket & ~Copyable>(
    from socket: borrowing S
  ) throws(SocketError) -> Int {
    guard socket.descriptor == self.socket else { throw SocketError(code: .invalidArgument, .receive) }
    try socket.naming { () throws(SocketError) in
      try checkIdentity(.receive)
      try drain(keepingOthers: false)
    }
    return finishedCount
  }

  /// Reads completions. Blocks this thread until a buffer is completed or no send is in flight.
  ///
  /// - Returns: the number of buffers that ``takeCompletion()`` can return; 0 if no send is in flight and no buffer is
  ///   completed.
  /// - Throws: `.timedOut`, `.cancelled`, and the errors of ``readCompletions(from:)``.
  public mutating func waitForCompletions<S: KernelSocket & ~Copyable>(
    from socket: borrowing S, until limit: some WaitLimit
  ) throws(SocketError) -> Int {
    var wait = try WaitOperation(.wait, until: limit)
    var inFlight = tracker.inFlight
    while try readCompletions(from: socket) == 0 && tracker.inFlight > 0 {
      if tracker.inFlight < inFlight { wait.progressed() }
      inFlight = tracker.inFlight
      try wait.block(on: self.socket, for: [])
    }
    return finishedCount
  }

  /// Processes an entry of the error queue. Ignores entries that are not completions.
  public mutating func note(_ error: ExtendedError) {
    for number in tracker.completedSends(error) {
      guard let owner = tracker.takeOwner(of: number) else { continue }
      let slot = Int(owner % UInt64(capacity))
      entries[slot].pending -= 1
      if error.wasZeroCopyCopied { entries[slot].wasCopied = true }
      if entries[slot].pending == 0 && owner < nextToSend { finish(slot) }
    }
    tracker.forgetCompleted()
  }

  /// Removes and returns the next buffer that the kernel no longer uses, in the order of completion; nil if there is
  /// none.
  public mutating func takeCompletion() -> ZeroCopyCompletion? {
    guard finishedCount > 0 else { return nil }
    let id = finished[finishedFirst]
    finishedFirst = (finishedFirst + 1) % capacity
    finishedCount -= 1
    return takeOut(id)
  }

  /// Removes and returns the oldest queued buffer of which the kernel has accepted no bytes; nil if there is none. If
  /// the kernel has accepted a part of a buffer, the call does not return this buffer, and the sender does not send the
  /// remaining bytes. The buffer is completed when the kernel no longer uses the part that was sent.
  public mutating func takeUnsent() -> ZeroCopyCompletion? {
    while nextToSend < nextToQueue {
      let slot = Int(nextToSend % UInt64(capacity))
      if entries[slot].sent > 0 {
        advance(slot)
        continue
      }
      nextToSend += 1
      return takeOut(entries[slot].id)
    }
    return nil
  }

  private mutating func takeOut(_ id: UInt64) -> ZeroCopyCompletion? {
    let slot = Int(id % UInt64(capacity))
    guard let buffer = entries[slot].buffer.take() else { return nil }
    while oldest < nextToQueue, entries[Int(oldest % UInt64(capacity))].buffer == nil { oldest += 1 }
    return ZeroCopyCompletion(
      id: ZeroCopyID(rawValue: id), bytesSent: entries[slot].sent, wasCopied: entries[slot].wasCopied, buffer: buffer)
  }
}
