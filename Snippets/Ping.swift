// Pings this host over ICMP. Uses an unprivileged socket if net.ipv4.ping_group_range permits it, otherwise a raw
// socket, which requires CAP_NET_RAW.
import SocketKit

// snippet.ping
/// Sends one echo request and waits for its reply. An IPv4 raw socket also receives the IP header.
func ping<S: DatagramSocket & ~Copyable>(
  _ socket: borrowing S, _ family: AddressFamily, sequence: UInt16, identifier: UInt16?
) throws -> Duration {
  var message = [UInt8](repeating: 0, count: 512)
  var span = message.mutableSpan
  let request = ICMPEcho(identifier: identifier ?? 0, sequence: sequence)
  let length = request.encode(for: family, payload: "ping from SocketKit".utf8.span, into: &span) ?? 0
  let start = ContinuousClock.now
  let deadline = Deadline.after(.seconds(1))
  try socket.send(message.span.extracting(first: length), to: nil, until: deadline)
  var info = MessageInfo()
  while true {
    let count = try socket.receive(into: message.mutableSpan, &info, until: deadline)
    var reply = message.span.extracting(first: count)
    if identifier != nil, let header = IPv4Header(reply) { reply = reply.extracting(droppingFirst: header.length) }
    guard let echo = ICMPEcho(reply, family: family), echo.isReply, echo.sequence == sequence else { continue }
    // A raw socket also receives the replies to other programs. An ICMP socket receives only its own replies.
    if identifier == nil || echo.identifier == identifier { return start.duration(to: .now) }
  }
}

func pingSeveral<S: DatagramSocket & ~Copyable>(_ socket: borrowing S, _ peer: IPSocketAddress, raw: Bool) throws {
  let identifier = raw ? UInt16.random(in: 1...UInt16.max) : nil
  for sequence: UInt16 in 1...3 {
    let time = try ping(socket, peer.family, sequence: sequence, identifier: identifier)
    print("reply from \(peer.ip): sequence \(sequence), \(time) (\(raw ? "raw" : "unprivileged"))")
  }
}

let peer = IPSocketAddress.loopback(port: 0)
do {
  do {
    try pingSeveral(try ICMPSocket.connect(to: peer), peer, raw: false)
  } catch let error as SocketError where error.code == .permissionDenied {
    print(error)
    try pingSeveral(try RawIPSocket.connect(.icmp, to: peer), peer, raw: true)
  }
} catch {
  print(error)
}
// snippet.end
