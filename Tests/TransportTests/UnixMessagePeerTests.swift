import Glibc
import SocketKit
import TestSupport
import Testing

/// Descriptors, packets and datagrams between us and other programs: python3 and socat, both ways.
@Suite(.exclusive) struct UnixMessagePeerTests {
  private let late = Duration.seconds(20)

  /// Whether the peer is here; where everything must be, its absence is a failure.
  private func has(_ program: String) -> Bool {
    let found = PeerProcess.exists(program)
    #expect(found || !mustBeAvailable, "unavailable: \(program) is not installed")
    return found
  }

  private let header = """
    import array,os,socket,struct,sys,tempfile
    kind=getattr(socket,sys.argv[1]); path=sys.argv[2]
    files=[]
    def file(text):
      f=tempfile.TemporaryFile(); f.write(text); f.flush(); files.append(f); return f.fileno()
    def content(n): return os.pread(n,100,0)

    """

  /// It connects to us, sends three files, and prints what is in the one that we send back.
  private func serve<S: Transport & Acceptable<Void> & ~Copyable>(
    _ type: S.Type, _ name: String
  ) throws where S: PassingSocket {
    guard has("python3") else { return }
    let path = temporaryPath()
    let listener = try S.listen(on: UnixAddress(path: path))
    let script = """
      s=socket.socket(socket.AF_UNIX,kind); s.connect(path)
      socket.send_fds(s,[b'three'],[file(b'file %d'%i) for i in range(3)])
      b,n,f,a=socket.recv_fds(s,100,10)
      assert len(n)==1 and f & ~0x40000000==0,(n,f)
      sys.stdout.write(b.decode()+':'+content(n[0]).decode())
      """
    let peer = try #require(PeerProcess(["python3", "-c", header + script, name, path]))
    let socket = try listener.accept(until: .after(late))
    var received = ReceivedDescriptors<8>()
    var buffer = [UInt8](repeating: 0, count: 100)
    let outcome = try socket.receiveDescriptors(&received, into: buffer.mutableSpan, until: .after(late))
    let count = received.count
    #expect(outcome == .bytes(5) && count == 3 && buffer.prefix(5) == Array("three".utf8)[...])
    for index in 0..<count { #expect(content(received[index]) == "file \(index)") }
    let file = makeFile("from us")
    let sent = try socket.sendDescriptors([RawDescriptor(file)].span, with: Array("one".utf8).span, until: .after(late))
    close(file)
    let credentials = try socket.option(.peerCredentials)
    let (output, status) = peer.finish()
    #expect(sent == 3 && status == 0 && String(decoding: output, as: UTF8.self) == "one:from us")
    #expect(credentials.uid == getuid() && credentials.pid != getpid())
  }

  @Test func pythonPassesOverAStream() throws { try serve(UnixStreamSocket.self, "SOCK_STREAM") }
  @Test func pythonPassesOverPackets() throws { try serve(UnixSequencedPacketSocket.self, "SOCK_SEQPACKET") }

  /// Its recvmsg sees what our datagrams carry, and its answer comes with its credentials.
  @Test func pythonPassesOverDatagrams() throws {
    guard has("python3") else { return }
    let path = temporaryPath()
    let socket = try UnixDatagramSocket.bind(to: UnixAddress(path: path))
    try socket.setOption(.passCredentials, to: true)
    let script = """
      s=socket.socket(socket.AF_UNIX,kind); s.bind(b''); s.connect(path)
      socket.send_fds(s,[b'hello'],[file(b'theirs')])
      b,control,flags,a=s.recvmsg(100,socket.CMSG_SPACE(40))
      assert flags & ~0x40000000==0 and len(control)==1,(flags,control)
      level,kind,data=control[0]
      assert (level,kind)==(socket.SOL_SOCKET,socket.SCM_RIGHTS)
      n=array.array('i'); n.frombytes(data)
      sys.stdout.write(b.decode()+''.join(':'+content(i).decode() for i in n)+':%d'%os.getpid())
      """
    let peer = try #require(PeerProcess(["python3", "-c", header + script, "SOCK_DGRAM", path]))
    var received = ReceivedDescriptors<2>()
    var buffer = [UInt8](repeating: 0, count: 100)
    let outcome = try socket.receiveDescriptors(&received, into: buffer.mutableSpan, until: .after(late))
    let (count, sender, info) = (received.count, received.credentials, received.info)
    #expect(outcome == .bytes(5) && count == 1 && content(received[0]) == "theirs")
    let file = makeFile("ours")
    let list = [RawDescriptor](repeating: RawDescriptor(file), count: 2)
    let address = try #require(UnixAddress(info.address))
    #expect(address.abstractName != nil)
    _ = try socket.sendDescriptors(list.span, with: Array("two".utf8).span, to: address, until: .after(late))
    close(file)
    let (output, status) = peer.finish()
    #expect(status == 0)
    #expect(String(decoding: output, as: UTF8.self) == "two:ours:ours:\(sender?.pid ?? 0)")
  }

  /// We connect to it: the other way round.
  @Test func weConnectToPython() throws {
    guard has("python3") else { return }
    let path = temporaryPath()
    defer { CLibrary.unlink(path) }
    let script = """
      l=socket.socket(socket.AF_UNIX,kind); l.bind(path); l.listen(1); s,_=l.accept()
      b,n,f,a=socket.recv_fds(s,100,10)
      socket.send_fds(s,[b],n+[file(b'more')])
      """
    let peer = try #require(PeerProcess(["python3", "-c", header + script, "SOCK_SEQPACKET", path]))
    let socket = try connect(UnixSequencedPacketSocket.self, UnixAddress(path: path))
    let files = [makeFile("a"), makeFile("b")]
    let raw = files.map { RawDescriptor($0) }
    _ = try socket.sendDescriptors(raw.span, with: [1].span, until: .after(late))
    for file in files { close(file) }
    var received = ReceivedDescriptors<8>()
    var buffer: [UInt8] = [0]
    let outcome = try socket.receiveDescriptors(&received, into: buffer.mutableSpan, until: .after(late))
    let texts = (0..<received.count).map { content(received[$0]) }
    #expect(outcome == .bytes(1) && texts == ["a", "b", "more"])
    #expect(peer.finish().status == 0)
  }

  /// Connects to a program that may still be starting.
  private func connect<S: Transport & Acceptable<Void> & ~Copyable>(_ type: S.Type, _ address: S.Address) throws -> S {
    let deadline = Deadline.after(late)
    while true {
      do throws(SocketError) {
        return try S.connect(to: address, until: deadline)
      } catch {
        if deadline.hasPassed { throw error }
        sleep(milliseconds: 20)
      }
    }
  }

  @Test func socatSendsAndReceivesDatagrams() throws {
    guard has("socat") else { return }
    let path = temporaryPath()
    let theirs = temporaryPath("theirs")
    defer { CLibrary.unlink(theirs) }
    let socket = try UnixDatagramSocket.bind(to: UnixAddress(path: path))
    // It sends from a path of its own, and prints what comes within a second.
    let peer = try #require(
      PeerProcess(["sh", "-c", "printf hello | socat -t 1 - UNIX-SENDTO:\(path),bind=\(theirs)"]))
    var info = MessageInfo()
    var buffer = [UInt8](repeating: 0, count: 100)
    let count = try socket.receive(into: buffer.mutableSpan, &info, until: .after(late))
    #expect(count == 5 && UnixAddress(info.address)?.path == theirs)
    try socket.send(Array("answer".utf8).span, to: UnixAddress(path: theirs), until: .after(late))
    let (output, status) = peer.finish()
    #expect(status == 0 && String(decoding: output, as: UTF8.self) == "answer")
  }

