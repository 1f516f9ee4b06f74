internal import CSocketKit

/// Sends from the program's own memory, which the kernel reads in place (MSG_ZEROCOPY; TCP Linux 4.14, UDP 5.0), and
/// gives each buffer back when the kernel has done with it.
///
/// ```swift
/// var sender = try ZeroCopySender(for: socket)
/// let id = sender.enqueue(buffer)                   // the buffer is the sender's now
/// switch try sender.flush(to: socket) { … }          // again when the socket is writable
/// _ = try sender.readCompletions(from: socket)       // when a poller reports .error
/// while let done = sender.takeCompletion() { … done.takeBuffer() … }
/// ```
/// One sender belongs to one socket, and all zero-copy sends of that socket must go through it, because the kernel
/// tells them apart by counting. The sender identifies its socket by the kernel's cookie (SO_COOKIE), which is unique:
/// a later socket with the same descriptor number has another one. It pays from about 10 KiB a buffer
/// (msg_zerocopy.rst). **On loopback the kernel always copies**, as it does where the interface cannot gather:
/// ``ZeroCopyCompletion/wasCopied`` says so. A program that sees this on a real path should send plainly.
///
/// **Waiting**: completions lie in the socket's error queue, which every poller reports as ``Readiness/error`` without
/// being asked (EPOLLERR), until they are read; so read them on `.error`, and treat it as an error of the connection
/// only when the next operation says so. On TCP they come when the peer has acknowledged the bytes.
///
/// **Dropping** a sender with sends in flight is safe, and neither waits nor leaks: it unmaps its buffers
/// (``PinnedBuffer``), and the kernel keeps the pages that it still sends until they are sent. Waiting could take for
/// ever, because a peer may never acknowledge.
public struct ZeroCopySender: ~Copyable, @unchecked Sendable {
  /// A buffer that was handed over.
  struct Entry {
    var id: UInt64 = 0
    var memory: UnsafeMutableRawPointer?
    var capacity = 0
    var count = 0
    var sent = 0
    // Sends that are not completed.
    var pending = 0
    var wasCopied = false
    var address = AnySocketAddress()
  }
  /// How many buffers it holds at most, counted from the oldest that is not taken back.
  public let capacity: Int
  let socket: RawDescriptor
  let cookie: UInt64
  private static var mostBuffers: Int { 1_048_576 }
  private let isStream: Bool
  let entries: UnsafeMutablePointer<Entry>
  private let finished: UnsafeMutablePointer<UInt64>
  var tracker: ZeroCopyTracker
  // Identities count up: taken back … oldest ..< nextToSend ..< nextToQueue.
  private var oldest: UInt64 = 0
  private var nextToSend: UInt64 = 0
  private var nextToQueue: UInt64 = 0
  private var finishedFirst = 0
  private var finishedCount = 0
  /// Buffers below this were queued before the last flush.
  private var seen: UInt64 = 0
  /// Whether the last failed send may have used up a number that has not been completed.
  var isNumberUncertain = false
  var others: [ExtendedError] = []

  /// A sender for a stream socket that has made no zero-copy send yet; sets the option `.zeroCopy`.
  /// - Parameters:
  ///   - capacity: how many buffers it holds at most, 1 to 1048576.
  ///   - sends: how many sends can be in flight, 1 to 4194304; a stream may need several for one buffer. nil for four a
  ///     buffer.
  /// - Throws: `.invalidArgument` for numbers out of these ranges; `.notSupported` where the kernel or the socket has
  ///   no zero-copy sends (Unix sockets), and for vsock streams: there one send may use several completion numbers, or
  ///   send bytes in place without any, and sendmsg(2) does not report it (net/vmw_vsock/virtio_transport_common.c), so
  ///   a program cannot know when it may use a buffer again. `.closed`.
  public init<S: StreamSocket & ~Copyable>(
    for socket: borrowing S, capacity: Int = 64, sends: Int? = nil
  ) throws(SocketError) where S: KernelSocket {
    let cookie = try Self.prepare(socket, capacity, sends)
    self.init(socket.descriptor, cookie, isStream: true, capacity, sends ?? 4 * capacity)
  }

