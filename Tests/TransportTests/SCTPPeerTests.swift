import SocketKit
import TestSupport
import Testing

/// Other programs at the other end: python3, socat, ncat and lksctp-tools' own.
@Suite(.exclusive, .needsSCTP) struct SCTPPeerTests {
  private let line = "hello, peer\n"

  private func has(_ program: String) -> Bool {
    let found = PeerProcess.exists(program)
    #expect(found || !mustBeAvailable, "unavailable: \(program) is not installed")
    return found
  }

  /// A client program connects to us, sends a line, and prints what we answer.
  private func serve(_ address: IPSocketAddress, _ arguments: (IPSocketAddress) -> [String]) throws {
    let listener = try SCTPSocket.listen(on: address)
    let peer = try #require(PeerProcess(arguments(try listener.localAddress())))
    try answer(listener)
    let (output, status) = peer.finish()
    #expect(output == Array(line.utf8) && status == 0)
  }

  /// A server program echoes; we connect, send and read back.
  private func use(_ loopback: (UInt16) -> IPSocketAddress, _ arguments: (UInt16) -> [String]) throws {
    let port = try SCTPSocket.listen(on: loopback(0)).localAddress().port
    let peer = try #require(PeerProcess(arguments(port)))
    let socket = try connect(to: loopback(port))
    try socket.say(line)
    #expect(try socket.hear(line.utf8.count) == line)
    #expect(socket.closing(within: .seconds(30)).ending == .graceful)
    #expect(peer.finish().status == 0)
  }

  /// The program may still be starting.
  private func connect(to address: IPSocketAddress) throws(SocketError) -> SCTPSocket {
    let deadline = Deadline.after(.seconds(30))
    while true {
      do throws(SocketError) {
        return try SCTPSocket.connect(to: address, until: deadline)
      } catch {
        if deadline.hasPassed || error.code != .connectionRefused { throw error }
        sleep(milliseconds: 50)
      }
    }
  }

  /// One process plays all four parts, because it takes long to start in the guest kernel.
  private let pythonParts = """
    import socket,sys
    hosts=[('127.0.0.1',socket.AF_INET),('::1',socket.AF_INET6)]
    def make(f): return socket.socket(f,socket.SOCK_STREAM,socket.IPPROTO_SCTP)
    listeners=[]
    for (host,family),port in zip(hosts,sys.argv[3:]):
      l=make(family); l.setsockopt(socket.SOL_SOCKET,socket.SO_REUSEADDR,1); l.bind((host,int(port))); l.listen(1)
      listeners.append(l)
    for (host,family),port in zip(hosts,sys.argv[1:]):
      s=make(family); s.connect((host,int(port))); s.sendall(b'hello, peer\\n')
      while True:
        b=s.recv(100)
        if not b: break
        sys.stdout.buffer.write(b)
    for l in listeners:
      s,_=l.accept()
      while True:
        b=s.recv(100)
        if not b: break
        s.sendall(b)
    """

  @Test func python() throws {
    guard has("python3") else { return }
    let four = try SCTPSocket.listen(on: .loopback(port: 0))
    let six = try SCTPSocket.listen(on: .loopbackIPv6(port: 0))
    let free4 = try SCTPSocket.listen(on: .loopback(port: 0)).localAddress()
    let free6 = try SCTPSocket.listen(on: .loopbackIPv6(port: 0)).localAddress()
    let ports = [try four.localAddress(), try six.localAddress(), free4, free6].map { "\($0.port)" }
    let peer = try #require(PeerProcess(["python3", "-S", "-E", "-c", pythonParts] + ports))
    try answer(four)
    try answer(six)
    for address in [free4, free6] {
      let socket = try connect(to: address)
      try socket.say(line)
      #expect(try socket.hear(line.utf8.count) == line)
      #expect(socket.closing(within: .seconds(30)).ending == .graceful)
    }
    let (output, status) = peer.finish()
    #expect(output == Array((line + line).utf8) && status == 0)
  }

  private func answer(_ listener: borrowing Listener<SCTPSocket>) throws {
    let socket = try listener.accept(until: .after(.seconds(30)))
    #expect(try socket.hear(line.utf8.count) == line)
    try socket.say(line)
    #expect(socket.closing(within: .seconds(30)).ending == .graceful)
  }

