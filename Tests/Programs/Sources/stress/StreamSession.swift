internal import CPrograms
internal import SocketKit
internal import Synchronization

/// Random operations on a pair of streams: two ends, with a thread each for writing and reading. What is read must be
/// what was written, in order, up to the last byte unless somebody left.
func runStreams<S: StressStream & ~Copyable>(_ session: Session, _ pair: consuming SocketPair<S>) {
  let threads = pair.split { first, second in
    streamThreads(session, End(first), 0) + streamThreads(session, End(second), 1)
  }
  for thread in threads { thread.join() }
  // After a failure everybody stops in the middle.
  guard session.ledger.failures.isEmpty else { return }
  for (index, direction) in session.directions.enumerated() {
    let sent = direction.sent.load(ordering: .acquiring)
    let received = direction.received.load(ordering: .acquiring)
    if session.isBroken ? received > sent : received != sent {
      session.ledger.fail(
        "\(session.name), session seed \(session.seed), direction \(index): \(received) of \(sent) bytes arrived")
    }
    let passed = direction.descriptorsSent.load(ordering: .acquiring)
    let taken = direction.descriptorsReceived.load(ordering: .acquiring)
    if session.isBroken ? taken > passed : taken != passed && session.passes {
      session.ledger.fail(
        "\(session.name), session seed \(session.seed), direction \(index): \(taken) of \(passed) descriptors arrived")
    }
  }
}

/// Nobody but its two threads holds an end, so that one which leaves closes.
private func streamThreads<S: StressStream & ~Copyable>(_ session: Session, _ end: End<S>, _ index: Int)
  -> [RunningThread]
{
  [
    RunningThread { StreamWriter(session, index, .writing).run(end) },
    RunningThread { StreamReader(session, index, .reading).run(end) },
  ]
}

private final class StreamWriter<S: StressStream & ~Copyable>: SessionThread {
  private var sent = 0
  private var passed = 0

  func run(_ end: End<S>) {
    var left = 50 + random.below(400)
    while left > 0, session.ledger.failures.isEmpty, step(end.socket) { left -= 1 }
    // Published before the end, which the reader may see at once.
    direction.sent.store(sent, ordering: .releasing)
    direction.descriptorsSent.store(passed, ordering: .releasing)
    if session.leaves[index] {
      // The reader of this end goes too.
      direction.isOver.store(true, ordering: .releasing)
      session.controls[thread + 1].cancel()
    } else {
      shutDown(end.socket)
    }
    direction.isOver.store(true, ordering: .releasing)
    actor.leave()
  }

  /// One operation; false when the connection is over.
  private func step(_ socket: borrowing S) -> Bool {
    let control = session.controls[thread].control
    let time = random.soon()
    let deadline = Deadline.after(time)
    let size = random.size(atMost: 60_000)
    let bytes = pattern.bytes(from: sent, count: size)
    var what = "write"
    do throws(SocketError) {
      switch random.below(100) {
      case 0..<30:
        what = "try to write"
        try attempt(what, .zero) { () throws(SocketError) in
          if let count = try socket.write(bytes.span) { sent += count }
        }
      case 30..<55:
        try attempt(what, time) { () throws(SocketError) in
          sent += try socket.write(bytes.span, until: deadline.cancellable(by: control))
        }
      case 55..<75:
        what = "write all"
        try attempt(what, time) { () throws(SocketError) in
          do throws(SocketError) {
            try socket.writeAll(bytes.span, until: deadline.cancellable(by: control))
            sent += size
          } catch {
            sent += error.transferred
            throw error
          }
        }
      case 75..<83:
        what = "gather"
        let head = min(size, 13)
        try attempt(what, .zero) { () throws(SocketError) in
          let outcome = try socket.write(
            gathering: GatherList(bytes.span.extracting(first: head), bytes.span.extracting(droppingFirst: head)))
          if let count = outcome { sent += count }
        }
      case 83..<91 where session.passes:
        what = "pass"
        let event = programs_event(UInt32(passed + 1))
        if event < 0 { return true }
        let descriptor = unsafe Descriptor(unsafeOwning: RawDescriptor(event))
        try attempt(what, time) { () throws(SocketError) in
          sent += try socket.pass(bytes, descriptor.raw, until: deadline.cancellable(by: control))
          passed += 1
        }
      case 91..<94:
        what = "write without time"
        try attempt(what, .zero) { () throws(SocketError) in
          // It tries once.
          sent += try socket.write(bytes.span, until: .past.cancellable(by: control))
        }
      default:
        let disturbance = session.disturb(&random)
        actor.perform(disturbance, within: .zero) {}
      }
      return true
    } catch {
      return session.goesOn(error, actor, thread, what.hasSuffix("without time") ? .past : deadline, what)
    }
  }