  /// A sender for a datagram socket that has made no zero-copy send yet; sets the option `.zeroCopy`. Each buffer is
  /// one datagram.
  /// - Throws: as ``init(for:capacity:sends:)``.
  public init<S: DatagramSocket & ~Copyable>(
    for socket: borrowing S, capacity: Int = 64
  ) throws(SocketError) where S: KernelSocket {
    let cookie = try Self.prepare(socket, capacity, nil)
    self.init(socket.descriptor, cookie, isStream: false, capacity, capacity)
  }

  /// Sets the option on a socket whose completions can be followed, and gives its cookie.
  private static func prepare<S: KernelSocket & ~Copyable>(
    _ socket: borrowing S, _ capacity: Int, _ sends: Int?
  ) throws(SocketError) -> UInt64 {
    guard (1...mostBuffers).contains(capacity), (1...4 * mostBuffers).contains(sends ?? 1) else {
      throw SocketError(code: .invalidArgument, .setOption)
    }
    let family = try socket.descriptor.socketDomain(.setOption)
    guard family == CSK_AF_INET || family == CSK_AF_INET6 else { throw SocketError(code: .notSupported, .setOption) }
    try socket.setOption(.zeroCopy, to: true)
    return try socket.descriptor.socketCookie(.setOption)
  }

  private init(_ socket: RawDescriptor, _ cookie: UInt64, isStream: Bool, _ capacity: Int, _ sends: Int) {
    self.capacity = capacity
    self.socket = socket
    self.cookie = cookie
    self.isStream = isStream
    entries = .allocate(capacity: capacity)
    entries.initialize(repeating: Entry(), count: capacity)
    finished = .allocate(capacity: capacity)
    finished.initialize(repeating: 0, count: capacity)
    tracker = ZeroCopyTracker(capacity: sends)
  }

  deinit {
    for slot in 0..<capacity {
      if let memory = entries[slot].memory { _ = PinnedBuffer(memory, capacity: entries[slot].capacity, count: 0) }
    }
    entries.deallocate()
    finished.deallocate()
  }

  /// Whether no further buffer fits: read completions and take them first.
  public var isFull: Bool { nextToQueue - oldest == UInt64(capacity) }
  /// Buffers of which some bytes have not been handed to the kernel.
  public var unsentCount: Int { Int(nextToQueue - nextToSend) }
  /// Sends that the kernel has not completed.
  public var sendsInFlight: Int { tracker.inFlight }
  /// Buffers that ``takeCompletion()`` has to give.
  public var completedCount: Int { finishedCount }

  /// Hands a buffer over to be sent, after those before it; nothing is sent yet. Traps when ``isFull``.
  /// - Parameter address: the receiver, for datagrams on an unconnected socket.
  /// - Returns: what the completion will be known by.
  public mutating func enqueue(_ buffer: consuming PinnedBuffer, to address: (some SocketAddress)?) -> ZeroCopyID {
    precondition(!isFull, "ask isFull before")
    let slot = Int(nextToQueue % UInt64(capacity))
    var entry = Entry(id: nextToQueue, capacity: buffer.capacity, count: buffer.count)
    if let address { entry.address = AnySocketAddress(address) }
    entry.memory = buffer.release()
    entries[slot] = entry
    nextToQueue += 1
    return ZeroCopyID(rawValue: entry.id)
  }

  /// Hands a buffer over to be sent on a connected socket.
  public mutating func enqueue(_ buffer: consuming PinnedBuffer) -> ZeroCopyID {
    enqueue(buffer, to: AnySocketAddress?.none)
  }

  /// Hands a buffer over and sends as much as the kernel takes now, without waiting: ``enqueue(_:)``, then
  /// ``flush(to:)``. ``unsentCount`` tells whether something is left to flush.
  /// - Throws: as ``flush(to:)``. The buffer is the sender's then, unsent: ``takeUnsent()``.
  public mutating func send<S: KernelSocket & ~Copyable>(
    _ buffer: consuming PinnedBuffer, to socket: borrowing S
  ) throws(SocketError) -> ZeroCopyID {
    let id = enqueue(buffer)
    _ = try flush(to: socket)
    return id
  }

