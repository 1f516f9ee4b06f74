internal import Glibc
internal import SocketKit

/// What a stream transport of a transcript is.
struct StreamTraits {
  var halfClose = true
  /// A full peer blocks writing soon, and reading makes room again.
  var fills = true
  /// So many times 30 ms in which nothing is taken mean that the peer is full: TCP probes for room after 200 and 400
  /// ms.
  var quietRounds = 3
  /// A wait for exactly so many bytes can be watched from outside: FIONREAD.
  var tellsItsQueue = true
}

/// Every verb of a stream: listen, connect, accept, read, write, end, and how each fails.
func streams<S: Transport & Acceptable<Void> & StreamSocket & ~Copyable>(
  _ type: S.Type, at address: S.Address, nobodyAt: S.Address, _ traits: StreamTraits = StreamTraits()
) throws {
  step("listen")
  let listener = Held(try S.listen(on: address))
  let here = try listener.with { try $0.localAddress() }
  try accepting(listener, S.self)

  step("connect") {
    _ = try S.connect(to: nobodyAt, until: longTime); return "connected"
  }
  step("connect, waiting for the answer")
  let near = Held(try S.connect(to: here, until: longTime))
  awaitSomething(try listener.with { $0.descriptor })
  step("accept")
  guard let accepted = try listener.with({ try $0.accept() }) else { return result("nobody there") }
  let far = Held(accepted)
  result("somebody")
  step("who is at the ends?") {
    let isRight = try near.with { try $0.remoteAddress() } == here
    return isRight ? "the listener's address" : "another address"
  }
  try reading(near, far)
  try writing(near, far, traits)
  if traits.fills { try filling(near, far, quietRounds: traits.quietRounds) }
  try ending(near, far, listener, here, traits)
  step("close the listener")
  listener.close()
}

private func accepting<S: Transport & Acceptable<Void> & StreamSocket & ~Copyable>(
  _ listener: Held<Listener<S>>, _ type: S.Type
) throws {
  step("accept, nobody there") {
    try listener.with { (listener: borrowing Listener<S>) in
      if try listener.accept() != nil { return "somebody" }
      return "would block"
    }
  }
  step("accept, nobody there, with a time limit") {
    try listener.with { _ = try $0.accept(until: .after(shortTime)) }
    return "somebody"
  }
  cancelledStep("accept, nobody there") { control in
    try listener.with { _ = try $0.accept(until: longTime.cancellable(by: control)) }
    return "somebody"
  }
}

/// A step during whose wait another thread sets a time limit.
@inline(never)
private func limitedStep(_ text: String, _ body: (WaitControl) throws -> String) {
  let control = WaitControl()
  let helper = whenWaiting { control.setDeadline(.past) }
  step("\(text), another thread sets a time limit that is over") { try body(control) }
  helper.join()
}

private func reading<S: StreamSocket & ~Copyable>(_ near: Held<S>, _ far: Held<S>) throws {
  var buffer = [UInt8](repeating: 0, count: 16)
  step("read, nothing there") { words(try far.with { try $0.read(into: buffer.mutableSpan) }) }
  step("read, nothing there, with a time limit") {
    words(try far.with { try $0.read(into: buffer.mutableSpan, until: .after(shortTime)) })
  }
  step("read with a time limit that is over") {
    words(try far.with { try $0.read(into: buffer.mutableSpan, until: .past) })
  }
  cancelledStep("read, nothing there") { control in
    words(try far.with { try $0.read(into: buffer.mutableSpan, until: longTime.cancellable(by: control)) })
  }
  step("read, cancelled before") {
    let control = WaitControl()
    control.cancel()
    return words(try far.with { try $0.read(into: buffer.mutableSpan, until: longTime.cancellable(by: control)) })
  }
  limitedStep("read, nothing there") { control in
    words(try far.with { try $0.read(into: buffer.mutableSpan, until: longTime.cancellable(by: control)) })
  }
  step("read into no room") { words(try far.with { try $0.read(into: MutableSpan()) }) }
  let helper = whenWaiting { _ = try near.with { try $0.write("hello".utf8.span) } }
  step("read, another thread writes meanwhile") {
    words(try far.with { try $0.read(into: buffer.mutableSpan, until: longTime) }, buffer)
  }
  helper.join()
}

