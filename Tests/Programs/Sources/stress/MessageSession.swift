internal import CPrograms
internal import SocketKit
internal import Synchronization

/// Random operations on a pair of sockets of messages, as `runStreams` does: every message arrives whole, intact and
/// once, in order and with none missing, unless somebody left or the transport is UDP.
func runMessages<S: StressMessages & ~Copyable>(_ session: Session, _ pair: consuming SocketPair<S>) {
  let threads = pair.split { first, second in
    messageThreads(session, End(first), 0) + messageThreads(session, End(second), 1)
  }
  for thread in threads { thread.join() }
  // After a failure everybody stops in the middle.
  guard session.ledger.failures.isEmpty else { return }
  for (index, direction) in session.directions.enumerated() {
    let sent = direction.sent.load(ordering: .acquiring)
    let received = direction.received.load(ordering: .acquiring)
    let mayBeFewer = session.isBroken || S.isLossy
    if mayBeFewer ? received > sent : received != sent {
      session.ledger.fail(
        "\(session.name), session seed \(session.seed), direction \(index): \(received) of \(sent) messages arrived")
    }
  }
}

/// Nobody but its two threads holds an end, so that one which leaves closes.
private func messageThreads<S: StressMessages & ~Copyable>(_ session: Session, _ end: End<S>, _ index: Int)
  -> [RunningThread]
{
  [
    RunningThread { MessageWriter(session, index, .writing).run(end) },
    RunningThread { MessageReader(session, index, .reading).run(end) },
  ]
}

/// A message: its number, whether a descriptor goes along, and bytes that follow from both.
private struct Numbered {
  static let headLength = 9

  static func bytes(_ number: Int, passing: Bool, count: Int, _ pattern: Pattern) -> [UInt8] {
    var bytes: [UInt8] = []
    bytes.reserveCapacity(count + headLength)
    for shift in 0..<8 { bytes.append(UInt8(truncatingIfNeeded: number >> (shift * 8))) }
    bytes.append(passing ? 1 : 0)
    return bytes + pattern.bytes(from: number &* 1_000_003, count: count)
  }

  /// The number of a message that is whole and intact.
  static func read(_ bytes: ArraySlice<UInt8>, _ pattern: Pattern) -> (number: Int, passing: Bool)? {
    guard bytes.count >= headLength else { return nil }
    var number = 0
    for (shift, byte) in bytes.prefix(8).enumerated() { number |= Int(byte) << (shift * 8) }
    let rest = bytes.dropFirst(headLength)
    guard rest.elementsEqual(pattern.bytes(from: number &* 1_000_003, count: rest.count)) else { return nil }
    return (number, bytes[bytes.startIndex + 8] == 1)
  }
}

private final class MessageWriter<S: StressMessages & ~Copyable>: SessionThread {
  private var sent = 0

  func run(_ end: End<S>) {
    var batch = MessageBatch(capacity: 8, messageCapacity: S.longest + Numbered.headLength)
    var left = 50 + random.below(400)
    while left > 0, session.ledger.failures.isEmpty, step(end.socket, &batch) { left -= 1 }
    if !session.leaves[index], S.hasEnd { shutDown(end.socket) }
    direction.isOver.store(true, ordering: .releasing)
    // An end that leaves takes its reader along.
    if session.leaves[index] { session.controls[thread + 1].cancel() }
    actor.leave()
  }

  private func message(_ number: Int, passing: Bool = false) -> [UInt8] {
    Numbered.bytes(number, passing: passing, count: random.size(atMost: S.longest), pattern)
  }

