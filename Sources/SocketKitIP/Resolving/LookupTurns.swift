internal import SocketKitCore

/// A limit on the number of lookups that query the name service at the same time.
///
/// Each lookup starts its thread immediately, because a new thread belongs to the network namespace of the thread that
/// started it. The thread queries the name service in that namespace. The limit applies to the threads that query the
/// name service; the other threads wait for a turn. If a lookup is abandoned while it waits, it leaves the queue and
/// its thread exits. If a lookup is abandoned during its query, it releases its turn immediately, provided that fewer
/// than `abandonedLimit` abandoned lookups without a turn are in progress.
final class LookupTurns: @unchecked Sendable {
  /// The state of one lookup.
  final class Ticket: @unchecked Sendable {
    fileprivate enum Place { case outside, waiting, asking, late, abandoned, left }
    /// The monitor of ``LookupTurns`` protects this property.
    fileprivate var place = Place.outside
  }

  /// The turns for all names except `localhost` and names that end in `.localhost`.
  static let all = LookupTurns(limit: NameLookup.maximumConcurrent, abandonedLimit: NameLookup.maximumAbandoned)
  /// The turns for `localhost` and names that end in `.localhost`. Lookups of these names must succeed even if the name
  /// service does not answer.
  static let local = LookupTurns(limit: NameLookup.maximumConcurrent, abandonedLimit: NameLookup.maximumAbandoned)

  private let limit: Int
  private let abandonedLimit: Int
  private let monitor = Monitor()
  /// The number of lookups that hold a turn.
  private var asking = 0
  /// The number of abandoned lookups in progress that hold no turn.
  private var abandoned = 0
  /// The abandoned lookups in progress that still hold their turns. Such a lookup releases its turn when it ends, or
  /// when an abandoned lookup without a turn ends.
  private var late: [Ticket] = []
  private var queue: [ObjectIdentifier] = []

  private init(limit: Int, abandonedLimit: Int) {
    self.limit = limit
    self.abandonedLimit = abandonedLimit
  }

  /// Waits for a turn. Lookups get turns in the order of their calls.
  /// - Returns: false if the lookup was abandoned before its turn.
  func take(_ ticket: Ticket) -> Bool {
    monitor.lock()
    defer { monitor.unlock() }
    if ticket.place == .left { return false }
    ticket.place = .waiting
    queue.append(ObjectIdentifier(ticket))
    while ticket.place == .waiting && (asking == limit || queue.first != ObjectIdentifier(ticket)) {
      monitor.wait()
    }
    queue.removeAll { $0 == ObjectIdentifier(ticket) }
    // If another turn is free, the next lookup in the queue gets it.
    monitor.broadcast()
    if ticket.place == .left { return false }
    ticket.place = .asking
    asking += 1
    return true
  }

  func giveBack(_ ticket: Ticket) {
    monitor.lock()
    defer { monitor.unlock() }
    if ticket.place == .abandoned {
      abandoned -= 1
    } else {
      asking -= 1
      late.removeAll { $0 === ticket }
    }
    ticket.place = .left
    if abandoned < abandonedLimit, let next = late.popLast() { release(next) }
    monitor.broadcast()
  }

  /// Abandons a lookup. The owner of a lookup calls this method when it is destroyed, whether or not the lookup has
  /// ended.
  func abandon(_ ticket: Ticket) {
    monitor.lock()
    defer { monitor.unlock() }
    switch ticket.place {
    case .outside, .waiting: ticket.place = .left
    case .asking where abandoned < abandonedLimit: release(ticket)
    case .asking:
      ticket.place = .late
      late.append(ticket)
    case .late, .abandoned, .left: return
    }
    monitor.broadcast()
  }

  /// Releases the turn of an abandoned lookup. The caller must have locked the monitor.
  private func release(_ ticket: Ticket) {
    ticket.place = .abandoned
    abandoned += 1
    asking -= 1
  }
}
