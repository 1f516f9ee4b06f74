internal import SocketKitCore
public import SocketKitIP

/// A record of a socket's zero-copy sends. It contains the sends that are in flight and the owner of each send.
///
/// The kernel assigns numbers to the MSG_ZEROCOPY sends of each socket with a counter of 32 bits, which starts at 0 and
/// wraps around. One completion can complete a range of several sends, and completions may arrive out of order
/// (msg_zerocopy.rst). ``ZeroCopySender`` contains a tracker. Use a separate tracker if the program makes sends with
/// ``/SocketKitCore/SendFlags/zeroCopy`` from memory that the program manages itself.
///
/// **A datagram send that fails uses up a number in some cases.** If the kernel cannot build the packet, it assigns the
/// number to the next send. If the kernel refuses a packet that it has built, for example because of a firewall (EPERM)
/// or a full queue (ENOBUFS with `.receiveErrors`), the number is used up. When such a send returns, its completion is
/// in the error queue. Therefore, after a failed send and before the next send, read the error queue until it is empty,
/// and pass every entry to ``complete(_:_:)``. If the program did not note the completed number, ``complete(_:_:)``
/// advances ``nextNumber`` past this number. A failed send on a TCP socket uses up no number.
///
/// Sends on vsock streams cannot be tracked, because one send may use several numbers, and the kernel does not report
/// how many.
public struct ZeroCopyTracker: ~Copyable, Sendable {
  private static var free: UInt64 { .max }
  private var owners: Slots<UInt64>
  /// The number of slots of ``owners``. It is greater than ``capacity``, because failed sends can use up numbers that
  /// follow the number of the last noted send.
  private let slots: Int
  /// The maximum number of sends in the range from the oldest incomplete send to the newest send. Complete sends in
  /// this range count, too.
  public let capacity: Int
  private var oldest: UInt64
  private var next: UInt64

  /// Creates an empty tracker. Only this call allocates memory.
  /// - Parameters:
  ///   - capacity: the largest number of sends in flight, at least 1.
  ///   - nextNumber: the number that the kernel will assign to the next send; 0 for a socket that has made no zero-copy
  ///     send.
  public init(capacity: Int, nextNumber: UInt32 = 0) {
    precondition(capacity > 0)
    self.capacity = capacity
    slots = capacity + 4
    owners = Slots(count: slots) { Self.free }
    // The start value is so large that no subtraction in this type has a negative result.
    oldest = 1 << 32 | UInt64(nextNumber)
    next = oldest
  }

  /// Whether the tracker is full, so that it cannot note another send. Check this property before each send: if a
  /// successful send is not noted, the tracker assigns the number of this send to the next send.
  public var isFull: Bool { next - oldest >= UInt64(capacity) }
  /// The number that the kernel will assign to the next send. The tracker infers it from the sends that were noted and
  /// from the completions that were processed.
  public var nextNumber: UInt32 { UInt32(truncatingIfNeeded: next) }
  /// The number of sends in the range from the oldest incomplete send to the newest send. It includes
  /// the completed sends in this range.
  public var inFlight: Int { Int(next - oldest) }

  /// Notes a successful send of at least one byte with MSG_ZEROCOPY. Traps if ``isFull`` is true.
  /// - Parameter owner: the owner of the send, any number except `UInt64.max`. ``complete(_:_:)`` passes this number to
  ///   its body.
  public mutating func noteSend(of owner: UInt64) {
    precondition(!isFull && owner != Self.free)
    owners[slot(next)] = owner
    next += 1
  }

  /// Processes a completion. Calls the body for each completed send. The arguments are the owner of the send and
  /// whether the kernel copied the bytes. Ignores errors of other origins, and numbers that were completed before. A
  /// number that was not noted belongs to a failed send. The call advances ``nextNumber`` past this number and does not
  /// call the body for it.
  public mutating func complete(_ error: ExtendedError, _ body: (_ owner: UInt64, _ wasCopied: Bool) -> Void) {
    for number in completedSends(error) {
      if let owner = takeOwner(of: number) { body(owner, error.wasZeroCopyCopied) }
    }
    forgetCompleted()
  }

  /// Returns the numbers that an entry of the error queue completes, extended to 64 bits. The caller must then call
  /// ``takeOwner(of:)`` for each number, and ``forgetCompleted()`` after the last one.
  mutating func completedSends(_ error: ExtendedError) -> Range<UInt64> {
    guard error.origin == .zeroCopy, error.errno == 0, error.data &- error.info < 1 << 31 else { return 0..<0 }
    countFailedSends(upTo: error.data)
    // Extends the number from 32 bits to 64 bits. It is at most 2^32 - 1 less than `next`.
    let distance = UInt64(UInt32(truncatingIfNeeded: next) &- error.info)
    let count = UInt64(error.data &- error.info) + 1
    guard distance > 0, distance <= next - oldest, count <= distance else { return 0..<0 }
    let first = next - distance
    return first..<first + count
  }

  /// Returns the owner of a completed send; nil if the send was completed before, or if it failed.
  mutating func takeOwner(of number: UInt64) -> UInt64? {
    let owner = owners[slot(number)]
    if owner == Self.free { return nil }
    owners[slot(number)] = Self.free
    return owner
  }

  /// Advances the oldest number past the completed sends.
  mutating func forgetCompleted() {
    while oldest < next, owners[slot(oldest)] == Self.free { oldest += 1 }
  }

  /// Advances the next number past the numbers of completed sends that were not noted.
  private mutating func countFailedSends(upTo last: UInt32) {
    let ahead = UInt64(last &- UInt32(truncatingIfNeeded: next))
    // A distance in the upper half of the range means that the number is less than the next number, so the send was
    // noted.
    guard ahead < 1 << 31 else { return }
    if oldest == next {
      next += ahead + 1
      oldest = next
      return
    }
    guard next - oldest + ahead < UInt64(slots) else { return }
    // The slots of these numbers are already free.
    next += ahead + 1
  }

  private func slot(_ number: UInt64) -> Int { Int(number % UInt64(slots)) }
}

extension ExtendedError {
  /// Whether the kernel copied the bytes of the sends that this entry completes (SO_EE_CODE_ZEROCOPY_COPIED).
  var wasZeroCopyCopied: Bool { code & 1 != 0 }
}
