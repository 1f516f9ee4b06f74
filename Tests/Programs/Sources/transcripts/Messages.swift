internal import Glibc
internal import SocketKit

/// Every verb of sequenced packets.
func packets<S: Transport & Acceptable<Void> & SequencedPacketSocket & ~Copyable>(
  _ type: S.Type, at address: S.Address, nobodyAt: S.Address, canPeek: Bool, fills: Bool
) throws {
  step("listen")
  let listener = Held(try S.listen(on: address))
  let here = try listener.with { try $0.localAddress() }
  step("connect where nobody listens") {
    _ = try S.connect(to: nobodyAt, until: longTime); return "connected"
  }
  step("connect")
  let near = Held(try S.connect(to: here, until: longTime))
  awaitSomething(try listener.with { $0.descriptor })
  step("accept, waiting")
  let far = Held(try listener.with { try $0.accept(until: longTime) })
  var buffer = [UInt8](repeating: 0, count: 32)
  var info = MessageInfo()

  step("receive, nothing there") { words(try far.with { try $0.receive(into: buffer.mutableSpan, &info) }) }
  step("receive, nothing there, with a time limit") {
    words(try far.with { try $0.receive(into: buffer.mutableSpan, &info, until: .after(shortTime)) })
  }
  cancelledStep("receive, nothing there") { control in
    words(try far.with { try $0.receive(into: buffer.mutableSpan, &info, until: longTime.cancellable(by: control)) })
  }
  let helper = whenWaiting { _ = try near.with { try $0.send("hello".utf8.span) } }
  step("receive, another thread sends meanwhile") {
    words(try far.with { try $0.receive(into: buffer.mutableSpan, &info, until: longTime) }, buffer)
  }
  helper.join()
  step("send two packets") {
    let first = words(try near.with { try $0.send("first".utf8.span) })
    _ = try near.with { try $0.send("second packet".utf8.span, until: longTime) }
    return first
  }
  far.awaitSomething()
  if canPeek {
    step("peek") {
      words(try far.with { try $0.receive(into: buffer.mutableSpan, &info, flags: .peek) }, buffer)
    }
  }
  step("receive the first") { words(try far.with { try $0.receive(into: buffer.mutableSpan, &info) }, buffer) }
  far.awaitSomething()
  step("receive the second with room for six bytes") {
    var little = [UInt8](repeating: 0, count: 6)
    let text = words(try far.with { try $0.receive(into: little.mutableSpan, &info) }, little)
    return "\(text), of \(info.length)\(info.isTruncated ? ", truncated" : "")"
  }
  try batches(near, far)
  if fills { try filling(near, far) }

  step("end writing") {
    try near.with { try $0.shutdown(.write) }
    return "ended"
  }
  far.awaitSomething()
  step("receive at the end") { words(try far.with { try $0.receive(into: buffer.mutableSpan, &info) }) }
  step("receive at the end, waiting") {
    words(try far.with { try $0.receive(into: buffer.mutableSpan, &info, until: longTime) })
  }
  step("send after the own end") { words(try near.with { try $0.send("more".utf8.span) }) }
  step("the peer closes")
  far.close()
  near.awaitSomething()
  step("receive then") { words(try near.with { try $0.receive(into: buffer.mutableSpan, &info) }) }
  step("close all")
  near.close()
  listener.close()
}

/// Batches over a connected pair.
func batches<S: MessageSocket & ~Copyable>(_ near: Held<S>, _ far: Held<S>) throws {
  var batch = MessageBatch(capacity: 4, messageCapacity: 16)
  step("receive a batch, nothing there") { messages(try far.with { try batch.receive(from: $0) }) }
  step("receive a batch, nothing there, with a time limit") {
    "\(try far.with { try batch.receive(from: $0, until: .after(shortTime)) }) messages"
  }
  step("send a batch of three") {
    batch.removeAll()
    for text in ["one", "two", "three"] { try batch.append(text.utf8.span) }
    return messages(try near.with { try batch.send(on: $0) })
  }
  far.awaitSomething()
  step("receive a batch until all three are there") {
    var texts: [String] = []
    while texts.count < 3 {
      let number = try far.with { try batch.receive(from: $0, until: longTime) }
      for slot in 0..<number {
        texts.append(
          batch[slot].bytes.withUnsafeBytes { String(decoding: $0, as: UTF8.self) })
      }
    }
    return texts.joined(separator: " ")
  }
}

private func messages(_ number: Int?) -> String { number.map { "\($0) messages" } ?? "would block" }

private func filling<S: SequencedPacketSocket & ~Copyable>(_ near: Held<S>, _ far: Held<S>) throws {
  let bytes = [UInt8](repeating: 7, count: 4096)
  step("send until the peer has no more room") {
    while try near.with({ try $0.send(bytes.span) }) != nil {}
    return "would block"
  }
  step("send to a full peer, with a time limit") {
    _ = try near.with { try $0.send(bytes.span, until: .after(shortTime)) }
    return "sent"
  }
  let helper = whenWaiting { try drainPackets(far) }
  step("send to a full peer, until another thread has received everything") {
    _ = try near.with { try $0.send(bytes.span, until: longTime) }
    return "sent"
  }
  helper.join()
  step("receive the rest (calls not shown)") {
    try drainPackets(far)
    return "nothing is left"
  }
}

private func drainPackets<S: SequencedPacketSocket & ~Copyable>(_ socket: Held<S>) throws {
  var buffer = [UInt8](repeating: 0, count: 4096)
  var info = MessageInfo()
  var quiet = 0
  while quiet < 4 {
    if try socket.with({ try $0.receive(into: buffer.mutableSpan, &info) }) == nil {
      quiet += 1
      usleep(20_000)
    } else {
      quiet = 0
    }
  }
}