  /// Sends what is queued, as much as the kernel takes now, without waiting.
  ///
  /// Where the kernel has no memory for its notes (ENOBUFS: net.core.optmem_max, or RLIMIT_MEMLOCK) and sends are in
  /// flight, their completions free it: `.waitForCompletions`. With none in flight the bytes are sent plainly, that is
  /// copied, so that a low limit makes a program slow and never stuck.
  ///
  /// A datagram send that fails may have used up a completion number, so after one the sender reads the error queue:
  /// ``takeCompletion()`` may then have buffers, and ``takeOtherError()`` the other entries of the queue.
  ///
  /// - Parameter socket: the one this sender was made for. Its cookie is compared with the sender's when buffers are
  ///   left from an earlier flush, and after a failed send.
  /// - Throws: `.brokenPipe`, `.connectionReset`, `.notConnected`, `.messageTooLarge`, `.unreachable`,
  ///   `.permissionDenied` (a firewall), `.outOfMemory` (a full queue of the device, with `.receiveErrors`);
  ///   `.invalidArgument` for another socket. What was not sent stays queued: ``takeUnsent()``.
  public mutating func flush<S: KernelSocket & ~Copyable>(to socket: borrowing S) throws(SocketError) -> FlushOutcome? {
    guard socket.descriptor == self.socket else { throw SocketError(code: .invalidArgument, .send) }
    if nextToSend < seen { try checkIdentity(.send) }
    seen = nextToQueue
    return try flush()
  }

  private mutating func flush() throws(SocketError) -> FlushOutcome? {
    while nextToSend < nextToQueue {
      let slot = Int(nextToSend % UInt64(capacity))
      if isStream && entries[slot].count == 0 {
        advance(slot)
        continue
      }
      if tracker.isFull { return .waitForCompletions }
      // The kernel counts no send of nothing.
      var isCounted = entries[slot].count > 0
      if isNumberUncertain && isCounted {
        let probed = try probeNumber(slot)
        if probed.isWouldBlock { return nil }
        if isNumberUncertain {
          if probed.errno == CSK_ENOBUFS && tracker.inFlight > 0 { return .waitForCompletions }
          isCounted = false
        }
      }
      var result = attempt(entries + slot, isCounted ? CSK_MSG_ZEROCOPY : 0)
      if isCounted && result.isFailure && !result.isWouldBlock {
        let inFlight = tracker.inFlight
        let usedNumber = try isStream ? false : settleNumber(slot)
        if result.errno == CSK_ENOBUFS && !usedNumber {
          // The completions that were just read have freed memory.
          if tracker.inFlight < inFlight { continue }
          if tracker.inFlight > 0 { return .waitForCompletions }
          isCounted = false
          result = attempt(entries + slot, 0)
        }
      }
      if result.isWouldBlock { return nil }
      if result.isFailure { throw SocketError(result, .send) }
      // Not `entries[slot].sent +=`, of which the compiler makes invalid code under ThreadSanitizer (Swift 6.3.1).
      let entry = entries + slot
      entry.pointee.sent += result.raw
      if isCounted {
        entry.pointee.pending += 1
        tracker.noteSend(of: entry.pointee.id)
      } else if entry.pointee.count > 0 {
        entry.pointee.wasCopied = true
      }
      if entry.pointee.sent == entry.pointee.count { advance(slot) }
    }
    return .done
  }

  private func attempt(_ entry: UnsafeMutablePointer<Entry>, _ flags: Int32) -> IOResult {
    let start = entry.pointee.memory.map { $0 + entry.pointee.sent }
    let rest = csk_iovec(base: start, length: entry.pointee.count - entry.pointee.sent)
    return attempt(rest, RawSpan(), entry, flags)
  }