  override func attempt<R>(
    _ what: String, _ time: Duration, _ body: () throws(SocketError) -> R
  ) throws(SocketError) -> R {
    defer { direction.sent.store(sent, ordering: .releasing) }
    return try super.attempt(what, time, body)
  }
}

private final class StreamReader<S: StressStream & ~Copyable>: SessionThread {
  private var received = 0
  private var taken = 0
  private var hasEnded = false

  func run(_ end: End<S>) {
    let own = session.directions[index]
    while session.ledger.failures.isEmpty, !hasEnded {
      // An end that leaves takes its reader along.
      if session.leaves[index], own.isOver.load(ordering: .acquiring) { break }
      if !step(end.socket) { break }
    }
    direction.received.store(received, ordering: .releasing)
    direction.descriptorsReceived.store(taken, ordering: .releasing)
    actor.leave()
  }

  private func step(_ socket: borrowing S) -> Bool {
    let control = session.controls[thread].control
    // Some wait for as long as it takes: the other end's end, or a cancel, is sure to come.
    let isPatient = random.chance(10)
    let time = isPatient ? .seconds(20) : random.soon()
    let deadline = isPatient ? .never : Deadline.after(time)
    var buffer = [UInt8](repeating: 0xa5, count: random.size(atMost: 60_000))
    var what = "read"
    do throws(SocketError) {
      if random.chance(7) {
        what = "poll"
        try attempt(what, time) { () throws(SocketError) in
          try poll(socket, withEpoll: time < .milliseconds(1), until: deadline.cancellable(by: control))
        }
        return true
      }
      if session.passes {
        what = "take"
        var values: [Int] = []
        let outcome = try attempt(what, time) { () throws(SocketError) in
          try socket.take(into: &buffer, &values, until: deadline.cancellable(by: control))
        }
        for value in values {
          taken += 1
          if value != taken { actor.fail("descriptor \(taken) has the value \(value)") }
        }
        return accept(outcome, buffer)
      }
      switch random.below(100) {
      case 0..<35:
        what = "try to read"
        let outcome = try attempt(what, .zero) { () throws(SocketError) in
          try socket.read(into: buffer.mutableSpan)
        }
        switch outcome {
        case .bytes(let count): return accept(.bytes(count), buffer)
        case .endOfStream: return accept(.endOfStream, buffer)
        case nil: return true
        }
      case 35..<65:
        let outcome = try attempt(what, time) { () throws(SocketError) in
          try socket.read(into: buffer.mutableSpan, until: deadline.cancellable(by: control))
        }
        return accept(outcome, buffer)
      case 65..<85:
        what = "read exactly"
        do throws(SocketError) {
          try attempt(what, time) { () throws(SocketError) in
            try socket.readExactly(into: buffer.mutableSpan, until: deadline.cancellable(by: control))
          }
          return accept(.bytes(buffer.count), buffer)
        } catch {
          if error.transferred > 0 { _ = accept(.bytes(error.transferred), buffer) }
          if error.code == .unexpectedEnd { return accept(.endOfStream, buffer) }
          throw error
        }
      case 85..<95:
        what = "scatter"
        var more = [UInt8](repeating: 0xa5, count: random.size(atMost: 5000))
        let outcome = try attempt(what, .zero) { () throws(SocketError) in
          try socket.read(scattering: ScatterList(buffer.mutableSpan, more.mutableSpan))
        }
        switch outcome {
        case .bytes(let count): return accept(.bytes(count), buffer + more)
        case .endOfStream: return accept(.endOfStream, buffer)
        case nil: return true
        }
      default:
        what = "read without time"
        // It tries once.
        let outcome = try attempt(what, .zero) { () throws(SocketError) in
          try socket.read(into: buffer.mutableSpan, until: .past.cancellable(by: control))
        }
        return accept(outcome, buffer)
      }
    } catch {
      return session.goesOn(error, actor, thread, what.hasSuffix("without time") ? .past : deadline, what)
    }
  }

  /// Compares what was read; false at the end.
  private func accept(_ outcome: ReadOutcome, _ buffer: [UInt8]) -> Bool {
    guard case .bytes(let count) = outcome else {
      hasEnded = true
      return false
    }
    let wanted = pattern.bytes(from: received, count: count)
    if !buffer.prefix(count).elementsEqual(wanted) {
      let place = zip(buffer, wanted).enumerated().first { $0.element.0 != $0.element.1 }?.offset ?? 0
      actor.fail("byte \(received + place) of the stream is wrong, \(place) bytes into a read of \(count)")
    }
    received += count
    return true
  }
}
