internal import SocketKit
internal import Synchronization

/// What the four threads of a session share besides the sockets.
final class Session: Sendable {
  let name: String
  let seed: UInt64
  let ledger: Ledger
  /// One for each thread: writer and reader of the first end, of the second.
  let controls = (0..<4).map { _ in ControlBox() }
  /// From the first end to the second, and back.
  let directions = [Direction(), Direction()]
  /// Descriptors go along, so that readers receive with room for them.
  let passes: Bool
  /// Which ends leave in the middle, without the end of their stream.
  let leaves: [Bool]

  init(_ name: String, seed: UInt64, passes: Bool, _ ledger: Ledger) {
    self.name = name
    self.seed = seed
    self.ledger = ledger
    var random = SeededRandom(seed: seed)
    self.passes = passes && random.chance(50)
    leaves = [random.chance(15), random.chance(15)]
  }

  /// Whether somebody left: then bytes may be missing at the end, and calls fail.
  var isBroken: Bool { leaves[0] || leaves[1] }

  func actor(_ role: String, _ end: Int) -> Actor { Actor("\(name) \(role) \(end), session seed \(seed)", ledger) }

  func random(_ thread: Int) -> SeededRandom { SeededRandom(seed: SeededRandom.mix(seed &+ UInt64(thread) + 1)) }

  func pattern(_ direction: Int) -> Pattern { Pattern(seed: SeededRandom.mix(seed ^ UInt64(direction + 77))) }

  /// Acts on a wait of any of the threads.
  func disturb(_ random: inout SeededRandom) -> String {
    let box = controls[random.below(4)]
    if random.chance(50) {
      box.cancel()
      return "cancel"
    }
    box.control.setDeadline(random.chance(50) ? .past : .after(random.soon()))
    return "set a deadline"
  }

  /// What is allowed to go wrong in a call that waits: true when the thread goes on.
  func goesOn(_ error: SocketError, _ actor: Actor, _ thread: Int, _ deadline: Deadline, _ what: String) -> Bool {
    switch error.code {
    case .timedOut where error.errno == 0:
      // Somebody else may have set the control's deadline; this one's own must have come otherwise.
      let control = controls[thread].control
      if control.deadline.isNever && !control.isCancelled && !deadline.hasPassed && deadline.isNever {
        actor.fail("\(what) timed out without any deadline")
      }
      control.setDeadline(.never)
      actor.count("timed out")
      return true
    case .cancelled:
      controls[thread].renew()
      actor.count("cancelled")
      return true
    case .brokenPipe, .connectionReset, .connectionRefused, .notConnected:
      if !isBroken { actor.fail("\(what): \(error)") }
      actor.count("broken")
      return false
    case .tooManyDescriptors where what == "pass":
      return true
    default:
      actor.fail("\(what): \(error)")
      return false
    }
  }
}

/// One direction of a session.
final class Direction: Sendable {
  /// Bytes of a stream, or messages.
  let sent = Atomic<Int>(0)
  let received = Atomic<Int>(0)
  let descriptorsSent = Atomic<Int>(0)
  let descriptorsReceived = Atomic<Int>(0)
  /// Nothing more is sent.
  let isOver = Atomic<Bool>(false)
}

/// Waits for something to read with a poller of its own, as a loop would: what it says is a hint, and nothing stays.
func poll<S: Socket & ~Copyable>(
  _ socket: borrowing S, withEpoll: Bool, until limit: some WaitLimit
) throws(SocketError) {
  if withEpoll {
    var poller = try EpollPoller()
    try poll(socket, &poller, until: limit)
  } else {
    var poller = try PollPoller()
    try poll(socket, &poller, until: limit)
  }
}

private func poll<S: Socket & ~Copyable, P: Poller & ~Copyable>(
  _ socket: borrowing S, _ poller: inout P, until limit: some WaitLimit
) throws(SocketError) {
  try poller.register(socket, for: .readable, token: Token(index: 1))
  _ = try poller.wait(until: limit)
  try poller.deregister(socket)
}

/// A socket that two threads use; it closes when the last of them lets it go.
final class End<S: ~Copyable & Sendable>: Sendable {
  let socket: S
  init(_ socket: consuming S) { self.socket = socket }
}
