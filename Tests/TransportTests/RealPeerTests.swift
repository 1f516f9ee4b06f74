import Glibc
import SocketKit
import TestSupport
import Testing

/// Other programs at the other end, both ways round: socat, ncat and python3.
@Suite(.exclusive) struct RealPeerTests {
  private let message = Array("hello, peer\n".utf8)

  /// Whether the peer is here; where everything must be, its absence is a failure.
  private func has(_ program: String) -> Bool {
    let found = PeerProcess.exists(program)
    #expect(found || !mustBeAvailable, "unavailable: \(program) is not installed")
    return found
  }

  /// A client program connects to us, sends a line, and prints what we answer.
  private func serve<S: Transport & Acceptable<Void> & ~Copyable>(
    _ listener: borrowing Listener<S>, _ arguments: [String]
  ) throws where S: StreamSocket {
    let peer = try #require(PeerProcess(arguments))
    let socket = try listener.accept(until: .after(.seconds(20)))
    var received = [UInt8](repeating: 0, count: message.count)
    try socket.readExactly(into: received.mutableSpan, until: .after(.seconds(20)))
    #expect(received == message)
    try socket.writeAll(received.span, until: .after(.seconds(20)))
    try socket.shutdown(.write)
    let (output, status) = peer.finish()
    #expect(output == message && status == 0)
  }

  /// A server program echoes; we connect, send and read back.
  private func use<S: Transport & Acceptable<Void> & ~Copyable>(
    _ type: S.Type, _ address: S.Address, _ arguments: [String]
  ) throws where S: StreamSocket {
    let peer = try #require(PeerProcess(arguments))
    let deadline = Deadline.after(.seconds(20))
    var connected = false
    while !connected && !deadline.hasPassed {
      do throws(SocketError) {
        let socket = try S.connect(to: address, until: deadline)
        connected = true
        echo(socket)
      } catch {
        sleep(milliseconds: 20)  // it is still starting
      }
    }
    #expect(connected)
    #expect(peer.finish().status == 0)
  }

  private func echo<S: StreamSocket & ~Copyable>(_ socket: borrowing S) {
    do throws(SocketError) {
      try socket.writeAll(message.span, until: .after(.seconds(20)))
      try socket.shutdown(.write)
      var received = [UInt8](repeating: 0, count: message.count)
      try socket.readExactly(into: received.mutableSpan, until: .after(.seconds(20)))
      #expect(received == message)
      #expect(try socket.read(into: received.mutableSpan, until: .after(.seconds(20))) == .endOfStream)
    } catch {
      Issue.record("\(error)")
    }
  }

  @Test func socatConnectsToUs() throws {
    guard has("socat") else { return }
    let tcp = try TCPSocket.listen(on: .loopback(port: 0))
    try serve(tcp, ["sh", "-c", "printf 'hello, peer\\n' | socat -t 10 - TCP:\(tcp.localAddress())"])
    let path = temporaryPath()
    let unix = try UnixStreamSocket.listen(on: UnixAddress(path: path))
    try serve(unix, ["sh", "-c", "printf 'hello, peer\\n' | socat -t 10 - UNIX-CONNECT:\(path)"])
    let name = "peer-\(getpid())"
    let abstract = try UnixStreamSocket.listen(on: UnixAddress(abstract: name))
    try serve(abstract, ["sh", "-c", "printf 'hello, peer\\n' | socat -t 10 - ABSTRACT-CONNECT:\(name)"])
  }

  @Test func weConnectToSocat() throws {
    guard has("socat") else { return }
    let port = try TCPSocket.listen(on: .loopback(port: 0)).localAddress().port
    try use(
      TCPSocket.self, .loopback(port: port),
      ["socat", "-t", "10", "TCP-LISTEN:\(port),bind=127.0.0.1,reuseaddr", "EXEC:cat"])
    let path = temporaryPath()
    try use(
      UnixStreamSocket.self, UnixAddress(path: path), ["socat", "-t", "10", "UNIX-LISTEN:\(path)", "EXEC:cat"])
    CLibrary.unlink(path)
  }

  @Test func ncatConnectsToUs() throws {
    guard has("ncat") else { return }
    let tcp = try TCPSocket.listen(on: .loopbackIPv6(port: 0))
    let port = try tcp.localAddress().port
    try serve(tcp, ["sh", "-c", "printf 'hello, peer\\n' | ncat -6 ::1 \(port)"])
    let path = temporaryPath()
    let unix = try UnixStreamSocket.listen(on: UnixAddress(path: path))
    try serve(unix, ["sh", "-c", "printf 'hello, peer\\n' | ncat -U \(path)"])
  }

  @Test func pythonAtEitherEnd() throws {
    guard has("python3") else { return }
    let client = """
      import socket,sys
      family,address=sys.argv[1],sys.argv[2]
      s=socket.socket(getattr(socket,family))
      s.connect((address.split(':')[0],int(address.split(':')[1])) if family=='AF_INET' else address.replace('@','\\0'))
      s.sendall(b'hello, peer\\n'); s.shutdown(socket.SHUT_WR)
      while True:
        b=s.recv(100)
        if not b: break
        sys.stdout.buffer.write(b)
      """
    let tcp = try TCPSocket.listen(on: .loopback(port: 0))
    try serve(tcp, ["python3", "-c", client, "AF_INET", "\(tcp.localAddress())"])
    let unix = try UnixStreamSocket.listen(on: UnixAddress(abstract: "python-\(getpid())"))
    try serve(unix, ["python3", "-c", client, "AF_UNIX", "\(unix.localAddress())"])
    let server = """
      import socket,sys
      l=socket.socket(socket.AF_UNIX); l.bind('\\0'+sys.argv[1]); l.listen(1); s,_=l.accept()
      while True:
        b=s.recv(100)
        if not b: break
        s.sendall(b)
      """
    let name = "python-server-\(getpid())"
    try use(UnixStreamSocket.self, UnixAddress(abstract: name), ["python3", "-c", server, name])
  }
}
