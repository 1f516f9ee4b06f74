internal import Glibc
internal import SocketKit

/// Every verb of a poller, over a pair of Unix streams.
func polling<P: Poller & ~Copyable>(_ type: P.Type) throws {
  step("make a poller")
  var poller = try P(P.configuration(capacity: 8))
  let ends = try UnixStreamSocket.pair().split { first, second in [Held(first), Held(second)] }
  let near = ends[0]
  let far = ends[1]
  var buffer = [UInt8](repeating: 0, count: 16)
  step("watch for reading") {
    try near.with { try poller.register($0, for: .readable, token: Token(index: 5)) }
    return "watched"
  }
  step("watch it again") {
    try near.with { try poller.register($0, for: .readable, token: Token(index: 6)) }
    return "watched"
  }
  step("look, nothing there") { events(&poller, try poller.wait(until: .past)) }
  step("wait, nothing there, with a time limit") { events(&poller, try poller.wait(until: .after(shortTime))) }
  var helper = whenWaiting { _ = try far.with { try $0.write("x".utf8.span) } }
  step("wait, another thread writes meanwhile") { events(&poller, try poller.wait(until: longTime)) }
  helper.join()
  step("look again: it is still there") { events(&poller, try poller.wait(until: .past)) }
  step("read it") { words(try near.with { try $0.read(into: buffer.mutableSpan) }, buffer) }
  step("watch for writing instead") {
    try near.with { try poller.modify($0, for: .writable, token: Token(index: 7)) }
    return events(&poller, try poller.wait(until: longTime))
  }
  step("once only") {
    try near.with { try poller.modify($0, for: .writable, trigger: .oneShot, token: Token(index: 8)) }
    let first = events(&poller, try poller.wait(until: longTime))
    return first + ", then " + events(&poller, try poller.wait(until: .past))
  }
  let waker = poller.waker
  helper = whenWaiting { waker.wake() }
  step("wait, woken by another thread") {
    let text = events(&poller, try poller.wait(until: longTime))
    return poller.wasWoken ? "\(text), woken" : text
  }
  helper.join()
  cancelledStep("wait") { control in events(&poller, try poller.wait(until: longTime.cancellable(by: control))) }
  step("the peer closes") {
    try near.with { try poller.modify($0, for: .readable, token: Token(index: 9)) }
    far.close()
    return events(&poller, try poller.wait(until: longTime))
  }
  step("watch no more") {
    try near.with { try poller.deregister($0) }
    return events(&poller, try poller.wait(until: .past))
  }
  step("watch no more, once more") {
    try near.with { try poller.deregister($0) }
    return "done"
  }
  step("close all")
  near.close()
  _ = consume poller
}

private func events<P: Poller & ~Copyable>(_ poller: inout P, _ count: Int) -> String {
  if count == 0 { return "no event" }
  return (0..<count).map { index in
    let event = poller[event: index]
    let what = [event.isReadable ? "readable" : "", event.isWritable ? "writable" : ""].filter { !$0.isEmpty }
    return "\(event.token.index) is \(what.isEmpty ? "something else" : what.joined(separator: " and "))"
  }.joined(separator: "; ")
}