private func writing<S: StreamSocket & ~Copyable>(_ near: Held<S>, _ far: Held<S>, _ traits: StreamTraits) throws {
  var buffer = [UInt8](repeating: 0, count: 16)
  step("write") { words(try near.with { try $0.write("twelve bytes".utf8.span) }) }
  far.awaitSomething()
  step("read, something there") { words(try far.with { try $0.read(into: buffer.mutableSpan) }, buffer) }
  step("write nothing") { words(try near.with { try $0.write(Span()) }) }
  step("write, waiting") { counted(try near.with { try $0.write("abc".utf8.span, until: longTime) }) }
  step("write with a time limit that is over") {
    counted(try near.with { try $0.write("abc".utf8.span, until: .past) })
  }
  far.awaitSomething()
  step("read with room for less") {
    var little: [UInt8] = [0, 0]
    return words(try far.with { try $0.read(into: little.mutableSpan, until: longTime) }, little)
  }
  step("read the rest") { words(try far.with { try $0.read(into: buffer.mutableSpan, until: longTime) }, buffer) }
  step("write from two places") {
    words(try near.with { try $0.write(gathering: GatherList("head".utf8.span, "body".utf8.span)) })
  }
  far.awaitSomething()
  step("read into two places") {
    var head: [UInt8] = [0, 0, 0, 0, 0]
    var body = head
    let outcome = try far.with { try $0.read(scattering: ScatterList(head.mutableSpan, body.mutableSpan)) }
    return words(outcome, head + body)
  }
  guard traits.tellsItsQueue else { return }
  let waiting = try far.with { $0.readSource.value }
  let helper = whenWaiting {
    try near.with { try $0.writeAll("one".utf8.span, until: longTime) }
    var queued: Int32 = 1
    while queued != 0 { _ = ioctl(waiting, UInt(FIONREAD), &queued) }
    awaitWait(of: Int32(getpid()))
    try near.with { try $0.writeAll("three".utf8.span, until: longTime) }
  }
  step("read exactly eight bytes, which come in two parts") {
    var eight = [UInt8](repeating: 0, count: 8)
    try far.with { try $0.readExactly(into: eight.mutableSpan, until: longTime) }
    return String(decoding: eight, as: UTF8.self)
  }
  helper.join()
}

private func filling<S: StreamSocket & ~Copyable>(_ near: Held<S>, _ far: Held<S>, quietRounds: Int) throws {
  let bytes = [UInt8](repeating: 7, count: 65536)
  step("write until the peer has no more room") {
    // Until nothing is taken for a while: the peer's kernel may still be taking some out of this one's queue.
    var quiet = 0
    while quiet < quietRounds {
      if try near.with({ try $0.write(bytes.span) }) == nil {
        quiet += 1
        usleep(30_000)
      } else {
        quiet = 0
      }
    }
    return "would block"
  }
  step("write to a full peer, with a time limit") {
    counted(try near.with { try $0.write(bytes.span, until: .after(shortTime)) })
  }
  cancelledStep("write to a full peer") { control in
    counted(try near.with { try $0.write(bytes.span, until: longTime.cancellable(by: control)) })
  }
  let helper = whenWaiting { try drain(far) }
  step("write to a full peer, until another thread has read everything") {
    try near.with { try $0.writeAll(bytes.span, until: longTime) }
    return "all taken"
  }
  helper.join()
  step("read the rest (calls not shown)") {
    try drain(far)
    return "nothing is left"
  }
}

/// Reads until nothing has come for a while.
private func drain<S: StreamSocket & ~Copyable>(_ socket: Held<S>) throws {
  var buffer = [UInt8](repeating: 0, count: 65536)
  var quiet = 0
  while quiet < 4 {
    if try socket.with({ try $0.read(into: buffer.mutableSpan) }) == nil {
      quiet += 1
      usleep(20_000)
    } else {
      quiet = 0
    }
  }
}

private func ending<S: Transport & Acceptable<Void> & StreamSocket & ~Copyable>(
  _ near: Held<S>, _ far: Held<S>, _ listener: Held<Listener<S>>, _ here: S.Address, _ traits: StreamTraits
) throws {
  var buffer = [UInt8](repeating: 0, count: 16)
  if traits.halfClose {
    step("write a last word and end writing") {
      try near.with {
        try $0.writeAll("last".utf8.span, until: longTime)
        try $0.shutdown(.write)
      }
      return "ended"
    }
    far.awaitSomething()
    step("read exactly eight bytes, of which four come") {
      var eight = [UInt8](repeating: 0, count: 8)
      try far.with { try $0.readExactly(into: eight.mutableSpan, until: longTime) }
      return "eight bytes"
    }
    step("read at the end") { words(try far.with { try $0.read(into: buffer.mutableSpan) }) }
    step("read at the end, waiting") { words(try far.with { try $0.read(into: buffer.mutableSpan, until: longTime) }) }
    step("write after the own end") { words(try near.with { try $0.write("more".utf8.span) }) }
    step("write the other way") { words(try far.with { try $0.write("back".utf8.span) }) }
    near.awaitSomething()
    step("read the other way") { words(try near.with { try $0.read(into: buffer.mutableSpan) }, buffer) }
  }
  step("close the second end")
  far.close()
  near.awaitSomething()
  step("read after the peer has closed") {
    words(try near.with { try $0.read(into: buffer.mutableSpan, until: longTime) })
  }
  step("close the first end")
  near.close()

  step("connect without waiting")
  let pending = try S.startConnecting(to: here)
  awaitSomething(try listener.with { $0.descriptor })
  step("connected?")
  let client = Held(try pending.finish(until: longTime))
  step("accept, waiting")
  let server = Held(try listener.with { try $0.accept(until: longTime) })
  step("write what the peer will not read") { words(try client.with { try $0.write("unread".utf8.span) }) }
  server.awaitSomething()
  step("the peer closes without reading")
  server.close()
  client.awaitSomething()
  step("read then") { words(try client.with { try $0.read(into: buffer.mutableSpan, until: longTime) }) }
  step("write then") { words(try client.with { try $0.write("more".utf8.span) }) }
  step("close")
  client.close()
}
