import Glibc
import SocketKit
import TestSupport
import Testing

/// Other programs at the other end of datagrams, both ways round: socat and python3.
@Suite(.exclusive) struct UDPPeerTests {
  private let message = Array("hello, datagram\n".utf8)

  /// Whether the peer is here; where everything must be, its absence is a failure.
  private func has(_ program: String) -> Bool {
    let found = PeerProcess.exists(program)
    #expect(found || !mustBeAvailable, "unavailable: \(program) is not installed")
    return found
  }

  /// A client program sends a datagram and prints what we answer.
  private func serve(_ way: UDPWay, _ arguments: (UInt16) -> [String]) throws {
    let server = try UDPSocket.bind(to: way.any)
    let peer = try #require(PeerProcess(arguments(server.port())))
    let deadline = Deadline.after(.seconds(20))
    var bytes = [UInt8](repeating: 0, count: 100)
    var info = MessageInfo()
    let count = try server.receive(into: bytes.mutableSpan, &info, until: deadline)
    #expect(Array(bytes.prefix(count)) == message)
    try server.send(bytes.span.extracting(first: count), to: IPSocketAddress(info.address), until: deadline)
    let (output, status) = peer.finish()
    #expect(output == message && status == 0)
  }

  /// A server program echoes; we send until it is there and answers.
  private func use(_ target: IPSocketAddress, _ arguments: [String], _ request: [UInt8]) throws -> [UInt8]? {
    let peer = try #require(PeerProcess(arguments))
    let socket = try UDPSocket.connect(to: target)
    let deadline = Deadline.after(.seconds(20))
    var bytes = [UInt8](repeating: 0, count: 600)
    while !deadline.hasPassed {
      do throws(SocketError) {
        var info = MessageInfo()
        try socket.send(request.span, to: nil, until: deadline)
        let count = try socket.receive(into: bytes.mutableSpan, &info, until: .after(.milliseconds(300)))
        #expect(peer.finish().status == 0)
        return Array(bytes.prefix(count))
      } catch {
        // It is still starting: nobody is there, or nobody answers yet.
        #expect(error.code == .connectionRefused || error.code == .timedOut)
        sleep(milliseconds: 20)
      }
    }
    return nil
  }

  @Test func socatSendsToUs() throws {
    guard has("socat") else { return }
    let say = "(printf 'hello, datagram\\n'; sleep 0.4) | socat -t 0.4 -"
    for way in UDPWay.allCases {
      try serve(way) { ["sh", "-c", "\(say) UDP\(way.isIPv4 ? "4" : "6")-SENDTO:\(way.target($0))"] }
    }
  }

  @Test func weSendToSocat() throws {
    guard has("socat") else { return }
    for way in [UDPWay.v4, .v6] {
      let target = way.target(try UDPSocket.bind(to: way.any).port())
      let (version, address) = way == .v4 ? ("4", "127.0.0.1") : ("6", "[::1]")
      let receiver = "UDP\(version)-RECVFROM:\(target.port),bind=\(address)"
      #expect(try use(target, ["socat", receiver, "EXEC:cat"], message) == message)
    }
  }

  @Test func pythonSendsToUs() throws {
    guard has("python3") else { return }
    let client = """
      import socket,sys
      s=socket.socket(socket.AF_INET6 if ':' in sys.argv[1] else socket.AF_INET,socket.SOCK_DGRAM)
      s.settimeout(20)
      s.sendto(b'hello, datagram\\n',(sys.argv[1],int(sys.argv[2])))
      data,control,flags,sender=s.recvmsg(100,100)
      assert sender[1]==int(sys.argv[2]) and flags==0
      sys.stdout.buffer.write(data)
      """
    for way in UDPWay.allCases {
      try serve(way) { ["python3", "-c", client, way.isIPv4 ? "127.0.0.1" : "::1", "\($0)"] }
    }
  }