  @Test func weSendToSocatsReceiver() throws {
    guard has("socat") else { return }
    let path = temporaryPath()
    defer { CLibrary.unlink(path) }
    let peer = try #require(
      PeerProcess(["sh", "-c", "socat -u UNIX-RECV:\(path) STDOUT 2>/dev/null | head -c 5"]))
    let deadline = Deadline.after(late)
    var sent = false
    while !sent && !deadline.hasPassed {
      do throws(SocketError) {
        let socket = try UnixDatagramSocket.connect(to: UnixAddress(path: path))
        sent = true
        for text in ["hello", "ends the pipe", "for good"] {
          _ = failure { () throws(SocketError) in try socket.send(Array(text.utf8).span, to: nil, until: .after(late)) }
          sleep(milliseconds: 100)
        }
      } catch {
        sleep(milliseconds: 20)
      }
    }
    let (output, _) = peer.finish()
    #expect(sent && String(decoding: output, as: UTF8.self) == "hello")
  }

  @Test func socatEchoesPackets() throws {
    guard has("socat") else { return }
    // It connects to us with packets, and echoes them.
    let path = temporaryPath()
    let listener = try UnixSequencedPacketSocket.listen(on: UnixAddress(path: path))
    let client = try #require(PeerProcess(["socat", "UNIX-CONNECT:\(path),socktype=5", "EXEC:cat"]))
    try echo(listener.accept(until: .after(late)))
    #expect(client.finish().status == 0)
    // We connect to it.
    let theirs = temporaryPath()
    defer { CLibrary.unlink(theirs) }
    let server = try #require(PeerProcess(["socat", "UNIX-LISTEN:\(theirs),socktype=5", "EXEC:cat"]))
    try echo(connect(UnixSequencedPacketSocket.self, UnixAddress(path: theirs)))
    #expect(server.finish().status == 0)
  }

  private func echo(_ socket: consuming UnixSequencedPacketSocket) throws {
    var info = MessageInfo()
    var buffer = [UInt8](repeating: 0, count: 100)
    for text in ["one", "three", "x"] {
      let bytes = Array(text.utf8)
      try socket.send(bytes.span, until: .after(late))
      let outcome = try socket.receive(into: buffer.mutableSpan, &info, until: .after(late))
      #expect(outcome == .bytes(bytes.count) && Array(buffer.prefix(bytes.count)) == bytes)
    }
    try socket.shutdown(.write)
    let end = try socket.receive(into: buffer.mutableSpan, &info, until: .after(late))
    #expect(end == .endOfStream)
  }
}
