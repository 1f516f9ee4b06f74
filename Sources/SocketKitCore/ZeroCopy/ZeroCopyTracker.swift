/// A record of a socket's zero-copy sends: which sends are in flight, and their owners.
///
/// The kernel numbers the sends with MSG_ZEROCOPY of each socket from 0, with a counter of 32 bits that wraps around.
/// It completes sends in ranges, several at once, perhaps out of order (msg_zerocopy.rst). ``ZeroCopySender`` has a
/// tracker of its own. Use a tracker alone for sends with ``SendFlags/zeroCopy`` from memory that the program manages
/// itself.
///
/// **A datagram send that fails may use up a number**: the kernel releases the number when it cannot build the packet,
/// and keeps it when it refuses the packet after building it, for example because of a firewall (EPERM) or a full queue
/// (ENOBUFS with `.receiveErrors`). The completion of such a send is in the error queue when the send returns. So after
/// a failed send, and before the next send, read the error queue until it is empty and pass every entry to
/// ``complete(_:_:)``: a completion of a number that was never noted advances the count. A failed send on a TCP socket
/// uses up no number.
///
/// One send on a vsock stream may use several numbers, which the kernel does not report, so vsock sends cannot be
/// tracked.
public struct ZeroCopyTracker: ~Copyable, @unchecked Sendable {
  private static var free: UInt64 { .max }
  private let owners: UnsafeMutablePointer<UInt64>
  /// The number of slots of ``owners``: more than ``capacity``, because failed sends use up numbers beyond the last
  /// noted one.
  private let slots: Int
  /// The largest number of sends in flight, counted from the oldest.
  public let capacity: Int
  private var oldest: UInt64
  private var next: UInt64

  /// Creates an empty tracker, with memory that is allocated once.
  /// - Parameters:
  ///   - capacity: at least 1.
  ///   - nextNumber: the number that the kernel gives to the next send; 0 on a socket that has made no zero-copy send.
  public init(capacity: Int, nextNumber: UInt32 = 0) {
    precondition(capacity > 0)
    self.capacity = capacity
    slots = capacity + 4
    owners = .allocate(capacity: slots)
    owners.initialize(repeating: Self.free, count: slots)
    // Far enough from zero that no number in flight is negative.
    oldest = 1 << 32 | UInt64(nextNumber)
    next = oldest
  }

  deinit { owners.deallocate() }

  /// Whether no further send can be noted. Check this before a send: a send that is not noted cannot be distinguished
  /// from the next one.
  public var isFull: Bool { next - oldest >= UInt64(capacity) }
  /// The number that the kernel gives to the next send, as far as the completions read so far show.
  public var nextNumber: UInt32 { UInt32(truncatingIfNeeded: next) }
  /// The number of sends from the oldest that is not completed to the newest.
  public var inFlight: Int { Int(next - oldest) }

  /// Notes a successful send of at least one byte with MSG_ZEROCOPY. Traps when ``isFull``.
  /// - Parameter owner: the owner of the send, any number but the largest; ``complete(_:_:)`` reports it.
  public mutating func noteSend(of owner: UInt64) {
    precondition(!isFull && owner != Self.free)
    owners[slot(next)] = owner
    next += 1
  }

  /// Processes a completion: calls the body for each send that it completes, with its owner and whether the kernel
  /// copied the bytes. Ignores errors of other origins, and numbers that were completed before. A number that was not
  /// noted yet belongs to a failed send: it is counted, and completes nothing.
  public mutating func complete(_ error: ExtendedError, _ body: (_ owner: UInt64, _ wasCopied: Bool) -> Void) {
    guard error.origin == .zeroCopy, error.errno == 0, error.data &- error.info < 1 << 31 else { return }
    countFailedSends(upTo: error.data)
    // Extends the number from 32 bits to 64: it is less than 2^32 before the next number.
    let distance = UInt64(UInt32(truncatingIfNeeded: next) &- error.info)
    let count = UInt64(error.data &- error.info) + 1
    guard distance > 0, distance <= next - oldest, count <= distance else { return }
    let first = next - distance
    for number in first..<first + count {
      let owner = owners[slot(number)]
      if owner == Self.free { continue }
      owners[slot(number)] = Self.free
      body(owner, error.code & 1 != 0)
    }
    while oldest < next, owners[slot(oldest)] == Self.free { oldest += 1 }
  }

  /// Advances the count past a completed number that was not noted.
  private mutating func countFailedSends(upTo last: UInt32) {
    let ahead = UInt64(last &- UInt32(truncatingIfNeeded: next))
    // A distance in the upper half of the range means that the number is behind, and was noted.
    guard ahead < 1 << 31 else { return }
    if oldest == next {
      next += ahead + 1
      oldest = next
      return
    }
    guard next - oldest + ahead < UInt64(slots) else { return }
    // The slots of these numbers are free already.
    next += ahead + 1
  }

  private func slot(_ number: UInt64) -> Int { Int(number % UInt64(slots)) }
}