  /// What we ask of a packet, python's recvmsg(2) reads: IP_PKTINFO, IP_TTL, IP_TOS, and their like of IPv6.
  @Test func pythonReadsWhatWeAskFor() throws {
    guard has("python3") else { return }
    let server = """
      import socket,struct,sys
      six=':' in sys.argv[1]
      s=socket.socket(socket.AF_INET6 if six else socket.AF_INET,socket.SOCK_DGRAM)
      level=41 if six else 0
      for option in ((49,51,66) if six else (8,12,13)): s.setsockopt(level,option,1)
      s.bind((sys.argv[1],int(sys.argv[2])))
      data,control,flags,sender=s.recvmsg(100,500)
      found={t:d for l,t,d in control if l==level}
      hops=struct.unpack('i',found[52 if six else 2])[0]; tos=found[67 if six else 1][0]
      index=struct.unpack('i',found[50][16:] if six else found[8][:4])[0]
      s.sendto(f'{hops} {tos} {index} {sender[0]}'.encode(),sender)
      """
    for way in [UDPWay.v4, .v6] {
      let target = way.target(try UDPSocket.bind(to: way.any).port())
      let peer = try #require(
        PeerProcess(["python3", "-c", server, way == .v4 ? "127.0.0.1" : "::1", "\(target.port)"]))
      let socket = try UDPSocket.bind(to: way == .v4 ? .anyIPv4(port: 0) : .any(port: 0))
      var metadata = OutgoingMetadata()
      metadata.source = way == .v4 ? .v4(IPv4Address(127, 0, 0, 9)) : .v6(.loopback)
      metadata.hopLimit = 17
      metadata.trafficClass = 0x2a
      var answer = ""
      for _ in 0..<200 where answer.isEmpty {
        _ = try socket.send(message.span, to: target, metadata: metadata)
        sleep(milliseconds: 50)
        var bytes = [UInt8](repeating: 0, count: 100)
        var info = MessageInfo()
        if let count = try socket.receive(into: bytes.mutableSpan, &info) {
          answer = String(decoding: bytes.prefix(count), as: UTF8.self)
        }
      }
      #expect(answer == "17 42 1 \(way == .v4 ? "127.0.0.9" : "::1")")
      #expect(peer.finish().status == 0)
    }
  }

  /// What python asks of its packets by sendmsg(2), we read.
  @Test func weReadWhatPythonAsksFor() throws {
    guard has("python3") else { return }
    let client = """
      import socket,struct,sys
      six=':' in sys.argv[1]
      s=socket.socket(socket.AF_INET6 if six else socket.AF_INET,socket.SOCK_DGRAM)
      level=41 if six else 0
      control=[(level,52 if six else 2,struct.pack('i',23)),(level,67 if six else 1,struct.pack('i',9))]
      s.sendmsg([b'one ',b'datagram'],control,0,(sys.argv[1],int(sys.argv[2])))
      """
    for way in UDPWay.allCases {
      let server = try UDPSocket.bind(to: way.any)
      for option in [SocketOption<UDPSocketOptions, Bool>.packetInfo, .receiveHopLimit, .receiveTrafficClass] {
        try server.setOption(option, to: true)
      }
      let address = way.isIPv4 ? "127.0.0.1" : "::1"
      let peer = try #require(PeerProcess(["python3", "-c", client, address, "\(server.port())"]))
      let (bytes, _, metadata) = try server.nextWithMetadata()
      #expect(bytes == Array("one datagram".utf8))
      #expect(metadata.hopLimit == 23 && metadata.trafficClass == 9 && metadata.destination == way.target(0))
      #expect(peer.finish().status == 0)
    }
  }

  /// A question for the address of "a.test", class IN (RFC 1035, 4.1).
  private func question(_ number: UInt16) -> [UInt8] {
    [UInt8(number >> 8), UInt8(number & 255), 1, 0, 0, 1, 0, 0, 0, 0, 0, 0]
      + [1, 0x61, 4, 0x74, 0x65, 0x73, 0x74, 0, 0, 1, 0, 1]
  }
  /// One address record, the name by reference to the question.
  private let record: [UInt8] = [0xc0, 12, 0, 1, 0, 1, 0, 0, 0, 60, 0, 4, 127, 9, 8, 7]

  @Test func pythonAnswersLikeANameServer() throws {
    guard has("python3") else { return }
    let server = """
      import socket,sys
      s=socket.socket(socket.AF_INET,socket.SOCK_DGRAM); s.bind(('127.0.0.1',int(sys.argv[1])))
      q,peer=s.recvfrom(512)
      assert q[12:20]==b'\\x01a\\x04test\\0'
      answer=b'\\xc0\\x0c\\0\\1\\0\\1\\0\\0\\0<\\0\\4\\x7f\\x09\\x08\\x07'
      s.sendto(q[:2]+b'\\x81\\x80\\0\\1\\0\\1\\0\\0\\0\\0'+q[12:]+answer,peer)
      """
    let target = IPSocketAddress.loopback(port: try UDPSocket.bind(to: .loopback(port: 0)).port())
    let answer = try #require(try use(target, ["python3", "-c", server, "\(target.port)"], question(0x1234)))
    #expect(answer.prefix(4) == [0x12, 0x34, 0x81, 0x80] && Array(answer.suffix(16)) == record)
  }

  @Test func weAnswerLikeANameServer() throws {
    guard has("python3") else { return }
    let client = """
      import socket,sys
      s=socket.socket(socket.AF_INET,socket.SOCK_DGRAM); s.settimeout(20)
      s.connect(('127.0.0.1',int(sys.argv[1])))
      for n in range(20):
        q=bytes([n,7,1,0,0,1,0,0,0,0,0,0])+b'\\x01a\\x04test\\0\\0\\1\\0\\1'
        s.send(q); a=s.recv(512)
        assert a[:2]==q[:2] and a[2]&0x80 and a[12:24]==q[12:]
      print('.'.join(map(str,a[-4:])))
      """
    let server = try UDPSocket.bind(to: .loopback(port: 0))
    let peer = try #require(PeerProcess(["python3", "-c", client, "\(server.port())"]))
    var batch = MessageBatch(capacity: 8, messageCapacity: 512)
    var answers = MessageBatch(capacity: 8, messageCapacity: 512)
    var answered = 0
    while answered < 20 {
      let count = try batch.receive(from: server, until: .after(.seconds(20)))
      answers.removeAll()
      for slot in 0..<count {
        var bytes = batch[slot].bytes.array
        try #require(bytes.count == 24)
        (bytes[2], bytes[3], bytes[7]) = (0x81, 0x80, 1)
        try answers.append((bytes + record).span, to: batch[slot].address)
      }
      try answers.send(on: server, until: .after(soon))
      answered += count
    }
    let (output, status) = peer.finish()
    #expect(String(decoding: output, as: UTF8.self) == "127.9.8.7\n" && status == 0)
  }
}
