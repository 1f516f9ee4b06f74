internal import Glibc
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
    /// The mutex of ``LookupTurns`` protects this property.
    fileprivate var place = Place.outside
  }

  /// The turns for all names except names of this host.
  static let all = LookupTurns(limit: NameLookup.maximumConcurrent, abandonedLimit: NameLookup.maximumAbandoned)
  /// The turns for names of this host. Lookups of these names must succeed even if the name service does not answer.
  static let local = LookupTurns(limit: NameLookup.maximumConcurrent, abandonedLimit: NameLookup.maximumAbandoned)

  private let limit: Int
  private let abandonedLimit: Int
  private let mutex = UnsafeMutablePointer<pthread_mutex_t>.allocate(capacity: 1)
  private let changed = UnsafeMutablePointer<pthread_cond_t>.allocate(capacity: 1)
  /// The number of lookups that are running.
  private var asking = 0
  /// The number of abandoned lookups in progress that hold no turn.
  private var abandoned = 0
  /// The abandoned lookups in progress that keep their turns until another abandoned lookup ends.
  private var late: [Ticket] = []
  private var queue: [ObjectIdentifier] = []

  private init(limit: Int, abandonedLimit: Int) {
    self.limit = limit
    self.abandonedLimit = abandonedLimit
    mutex.initialize(to: pthread_mutex_t())
    pthread_mutex_init(mutex, nil)
    changed.initialize(to: pthread_cond_t())
    pthread_cond_init(changed, nil)
  }

  /// Waits for a turn. Lookups get turns in the order of their calls.
  /// - Returns: false if the lookup was abandoned before its turn.
  func take(_ ticket: Ticket) -> Bool {
    pthread_mutex_lock(mutex)
    defer { pthread_mutex_unlock(mutex) }
    if ticket.place == .left { return false }
    ticket.place = .waiting
    queue.append(ObjectIdentifier(ticket))
    while ticket.place == .waiting && (asking == limit || queue.first != ObjectIdentifier(ticket)) {
      pthread_cond_wait(changed, mutex)
    }
    queue.removeAll { $0 == ObjectIdentifier(ticket) }
    // The next lookup in the queue may also get a turn.
    pthread_cond_broadcast(changed)
    if ticket.place == .left { return false }
    ticket.place = .asking
    asking += 1
    return true
  }

  func giveBack(_ ticket: Ticket) {
    pthread_mutex_lock(mutex)
    defer { pthread_mutex_unlock(mutex) }
    if ticket.place == .abandoned {
      abandoned -= 1
    } else {
      asking -= 1
      late.removeAll { $0 === ticket }
    }
    ticket.place = .left
    if abandoned < abandonedLimit, let next = late.popLast() { release(next) }
    pthread_cond_broadcast(changed)
  }

  /// Abandons a lookup. The owner of a lookup calls this method when it is destroyed, whether or not the lookup has
  /// ended.
  func abandon(_ ticket: Ticket) {
    pthread_mutex_lock(mutex)
    defer { pthread_mutex_unlock(mutex) }
    switch ticket.place {
    case .outside, .waiting: ticket.place = .left
    case .asking where abandoned < abandonedLimit: release(ticket)
    case .asking:
      ticket.place = .late
      late.append(ticket)
    case .late, .abandoned, .left: return
    }
    pthread_cond_broadcast(changed)
  }

  /// Releases the turn of an abandoned lookup. The caller must hold the mutex.
  private func release(_ ticket: Ticket) {
    ticket.place = .abandoned
    abandoned += 1
    asking -= 1
  }
}
