internal import Glibc

/// A limit on the number of lookups that ask the name service at the same time.
///
/// Each lookup starts its thread at once, because a thread asks in the network namespace of the thread that started it.
/// The limit applies to the threads that ask; the other threads wait for a turn. A lookup that is abandoned while it
/// waits leaves the queue, and its thread exits. A lookup that is abandoned while it asks gives up its turn at once, as
/// long as fewer than `abandonedLimit` abandoned lookups without a turn are in progress.
final class LookupTurns: @unchecked Sendable {
  /// The place of one lookup.
  final class Ticket: @unchecked Sendable {
    fileprivate enum Place { case outside, waiting, asking, late, abandoned, left }
    /// Guarded by the mutex of ``LookupTurns``.
    fileprivate var place = Place.outside
  }

  /// The turns for all names except names of this host.
  static let all = LookupTurns(limit: NameLookup.maximumConcurrent, abandonedLimit: NameLookup.maximumAbandoned)
  /// The turns for names of this host, which must be found even when the name service does not answer.
  static let local = LookupTurns(limit: NameLookup.maximumConcurrent, abandonedLimit: NameLookup.maximumAbandoned)

  private let limit: Int
  private let abandonedLimit: Int
  private let mutex = UnsafeMutablePointer<pthread_mutex_t>.allocate(capacity: 1)
  private let changed = UnsafeMutablePointer<pthread_cond_t>.allocate(capacity: 1)
  /// Lookups that hold a turn.
  private var asking = 0
  /// Abandoned lookups in progress that hold no turn.
  private var abandoned = 0
  /// Abandoned lookups in progress that keep their turn until one of the abandoned lookups ends.
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
  /// - Returns: false when the lookup was abandoned before its turn.
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
    // The next lookup in the queue may have a turn too.
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

  /// Abandons a lookup. The owner of every lookup calls this at the end of its life, whether the lookup has ended or
  /// not.
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

  /// Takes the turn away from an abandoned lookup. The caller holds the mutex.
  private func release(_ ticket: Ticket) {
    ticket.place = .abandoned
    abandoned += 1
    asking -= 1
  }
}
