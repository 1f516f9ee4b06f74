internal import CSocketKit
internal import SocketKitCore

/// What a ``PacketSender`` is doing. Only with the lock of its ``PacketSenderShare``.
struct PacketSenderState {
  /// The socket, and the threads.
  var users = 1
  /// The socket, which packets that wait may outlive; -1 when it is closed or given away.
  var descriptor: Int32
  var queue = PacketQueue()
  /// The event counter that pollers watch for writing; -1 until somebody asks.
  var room: Int32 = -1
  /// Whether there was no descriptor to spare for that.
  var hasNoRoomSource = false
  /// What a sender found no room for, in bytes of the queue; 0 when nobody waits, .max for the last packet's end.
  private(set) var wanted = 0
  /// The longest packet, as far as is known.
  private(set) var longest = 0
  /// The longest that was sent.
  var longestSent = 0
  /// What ended the connection.
  private(set) var failure: Int32 = 0
  /// Whether writing has ended or is to end behind the last packet, and whether the thread must do that.
  var isEnding = false
  var mustShutDown = false
  var isAbandoned = false
  var threadRuns = false
  var threadWaits = false
  private var isBlocking = false
  private var hasTimeLimit = false

  init(_ descriptor: Int32) { self.descriptor = descriptor }

  /// What close(2) says; 0 when there is nothing to close.
  mutating func closeDescriptor() -> Int {
    let number = descriptor
    descriptor = -1
    return number < 0 ? 0 : csk_close(number)
  }

  /// Asks how long a packet may be: no longer than the socket's own buffer.
  @inline(never)
  mutating func learnLongest() -> IOResult {
    var size: UInt64 = 0
    var length: UInt32 = 8
    let result = csk_getsockopt(descriptor, CSK_AF_VSOCK, CSK_SO_VM_SOCKETS_BUFFER_SIZE, &size, &length)
    if result >= 0 { longest = Int(clamping: size) }
    return IOResult(raw: result)
  }

  /// Makes the empty queue long enough.
  @inline(never)
  mutating func makeRoom(_ size: Int) { queue.grow(to: max(size, 65536)) }

  mutating func wantRoom(_ size: Int) {
    if wanted == 0 { setWritable(false) }
    wanted = max(wanted, size)
  }

  func setWritable(_ writable: Bool) {
    guard room >= 0 else { return }
    // A counter at its largest value is not writable (eventfd(2)); reading sets it to zero.
    _ = writable ? csk_event_drain(room) : csk_event_fill(room)
  }

  /// Whether what was wanted is there.
  var hasWantedRoom: Bool {
    wanted > 0 && (queue.isEmpty || wanted != .max && queue.hasRoom(for: wanted))
  }

  mutating func finishWithRoom() {
    if wanted == 0 { return }
    wanted = 0
    setWritable(true)
  }

  /// Blocking is a matter of the open socket, not of a call.
  mutating func setBlocking(_ blocking: Bool) {
    if blocking == isBlocking { return }
    isBlocking = blocking
    let flags = csk_fcntl(descriptor, 3, 0)
    let nonBlocking = Int(CSK_SOCK_NONBLOCK)
    _ = csk_fcntl(descriptor, 4, blocking ? flags & ~nonBlocking : flags | nonBlocking)
    if blocking && !hasTimeLimit {
      hasTimeLimit = true
      // A stop and a continue interrupt the send even here, and without a limit it would begin anew, behind what it had
      // sent; with one it ends with EINTR (sock_intr_errno). 23 days, because the limit itself is of no use.
      var time = csk_timeval(tv_sec: 2_000_000, tv_usec: 0)
      _ = csk_setsockopt(
        descriptor, CSK_SOL_SOCKET, CSK_SO_SNDTIMEO, &time, UInt32(MemoryLayout<csk_timeval>.size))
    }
  }

  /// A packet of that length could not be sent, or in part: nothing may follow it.
  mutating func end(_ result: IOResult, length: Int) {
    queue.removeAll()
    switch result.errno {
    // Stopped and continued (a signal, a debugger): what of the packet was sent is not known.
    case CSK_EINTR: failure = CSK_ECONNABORTED
    case CSK_EAGAIN: failure = CSK_ETIMEDOUT
    // Longer than the peer's buffer: EMSGSIZE, out of which older kernels make ENOMEM.
    case CSK_ENOMEM where length > longestSent: failure = 90
    case 0: failure = CSK_EPROTO
    default: failure = result.namingTransportReset(on: RawDescriptor(descriptor)).errno
    }
    // A peer that only reads no more may still have something to say; and a connection that went with its transport is
    // known by its peer's address, which it would lose.
    if failure != CSK_EPIPE && failure != CSK_ENETRESET { _ = csk_shutdown(descriptor, CSK_SHUT_RDWR) }
  }

  /// Whether the peer has room for anything, as far as this kernel knows.
  var peerHasRoom: Bool {
    var watched = csk_pollfd(fd: descriptor, events: Int16(CSK_POLLOUT), revents: 0)
    var time = csk_timespec()
    return csk_ppoll(&watched, 1, &time) == 1 && Int32(watched.revents) & CSK_POLLOUT != 0
  }
}