  private func step(_ socket: borrowing S, _ batch: inout MessageBatch) -> Bool {
    let control = session.controls[thread].control
    let time = random.soon()
    let deadline = Deadline.after(time)
    var what = "send"
    do throws(SocketError) {
      switch random.below(100) {
      case 0..<30:
        what = "try to send"
        let bytes = message(sent)
        try attempt(what, .zero) { () throws(SocketError) in if try socket.attemptPost(bytes) { note(1) } }
      case 30..<55:
        let bytes = message(sent)
        try attempt(what, time) { () throws(SocketError) in
          try socket.post(bytes, until: deadline.cancellable(by: control))
          note(1)
        }
      case 55..<65:
        what = "try to send a batch"
        try fill(&batch)
        try attempt(what, .zero) { () throws(SocketError) in
          if let count = try batch.send(on: socket) { note(count) }
        }
      case 65..<80:
        what = "send a batch"
        try fill(&batch)
        try attempt(what, time) { () throws(SocketError) in
          defer { note(batch.sent) }
          try batch.send(on: socket, until: deadline.cancellable(by: control))
        }
      case 80..<91 where session.passes:
        what = "pass"
        let event = programs_event(UInt32(sent + 1))
        if event < 0 { return true }
        let descriptor = unsafe Descriptor(unsafeOwning: RawDescriptor(event))
        let bytes = message(sent, passing: true)
        try attempt(what, time) { () throws(SocketError) in
          try socket.pass(bytes, descriptor.raw, until: deadline.cancellable(by: control))
          note(1)
        }
      case 91..<94:
        what = "send without time"
        let bytes = message(sent)
        try attempt(what, .zero) { () throws(SocketError) in
          // It tries once.
          try socket.post(bytes, until: .past.cancellable(by: control))
          note(1)
        }
      default:
        let disturbance = session.disturb(&random)
        actor.perform(disturbance, within: .zero) {}
      }
      return true
    } catch {
      // A lossy transport tells of a peer that left, and of a queue that was full.
      if S.isLossy, error.code == .outOfMemory { return true }
      return session.goesOn(error, actor, thread, what.hasSuffix("without time") ? .past : deadline, what)
    }
  }

  private func note(_ count: Int) {
    sent += count
    direction.sent.store(sent, ordering: .releasing)
  }

  private func fill(_ batch: inout MessageBatch) throws(SocketError) {
    batch.removeAll()
    for number in 0..<1 + random.below(batch.capacity) { try batch.append(message(sent + number).span) }
  }
}

private final class MessageReader<S: StressMessages & ~Copyable>: SessionThread {
  private var next = 0
  private var received = 0
  /// The numbers that came, of a lossy transport.
  private var seen: Set<Int> = []
  /// The length of the message that was peeked at last.
  private var peeked: Int?
  /// When the other end was seen to send no more.
  private var quietSince: Int?

  func run(_ end: End<S>) {
    var batch = MessageBatch(capacity: 8, messageCapacity: S.longest + Numbered.headLength)
    let own = session.directions[index]
    while session.ledger.failures.isEmpty {
      if session.leaves[index], own.isOver.load(ordering: .acquiring) { break }
      let wasOver = direction.isOver.load(ordering: .acquiring)
      let before = received
      if !step(end.socket, &batch) { break }
      if !S.hasEnd, wasOver, received == before, isQuiet(end.socket) { break }
    }
    direction.received.store(received, ordering: .releasing)
    actor.leave()
  }

  /// Whether no datagram will come after the other end's last: they are delivered within the call that sends them, or
  /// shortly after on a machine that is busy.
  private func isQuiet(_ socket: borrowing S) -> Bool {
    if programs_readable(socket.readSource.value, 0) > 0 {
      quietSince = nil
      return false
    }
    if !S.isLossy { return true }
    let now = nanoseconds()
    guard let since = quietSince else {
      quietSince = now
      return false
    }
    return now - since > 50_000_000
  }