/// Every verb of datagrams. `refused` is an address where nobody is.
func datagrams<S: DatagramSocket & Transport & ~Copyable>(
  _ type: S.Type, at address: S.Address, alsoAt other: S.Address, nobodyAt: S.Address
) throws {
  step("bind two sockets")
  let server = Held(try S.bind(to: address))
  let client = Held(try S.bind(to: other))
  let here = try server.with { try $0.localAddress() }
  var buffer = [UInt8](repeating: 0, count: 32)
  var info = MessageInfo()
  step("receive, nothing there") { words(try server.with { try $0.receive(into: buffer.mutableSpan, &info) }) }
  step("receive, nothing there, with a time limit") {
    counted(try server.with { try $0.receive(into: buffer.mutableSpan, &info, until: .after(shortTime)) })
  }
  cancelledStep("receive, nothing there") { control in
    counted(
      try server.with { try $0.receive(into: buffer.mutableSpan, &info, until: longTime.cancellable(by: control)) })
  }
  let helper = whenWaiting { _ = try client.with { try $0.send("hello".utf8.span, to: here) } }
  step("receive, another thread sends meanwhile") {
    counted(try server.with { try $0.receive(into: buffer.mutableSpan, &info, until: longTime) }, buffer)
  }
  helper.join()
  step("answer the sender") {
    guard let sender = S.Address(info.address) else { return "it has no address" }
    return words(try server.with { try $0.send("answer".utf8.span, to: sender) })
  }
  client.awaitSomething()
  step("receive the answer, and from whom") {
    var sender: S.Address?
    let text = words(try client.with { try $0.receive(into: buffer.mutableSpan, from: &sender) }, buffer)
    return sender == here ? "\(text), from the server" : text
  }
  step("send, waiting, an empty datagram and one that is long") {
    try client.with {
      try $0.send(Span(), to: here, until: longTime)
      try $0.send("a rather long one".utf8.span, to: here, until: longTime)
    }
    return "sent"
  }
  server.awaitSomething()
  step("receive the empty one") { words(try server.with { try $0.receive(into: buffer.mutableSpan, &info) }) }
  server.awaitSomething()
  step("peek") {
    words(try server.with { try $0.receive(into: buffer.mutableSpan, &info, flags: .peek) }, buffer)
  }
  step("receive with room for eight bytes") {
    var little = [UInt8](repeating: 0, count: 8)
    let text = words(try server.with { try $0.receive(into: little.mutableSpan, &info) }, little)
    return "\(text), of \(info.length)\(info.isTruncated ? ", truncated" : "")"
  }
  step("send one that is too long") {
    words(try client.with { try $0.send([UInt8](repeating: 0, count: 400_000).span, to: here) })
  }
  step("send where nobody is") { words(try client.with { try $0.send("x".utf8.span, to: nobodyAt) }) }
  step("send without saying to whom") { words(try client.with { try $0.send("x".utf8.span) }) }
  step("connect both")
  let there = try client.with { try $0.localAddress() }
  try client.with { try $0.connect(to: here) }
  try server.with { try $0.connect(to: there) }
  step("send to the peer") { words(try client.with { try $0.send("peer".utf8.span) }) }
  server.awaitSomething()
  step("receive from the peer") { words(try server.with { try $0.receive(into: buffer.mutableSpan, &info) }, buffer) }
  try severalBuffers(client, server)
  try batches(client, server)
  step("close one end")
  server.close()
  try afterwards(client)
  step("close the other")
  client.close()
}

/// Datagrams in several buffers, over a connected pair.
private func severalBuffers<S: DatagramSocket & ~Copyable>(_ near: Held<S>, _ far: Held<S>) throws {
  var (head, body) = ([UInt8](repeating: 0, count: 5), [UInt8](repeating: 0, count: 16))
  var info = MessageInfo()
  step("receive into two buffers, nothing there") {
    words(try far.with { try $0.receive(scattering: ScatterList(head.mutableSpan, body.mutableSpan), &info) })
  }
  step("send one datagram from two buffers") {
    words(try near.with { try $0.send(gathering: GatherList("a rather ".utf8.span, "long one".utf8.span)) })
  }
  far.awaitSomething()
  step("receive it into two others") {
    let count = try far.with { try $0.receive(scattering: ScatterList(head.mutableSpan, body.mutableSpan), &info) }
    return words(count, head + body)
  }
  step("send one from two buffers, waiting") {
    counted(
      try near.with { try $0.send(gathering: GatherList("short ".utf8.span, "ones".utf8.span), until: longTime) })
  }
  step("receive it, waiting, with room for eight bytes in two buffers") {
    var little = [UInt8](repeating: 0, count: 3)
    let count = try far.with {
      try $0.receive(scattering: ScatterList(head.mutableSpan, little.mutableSpan), &info, until: longTime)
    }
    return "\(counted(count, head + little)), of \(info.length)\(info.isTruncated ? ", truncated" : "")"
  }
}

/// What a connected socket hears when its peer has gone.
private func afterwards<S: DatagramSocket & ~Copyable>(_ client: Held<S>) throws {
  var buffer = [UInt8](repeating: 0, count: 32)
  var info = MessageInfo()
  step("send to a peer that has gone") { words(try client.with { try $0.send("x".utf8.span) }) }
  usleep(20_000)
  step("receive then") { words(try client.with { try $0.receive(into: buffer.mutableSpan, &info) }) }
}