  // The end of their input must not end the association, which has no half-close: hence shut-none, and the command that
  // keeps ncat's input open.

  @Test func socat() throws {
    guard has("socat") else { return }
    try serve(.loopback(port: 0)) {
      ["sh", "-c", "printf 'hello, peer\\n' | socat -t 20 - SCTP-CONNECT:127.0.0.1:\($0.port),shut-none"]
    }
    try serve(.loopbackIPv6(port: 0)) {
      ["sh", "-c", "printf 'hello, peer\\n' | socat -t 20 - 'SCTP6-CONNECT:[::1]:\($0.port),shut-none'"]
    }
    try use(IPSocketAddress.loopback) {
      ["socat", "-t", "20", "SCTP-LISTEN:\($0),bind=127.0.0.1,reuseaddr", "EXEC:cat"]
    }
    try use(IPSocketAddress.loopbackIPv6) {
      ["socat", "-t", "20", "SCTP6-LISTEN:\($0),bind=[::1],reuseaddr", "EXEC:cat"]
    }
  }

  @Test func ncat() throws {
    guard has("ncat") else { return }
    try serve(.loopback(port: 0)) {
      [
        "sh", "-c",
        "exec ncat --sctp 127.0.0.1 \($0.port) -c 'printf \"hello, peer\\\\n\"; head -n 1 >&3' 3>&1",
      ]
    }
    try use(IPSocketAddress.loopback) { ["ncat", "--sctp", "-l", "127.0.0.1", "\($0)", "--exec", "/bin/cat"] }
  }

  /// Ten messages of one byte from its one-to-many socket with two addresses, each of which it wants answered.
  @Test func lksctpClient() throws {
    guard has("checksctp"), has("sctp_test") else { return }
    let (_, supported) = try #require(PeerProcess(["checksctp"])).finish()
    #expect(supported == 0)
    let free = try SCTPSocket.listen(on: .loopback(port: 0)).localAddress().port
    let listener = try SCTPSocket.listen(on: .loopback(port: 0))
    let port = try listener.localAddress().port
    let client = try #require(
      PeerProcess([
        "sctp_test", "-H", "127.0.0.1", "-B", "127.0.0.2", "-P", "\(free)", "-h", "127.0.0.1", "-p", "\(port)", "-s",
        "-c", "0", "-x", "1", "-d", "0", "-D",
      ]))
    let socket = try listener.accept(until: .after(.seconds(30)))
    #expect(try Set(socket.option(.peerAddresses)) == [.local(1, port: free), .local(2, port: free)])
    var count = 0
    var buffer = [UInt8](repeating: 0, count: 4096)
    while case .bytes(let more) = try socket.read(into: buffer.mutableSpan, until: .after(.seconds(30))) {
      count += more
      // After the last it may be gone before the answer is sent.
      if count <= 10 { _ = refusal { try socket.say("ok") } }
    }
    let (output, status) = client.finish()
    #expect(status == 0 && count == 10, "\(count) bytes: \(String(decoding: output, as: UTF8.self))")
  }

  @Test func lksctpServer() throws {
    guard has("sctp_darn") else { return }
    // It writes nothing into a pipe before its end, which is a signal here.
    let unbuffered = ["stdbuf", "-o0"]
    let port = try SCTPSocket.listen(on: .loopback(port: 0)).localAddress().port
    let server = try #require(
      PeerProcess(unbuffered + ["sctp_darn", "-H", "127.0.0.1", "-P", "\(port)", "-B", "127.0.0.2", "-l"]))
    let socket = try connect(to: .local(2, port: port))
    #expect(try Set(socket.option(.peerAddresses)) == [.local(1, port: port), .local(2, port: port)])
    try socket.say("to darn")
    #expect(socket.closing(within: .seconds(30)).ending == .graceful)
    // It listens for ever, and may still be printing. Its last letter it overwrites.
    let end = "No association is present now!!\n"
    let output = server.finish(after: end)
    #expect(output.contains("DATA(7):  to dar\n"), "\(output)")
    #expect(output.hasSuffix(end))
  }
}
