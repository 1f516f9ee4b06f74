/// The book of a socket's zero-copy sends: which are in flight, and whose they are.
///
/// The kernel numbers the successful sends with MSG_ZEROCOPY of each socket from 0, with 32 bits and round again, and
/// completes them in ranges, several in one, perhaps out of order (msg_zerocopy.rst). ``ZeroCopySender`` keeps such a
/// book; take it alone for sends with ``SendFlags/zeroCopy`` from memory that you look after yourself.
public struct ZeroCopyTracker: ~Copyable, @unchecked Sendable {
  private static var free: UInt64 { .max }
  private let owners: UnsafeMutablePointer<UInt64>
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
    owners = .allocate(capacity: capacity)
    owners.initialize(repeating: Self.free, count: capacity)
    // Far enough from zero that no number in flight is negative.
    oldest = 1 << 32 | UInt64(nextNumber)
    next = oldest
  }

  deinit { owners.deallocate() }

  /// Whether another send can be noted. Ask before sending: a send that is not noted cannot be told from the next one.
  public var isFull: Bool { next - oldest == UInt64(capacity) }
  /// Sends from the oldest that is not completed to the newest.
  public var inFlight: Int { Int(next - oldest) }

  /// Notes a successful send of at least one byte with the flag. Traps when full.
  /// - Parameter owner: whose it is, any number but the largest; reported on completion.
  public mutating func noteSend(of owner: UInt64) {
    precondition(!isFull && owner != Self.free)
    owners[slot(next)] = owner
    next += 1
  }

  /// Reads a completion: calls the body for each send that it completes, with its owner and whether the kernel copied the
  /// bytes after all. Errors of other origins, and numbers that are not in flight, are ignored.
  public mutating func complete(_ error: ExtendedError, _ body: (_ owner: UInt64, _ wasCopied: Bool) -> Void) {
    guard error.origin == .zeroCopy, error.errno == 0 else { return }
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

  private func slot(_ number: UInt64) -> Int { Int(number % UInt64(capacity)) }
}