  func attempt(
    _ bytes: csk_iovec, _ control: RawSpan, _ entry: UnsafeMutablePointer<Entry>, _ flags: Int32
  ) -> IOResult {
    let options = flags | CSK_MSG_NOSIGNAL | CSK_MSG_DONTWAIT
    var vector = bytes
    return control.withUnsafeBytes { extra in
      entry.pointee.address.withBytes { address in
        address.withUnsafeBytes { name in
          withUnsafeMutablePointer(to: &vector) { vectors in
            var message = csk_msghdr()
            message.name = UnsafeMutableRawPointer(mutating: name.baseAddress)
            message.name_length = Int32(truncatingIfNeeded: name.count)
            message.vectors = vectors
            message.vector_count = 1
            message.control = UnsafeMutableRawPointer(mutating: extra.baseAddress)
            message.control_length = extra.count
            var result = csk_sendmsg(socket.value, &message, options)
            while result == 0 &- Int(CSK_EINTR) { result = csk_sendmsg(socket.value, &message, options) }
            return IOResult(raw: result)
          }
        }
      }
    }
  }

  /// The buffer has been handed to the kernel as a whole.
  private mutating func advance(_ slot: Int) {
    nextToSend += 1
    if entries[slot].pending == 0 { finish(slot) }
  }

  private mutating func finish(_ slot: Int) {
    finished[(finishedFirst + finishedCount) % capacity] = entries[slot].id
    finishedCount += 1
  }

  /// Reads the socket's error queue, without waiting: which sends are completed. Entries of other origins are dropped;
  /// a program that wants them reads the queue itself (``DescriptorSocket/nextQueuedError()``) and gives it to
  /// ``note(_:)``.
  /// - Returns: how many buffers ``takeCompletion()`` has to give.
  /// - Throws: `.closed`; `.invalidArgument` for another socket, also for one that has this socket's descriptor number
  ///   now: its queue is not read.
  public mutating func readCompletions<S: KernelSocket & ~Copyable>(
    from socket: borrowing S
  ) throws(SocketError) -> Int {
    guard socket.descriptor == self.socket else { throw SocketError(code: .invalidArgument, .receive) }
    try checkIdentity(.receive)
    try drain(keepingOthers: false)
    return finishedCount
  }

  /// Reads completions, waiting on this thread until a buffer is completed or no send is in flight.
  ///
  /// - Returns: how many buffers ``takeCompletion()`` has to give; 0 when nothing is in flight.
  /// - Throws: `.timedOut`, `.cancelled`, and as ``readCompletions(from:)``.
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

  /// Takes note of an entry of the error queue; those of other origins are ignored.
  public mutating func note(_ error: ExtendedError) {
    let entries = entries
    let capacity = capacity
    let sendLimit = nextToSend
    let finished = finished
    let first = finishedFirst
    var count = finishedCount
    tracker.complete(error) { owner, wasCopied in
      let slot = Int(owner % UInt64(capacity))
      entries[slot].pending -= 1
      if wasCopied { entries[slot].wasCopied = true }
      if entries[slot].pending == 0 && owner < sendLimit {
        finished[(first + count) % capacity] = owner
        count += 1
      }
    }
    finishedCount = count
  }

  /// The next buffer that the kernel has done with, in the order of their completion; nil when there is none.
  public mutating func takeCompletion() -> ZeroCopyCompletion? {
    guard finishedCount > 0 else { return nil }
    let id = finished[finishedFirst]
    finishedFirst = (finishedFirst + 1) % capacity
    finishedCount -= 1
    return takeOut(id)
  }

  /// The oldest buffer of which nothing has been handed to the kernel, to give sending up; nil when there is none. One
  /// of which a part is on its way stays, and is never sent on after this: it completes with its part.
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
    guard let memory = entries[slot].memory else { return nil }
    let buffer = PinnedBuffer(memory, capacity: entries[slot].capacity, count: entries[slot].count)
    entries[slot].memory = nil
    while oldest < nextToQueue, entries[Int(oldest % UInt64(capacity))].memory == nil { oldest += 1 }
    return ZeroCopyCompletion(
      id: ZeroCopyID(rawValue: id), bytesSent: entries[slot].sent, wasCopied: entries[slot].wasCopied, buffer: buffer)
  }
}
