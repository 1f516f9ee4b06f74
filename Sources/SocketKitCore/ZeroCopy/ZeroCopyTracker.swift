/// The book of a socket's zero-copy sends: which are in flight, and whose they are.
///
/// The kernel numbers the sends with MSG_ZEROCOPY of each socket from 0, with 32 bits and then from 0 again, and
/// completes them in ranges, several in one, perhaps out of order (msg_zerocopy.rst). ``ZeroCopySender`` keeps such a
/// book; take it alone for sends with ``SendFlags/zeroCopy`` from memory that you look after yourself.
///
/// **A datagram send that fails may use up a number**: the kernel takes the number back when it cannot build the
/// packet, and keeps it when the packet is built and then refused, by a firewall (EPERM) or a full queue (ENOBUFS with
/// `.receiveErrors`), for example. The completion of such a send is in the error queue when the send returns. So after
/// a failed send read the error queue until it is empty and pass every entry to ``complete(_:_:)``, before the next
/// send: a completion of a number that was never noted advances the count. A failed send on a TCP socket uses up no
/// number.
///
/// One send on a vsock stream may use several numbers, which the kernel does not report: vsock cannot be tracked.
public struct ZeroCopyTracker: ~Copyable, @unchecked Sendable {
  private static var free: UInt64 { .max }
  private let owners: UnsafeMutablePointer<UInt64>
  /// The slots of ``owners``: more than ``capacity``, because failed sends use up numbers beyond the last noted one.
  private let slots: Int
  /// How many sends can be in flight, counted from the oldest.
  public let capacity: Int
  private var oldest: UInt64
  private var next: UInt64

  /// An empty book; memory is set aside once.
  /// - Parameters:
  ///   - capacity: at least 1.
  ///   - nextNumber: the number that the kernel gives to the next send: 0 on a socket that has made none.
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

  /// Whether another send can be noted. Ask before sending: a send that is not noted cannot be told from the next one.
  public var isFull: Bool { next - oldest >= UInt64(capacity) }
  /// The number that the kernel gives to the next send, as far as the completions read so far show.
  public var nextNumber: UInt32 { UInt32(truncatingIfNeeded: next) }
  /// Sends from the oldest that is not completed to the newest.
  public var inFlight: Int { Int(next - oldest) }

  /// Notes a successful send of at least one byte with the flag. Traps when full.
  /// - Parameter owner: whose it is, any number but the largest; reported on completion.
  public mutating func noteSend(of owner: UInt64) {
    precondition(!isFull && owner != Self.free)
    owners[slot(next)] = owner
    next += 1
  }

  /// Reads a completion: calls the body for each send that it completes, with its owner and whether the kernel copied
  /// the bytes after all. Errors of other origins, and numbers that were completed before, are ignored. A number that
  /// was not noted yet belongs to a send that failed: it is counted, and completes nothing.
  public mutating func complete(_ error: ExtendedError, _ body: (_ owner: UInt64, _ wasCopied: Bool) -> Void) {
    guard error.origin == .zeroCopy, error.errno == 0, error.data &- error.info < 1 << 31 else { return }
    countFailedSends(upTo: error.data)
    // 32 bits to 64: back from the next number by less than 2^32.
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
    // Their slots are free already.
    next += ahead + 1
  }

  private func slot(_ number: UInt64) -> Int { Int(number % UInt64(slots)) }
}
