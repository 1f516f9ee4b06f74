import Glibc
import SocketKit
import TestSupport
import Testing

/// Other programs at the other end of vsock, both ways round: socat, ncat and python3. In the guest kernel they must be
/// there.
@Suite(.exclusive, .guestOnly) struct VsockPeerTests {
  private let message = Array("hello, peer\n".utf8)
  /// The distribution's own first: what else goes by the name may be a script that an emulated machine runs for
  /// seconds.
  private let python = isExecutable("/usr/bin/python3") ? "/usr/bin/python3" : "python3"

  private func start(_ arguments: [String]) throws -> PeerProcess { try #require(PeerProcess(arguments)) }

  /// A program connects to us, sends a line, ends its writing, and prints what we answer.
  private func serve(_ arguments: (VsockPort) -> [String]) throws {
    let listener = try VsockStreamSocket.listen(port: .any)
    let peer = try start(arguments(try listener.localAddress().port))
    let socket = try listener.accept(until: .after(.seconds(20)))
    var received = [UInt8](repeating: 0, count: message.count)
    try socket.readExactly(into: received.mutableSpan, until: .after(.seconds(20)))
    #expect(received == message)
    try socket.writeAll(received.span, until: .after(.seconds(20)))
    try socket.shutdown(.write)
    let (output, status) = peer.finish()
    #expect(output == message && status == 0)
  }

  /// A program echoes; we connect as soon as it listens, send and read back.
  private func use(_ arguments: (VsockPort) -> [String]) throws {
    let port = try VsockStreamSocket.listen(port: .any).localAddress().port
    let peer = try start(arguments(port))
    let socket = try connecting(VsockStreamSocket.self, port)
    try socket.writeAll(message.span, until: .after(.seconds(20)))
    var received = [UInt8](repeating: 0, count: message.count)
    try socket.readExactly(into: received.mutableSpan, until: .after(.seconds(20)))
    // Not before: ncat closes everything when its input ends.
    try socket.shutdown(.write)
    let end = try socket.read(into: received.mutableSpan, until: .after(.seconds(20)))
    #expect(received == message && end == .endOfStream)
    #expect(peer.finish().status == 0)
  }

  private func connecting<S: Transport & Acceptable<Void> & ~Copyable>(
    _ type: S.Type, _ port: VsockPort
  ) throws -> S where S.Address == VsockAddress {
    let deadline = Deadline.after(.seconds(20))
    while true {
      do throws(SocketError) {
        return try S.connect(to: .local(port: port), until: deadline)
      } catch {
        // It is still starting.
        if error.code != .connectionReset || deadline.hasPassed { throw error }
        sleep(milliseconds: 20)
      }
    }
  }

  @Test func socatStreams() throws {
    try serve { ["sh", "-c", "printf 'hello, peer\\n' | socat -t 20 - VSOCK-CONNECT:1:\($0)"] }
    try use { ["socat", "-t", "20", "VSOCK-LISTEN:\($0)", "EXEC:cat"] }
  }

  @Test func ncatStreams() throws {
    try serve { ["sh", "-c", "printf 'hello, peer\\n' | ncat --vsock 1 \($0)"] }
    try use { ["ncat", "--vsock", "-l", "\($0)", "--exec", "/bin/cat"] }
  }

  // The module under python's socket module, without the rest: an emulated machine takes seconds to load that.
  @Test func pythonStreams() throws {
    let client = """
      import _socket as socket,sys
      s=socket.socket(40,1); s.connect((1,int(sys.argv[1])))
      s.sendall(b'hello, peer\\n'); s.shutdown(1)
      while True:
        b=s.recv(100)
        if not b: break
        sys.stdout.buffer.write(b)
      """
    try serve { [python, "-I", "-S", "-c", client, "\($0)"] }
    let server = """
      import _socket as socket,sys
      l=socket.socket(40,1); l.bind((0xffffffff,int(sys.argv[1]))); l.listen(1); s=socket.socket(fileno=l._accept()[0])
      while True:
        b=s.recv(100)
        if not b: break
        s.sendall(b)
      """
    try use { [python, "-I", "-S", "-c", server, "\($0)"] }
  }

  /// Packets of these sizes, there and back, each echoed whole.
  private let sizes = [8, 1, 4096, 65_536, 150_000, 100_000]

  private func exchange(_ socket: borrowing VsockSequencedPacketSocket) throws {
    var buffer = [UInt8](repeating: 0, count: 200_000)
    var info = MessageInfo()
    for (index, size) in sizes.enumerated() {
      let record = Array(vsockRecord(index, max(8, size)).prefix(size))
      try socket.send(record.span, until: .after(.seconds(20)))
      let outcome = try socket.receive(into: buffer.mutableSpan, &info, until: .after(.seconds(20)))
      let isSame = areSame(buffer, size, record)
      #expect(outcome == .bytes(size) && isSame)
    }
  }

  @Test func pythonPackets() throws {
    let loop = """
      while True:
        b=s.recv(200000)
        if not b: break
        s.send(b)
      """
    let listener = try VsockSequencedPacketSocket.listen(port: .any)
    let port = try listener.localAddress().port
    let client = try start([
      python, "-I", "-S", "-c",
      "import _socket as socket,sys\ns=socket.socket(40,5); s.connect((1,int(sys.argv[1])))\n\(loop)",
      "\(port)",
    ])
    let accepted = try listener.accept(until: .after(.seconds(20)))
    try exchange(accepted)
    try accepted.close()
    #expect(client.finish().status == 0)
    let free = try VsockSequencedPacketSocket.listen(port: .any).localAddress().port
    let server = try start([
      python, "-I", "-S", "-c",
      "import _socket as socket,sys\nl=socket.socket(40,5); l.bind((0xffffffff,int(sys.argv[1]))); l.listen(1)\n"
        + "s=socket.socket(fileno=l._accept()[0])\n\(loop)",
      "\(free)",
    ])
    let dialled = try connecting(VsockSequencedPacketSocket.self, free)
    try exchange(dialled)
    try dialled.close()
    #expect(server.finish().status == 0)
  }

  /// The rest of a sockaddr_vm behind its family, as socat wants it.
  private func socatAddress(_ contextID: UInt32, _ port: VsockPort) -> String {
    var digits = "x0000"
    for number in [port.rawValue, contextID, 0] {
      for byte in number.littleEndian.rawBytes {
        digits += (byte < 16 ? "0" : "") + String(byte, radix: 16)
      }
    }
    return digits
  }

  @Test func socatPackets() throws {
    let listener = try VsockSequencedPacketSocket.listen(port: .any)
    let port = try listener.localAddress().port
    let client = try start([
      "sh", "-c", "printf 'hello, peer\\n' | socat -t 20 - SOCKET-CONNECT:40:0:\(socatAddress(1, port)),socktype=5",
    ])
    let accepted = try listener.accept(until: .after(.seconds(20)))
    var buffer = [UInt8](repeating: 0, count: 100)
    var info = MessageInfo()
    let received = try accepted.receive(into: buffer.mutableSpan, &info, until: .after(.seconds(20)))
    #expect(received == .bytes(message.count) && Array(buffer.prefix(message.count)) == message)
    try accepted.send(message.span, until: .after(.seconds(20)))
    try accepted.shutdown(.write)
    let (output, status) = client.finish()
    #expect(output == message && status == 0)
    let free = try VsockSequencedPacketSocket.listen(port: .any).localAddress().port
    let server = try start([
      "socat", "-t", "20", "SOCKET-LISTEN:40:0:\(socatAddress(.max, free)),socktype=5", "EXEC:cat",
    ])
    let dialled = try connecting(VsockSequencedPacketSocket.self, free)
    try dialled.send(message.span, until: .after(.seconds(20)))
    let echo = try dialled.receive(into: buffer.mutableSpan, &info, until: .after(.seconds(20)))
    #expect(echo == .bytes(message.count) && Array(buffer.prefix(message.count)) == message)
    try dialled.shutdown(.write)
    let end = try dialled.receive(into: buffer.mutableSpan, &info, until: .after(.seconds(20)))
    #expect(end == .endOfStream)
    #expect(server.finish().status == 0)
  }
}
