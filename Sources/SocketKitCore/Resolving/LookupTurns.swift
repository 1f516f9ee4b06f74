internal import Glibc

/// Bounds how many lookups ask the name service at a time.
///
/// Each lookup starts its thread at once, because a thread asks in the network namespace of the thread that started it.
/// Only the number of threads that ask is bounded; the others wait for a turn. A lookup that is abandoned while it
/// waits leaves the queue, and its thread ends. One that is abandoned while it asks gives its turn to another at once,
/// as long as there are fewer than `abandonedLimit` of these.
final class LookupTurns: @unchecked Sendable {
  /// One lookup's place.
  final class Ticket: @unchecked Sendable {
    fileprivate enum Place { case outside, waiting, asking, late, abandoned, left }
    /// Guarded by the turns' mutex.
    fileprivate var place = Place.outside
  }

  /// Everything but names of this host.
  static let all = LookupTurns(limit: NameLookup.maximumConcurrent, abandonedLimit: NameLookup.maximumAbandoned)
  /// Names of this host, which must be found even when the name service does not answer.
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

  /// Waits for a turn, first come, first served.
  /// - Returns: false when the lookup was abandoned before.
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
    // The next may have a turn too.
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

  /// Called for every lookup when its owner is gone, whether the lookup has ended or not.
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

  /// Takes the turn of an abandoned lookup. The caller holds the mutex.
  private func release(_ ticket: Ticket) {
    ticket.place = .abandoned
    abandoned += 1
    asking -= 1
  }
}
