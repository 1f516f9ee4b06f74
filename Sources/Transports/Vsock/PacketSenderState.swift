internal import CSocketKit
internal import SocketKitCore

/// The state of a ``PacketSender``. Access requires the lock of its ``PacketSenderShare``.
struct PacketSenderState: ~Copyable {
  /// The number of users: the socket and the threads.
  var users = 1
  /// The socket's descriptor, which stays open while packets are queued; -1 after it is closed or released.
  var descriptor: Int32
  var queue = PacketQueue()
  /// The descriptor of the event counter (eventfd(2)) that pollers watch for writability; -1 until it is first
  /// requested, and after the socket is closed.
  var room: Int32 = -1
  /// Whether no descriptor was available for the event counter.
  var hasNoRoomSource = false
  /// The queue space that a caller waits for, in bytes; 0 if no caller waits; .max if a caller waits until the last
  /// packet is sent.
  private(set) var wanted = 0
  /// The longest permitted packet in bytes, as last read from the kernel; 0 before the first read.
  private(set) var longest = 0
  /// The longest packet that was sent, in bytes.
  var longestSent = 0
  /// The error that ended the connection; 0 for none.
  private(set) var failure: Int32 = 0
  /// True if writing has ended, or will end after the last queued packet is sent.
  var isEnding = false
  /// True if the thread must shut down writing after the last packet.
  var mustShutDown = false
  var isAbandoned = false
  var threadRuns = false
  var threadWaits = false
  private var isBlocking = false
  private var hasTimeLimit = false

  init(_ descriptor: Int32) { self.descriptor = descriptor }

  /// Closes the descriptor and returns the result of close(2); 0 if there is nothing to close.
  mutating func closeDescriptor() -> Int {
    let number = descriptor
    descriptor = -1
    return number < 0 ? 0 : csk_close(number)
  }

  /// Reads the length of the longest permitted packet: the size of the socket's own buffer.
  @inline(never)
  mutating func learnLongest() -> IOResult {
    var size: UInt64 = 0
    var length = 0
    let result = RawDescriptor(descriptor).readOption(
      CSK_AF_VSOCK, CSK_SO_VM_SOCKETS_BUFFER_SIZE, into: &size, &length)
    if !result.isFailure { longest = Int(clamping: size) }
    return result
  }

  /// Enlarges the empty queue so that a packet fits.
  @inline(never)
  mutating func makeRoom(_ size: Int) { queue.grow(to: max(size, 65536)) }

  mutating func wantRoom(_ size: Int) {
    if wanted == 0 { setWritable(false) }
    wanted = max(wanted, size)
  }

  func setWritable(_ writable: Bool) {
    guard room >= 0 else { return }
    // A counter at its maximum is not writable (eventfd(2)). Reading it resets it to zero.
    _ = writable ? csk_event_drain(room) : csk_event_fill(room)
  }

  /// Whether the requested queue space is available.
  var hasWantedRoom: Bool {
    wanted > 0 && (queue.isEmpty || wanted != .max && queue.hasRoom(for: wanted))
  }

  mutating func finishWithRoom() {
    if wanted == 0 { return }
    wanted = 0
    setWritable(true)
  }

  /// Makes the socket blocking or non-blocking. The mode is a property of the open socket, not of a call.
  mutating func setBlocking(_ blocking: Bool) {
    if blocking == isBlocking { return }
    isBlocking = blocking
    let flags = csk_fcntl(descriptor, CSK_F_GETFL, 0)
    let nonBlocking = Int(CSK_SOCK_NONBLOCK)
    _ = csk_fcntl(descriptor, CSK_F_SETFL, blocking ? flags & ~nonBlocking : flags | nonBlocking)
    if blocking && !hasTimeLimit {
      hasTimeLimit = true
      // If the process is stopped and continued, the send call is interrupted even in this thread, which blocks all
      // signals. Without a time limit, the kernel would restart the call and append the packet to the part that was
      // already sent. With a time limit, the call fails with EINTR (sock_intr_errno). Only the presence of the limit
      // matters, so the limit is long: 23 days.
      let time = csk_timeval(tv_sec: 2_000_000, tv_usec: 0)
      _ = RawDescriptor(descriptor).writeOption(CSK_SOL_SOCKET, CSK_SO_SNDTIMEO, time)
    }
  }

  /// Ends the connection because a packet of this length was not sent or was sent only in part. No packet may follow
  /// such a packet.
  mutating func end(_ result: IOResult, length: Int) {
    queue.removeAll()
    switch result.errno {
    // The process was stopped and continued (a signal, a debugger), so it is unknown how much of the packet was sent.
    case CSK_EINTR: failure = CSK_ECONNABORTED
    case CSK_EAGAIN: failure = CSK_ETIMEDOUT
    // The packet is longer than the peer's buffer. Older kernels return ENOMEM instead of EMSGSIZE.
    case CSK_ENOMEM where length > longestSent: failure = 90
    case 0: failure = CSK_EPROTO
    default: failure = result.namingTransportReset(on: RawDescriptor(descriptor)).errno
    }
    // After EPIPE, the peer no longer reads but may still send. A connection that was lost with its transport
    // (ENETRESET) is recognized by its peer's address, which a shutdown would remove.
    if failure != CSK_EPIPE && failure != CSK_ENETRESET { _ = csk_shutdown(descriptor, CSK_SHUT_RDWR) }
  }

  /// Whether this kernel reports that the peer has free buffer space.
  var peerHasRoom: Bool {
    var watched = csk_pollfd(fd: descriptor, events: Int16(CSK_POLLOUT), revents: 0)
    var time = csk_timespec()
    // The kernel accesses the two structures only during the call.
    let count = unsafe csk_ppoll(&watched, 1, &time)
    return count == 1 && Int32(watched.revents) & CSK_POLLOUT != 0
  }
}