  private func step(_ socket: borrowing S, _ batch: inout MessageBatch) -> Bool {
    let control = session.controls[thread].control
    let isPatient = S.hasEnd && random.chance(10)
    let time = isPatient ? .seconds(20) : random.soon()
    let deadline = isPatient ? .never : Deadline.after(time)
    var info = MessageInfo()
    var what = "receive"
    do throws(SocketError) {
      if random.chance(7) {
        what = "poll"
        try attempt(what, time) { () throws(SocketError) in
          try poll(socket, withEpoll: time < .milliseconds(1), until: deadline.cancellable(by: control))
        }
        return true
      }
      // For sockets that get no descriptors the choice is the same without them.
      switch random.below(session.passes ? 140 : 100) {
      case 0..<30:
        what = "try to receive"
        var buffer = room()
        let fetched = try attempt(what, .zero) { () throws(SocketError) in
          try socket.attemptFetch(into: &buffer, &info, flags: [])
        }
        return accept(fetched, buffer, info)
      case 30..<60:
        var buffer = room()
        let fetched = try attempt(what, time) { () throws(SocketError) in
          try socket.fetch(into: &buffer, &info, until: deadline.cancellable(by: control))
        }
        return accept(fetched, buffer, info)
      case 60..<75:
        what = "try to receive a batch"
        let outcome = try attempt(what, .zero) { () throws(SocketError) in try batch.receive(from: socket) }
        switch outcome {
        case 0?: return accept(.end, [], info)
        case nil: return true
        default: return accept(batch)
        }
      case 75..<90:
        what = "receive a batch"
        let count = try attempt(what, time) { () throws(SocketError) in
          try batch.receive(from: socket, until: deadline.cancellable(by: control))
        }
        return count == 0 ? accept(.end, [], info) : accept(batch)
      case 90..<95:
        what = "peek"
        var buffer = room()
        let fetched = try attempt(what, .zero) { () throws(SocketError) in
          try socket.attemptFetch(into: &buffer, &info, flags: .peek)
        }
        if case .message(let count) = fetched {
          if let peeked, peeked != count { actor.fail("peeked at \(peeked) bytes, then at \(count)") }
          peeked = count
        }
        return true
      case 95..<100:
        what = "receive without time"
        var buffer = room()
        // It tries once.
        let fetched = try attempt(what, .zero) { () throws(SocketError) in
          try socket.fetch(into: &buffer, &info, until: .past.cancellable(by: control))
        }
        return accept(fetched, buffer, info)
      default:
        what = "take"
        var buffer = room()
        var values: [Int] = []
        let fetched = try attempt(what, time) { () throws(SocketError) in
          try socket.take(into: &buffer, &info, &values, until: deadline.cancellable(by: control))
        }
        let before = received
        let goesOn = accept(fetched, buffer, info, values)
        if received == before, !values.isEmpty { actor.fail("\(values.count) descriptors came without a message") }
        return goesOn
      }
    } catch {
      return session.goesOn(error, actor, thread, what.hasSuffix("without time") ? .past : deadline, what)
    }
  }

  private func room() -> [UInt8] { [UInt8](repeating: 0xa5, count: S.longest + Numbered.headLength) }

  private func accept(_ batch: borrowing MessageBatch) -> Bool {
    for slot in 0..<batch.count {
      let bytes = batch[slot].bytes.withUnsafeBytes { Array($0) }
      check(bytes[...], batch[slot].fullLength, nil)
    }
    return true
  }

  private func accept(_ fetched: Fetched, _ buffer: [UInt8], _ info: MessageInfo, _ values: [Int]? = nil) -> Bool {
    switch fetched {
    case .nothing: return true
    case .end:
      if !S.hasEnd { actor.fail("an end, where there is none") }
      return false
    case .message(let count):
      check(buffer.prefix(count), info.length, values)
      return true
    }
  }

  private func check(_ bytes: ArraySlice<UInt8>, _ length: Int, _ values: [Int]?) {
    guard let message = Numbered.read(bytes, pattern), length == bytes.count else {
      actor.fail("after message \(next - 1): \(bytes.count) bytes, said to be \(length), that are no whole message")
      return
    }
    if let peeked, peeked != bytes.count, !S.isLossy {
      actor.fail("peeked at \(peeked) bytes, received \(bytes.count)")
    }
    peeked = nil
    if S.isLossy {
      // They may overtake each other, but none comes twice.
      if !seen.insert(message.number).inserted { actor.fail("message \(message.number) came twice") }
    } else if message.number != next {
      actor.fail("message \(message.number) came where \(next) was the next")
    }
    if let values, values != (message.passing ? [message.number + 1] : []) {
      actor.fail("message \(message.number) came with the descriptors \(values)")
    }
    next = message.number + 1
    received += 1
  }
}
