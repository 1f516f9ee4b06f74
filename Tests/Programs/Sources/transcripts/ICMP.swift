internal import Glibc
internal import SocketKit

/// Echo requests to this host, over any socket that may send them. A raw one hears the request too, with the IP header.
private func echo<S: DatagramSocket & ~Copyable>(_ socket: Held<S>, isRaw: Bool) throws {
  var buffer = [UInt8](repeating: 0, count: 128)
  var info = MessageInfo()
  step("receive, nothing there") { words(try socket.with { try $0.receive(into: buffer.mutableSpan, &info) }) }
  step("receive, nothing there, with a time limit") {
    counted(try socket.with { try $0.receive(into: buffer.mutableSpan, &info, until: .after(shortTime)) })
  }
  cancelledStep("receive, nothing there") { control in
    counted(
      try socket.with { try $0.receive(into: buffer.mutableSpan, &info, until: longTime.cancellable(by: control)) })
  }
  var message = [UInt8](repeating: 0, count: 64)
  var span = message.mutableSpan
  let length = ICMPEcho(identifier: 1, sequence: 7).encode(for: .ipv4, payload: "ping".utf8.span, into: &span) ?? 0
  step("send an echo request") {
    words(try socket.with { try $0.send(message.span.extracting(first: length)) })
  }
  for _ in 0..<(isRaw ? 2 : 1) {
    step("receive") {
      let number = try socket.with { try $0.receive(into: buffer.mutableSpan, &info, until: longTime) }
      let bytes = buffer.span.extracting(first: number)
      let headerLength = isRaw ? IPv4Header(bytes)?.length ?? 0 : 0
      let packet = bytes.extracting(droppingFirst: headerLength)
      guard let echo = ICMPEcho(packet, family: .ipv4) else { return "\(number) bytes that are no echo" }
      return "\(number) bytes, \(echo.isReply ? "a reply" : "a request"), number \(echo.sequence)"
    }
  }
  step("send what is no echo request") { words(try socket.with { try $0.send("x".utf8.span) }) }
  step("send one that is too long") {
    words(try socket.with { try $0.send([UInt8](repeating: 8, count: 70_000).span) })
  }
  step("close")
  socket.close()
}

func icmp() throws {
  step("connect where the range of groups forbids it") {
    _ = try ICMPSocket.connect(to: .loopback(port: 0))
    return "connected"
  }
  guard let file = fopen("/proc/sys/net/ipv4/ping_group_range", "w") else { return line("!! no ping_group_range") }
  fputs("0 2147483647\n", file)
  fclose(file)
  step("connect")
  try echo(Held(try ICMPSocket.connect(to: .loopback(port: 0))), isRaw: false)
}

func raw() throws {
  step("connect")
  try echo(Held(try RawIPSocket.connect(.icmp, to: .loopback(port: 0))), isRaw: true)
}
