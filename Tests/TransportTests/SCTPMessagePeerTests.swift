import Glibc
import SocketKit
import TestSupport
import Testing

/// Other programs at the other end, both ways round: python3's one-to-many and one-to-one sockets, lksctp-tools.
@Suite(.exclusive, .needsSCTP) struct SCTPMessagePeerTests {
  private func has(_ program: String) -> Bool {
    let found = PeerProcess.exists(program)
    if !found { unavailable("\(program) is not installed") }
    return found
  }

  /// Sends two messages to our port, with stream and payload protocol as the wire has them, and prints the answers;
  /// then listens at a port of its own, which it prints first, and answers two messages. The kernel hands python the
  /// network's order as it is.
  private static let pythonPeer = """
    import socket,struct,sys
    s=socket.socket(socket.AF_INET,socket.SOCK_SEQPACKET,132)
    s.settimeout(30)
    s.setsockopt(132,32,1)
    s.bind(('127.0.0.1',0))
    def get():
      data,control,flags,sender=s.recvmsg(100,200)
      sid,ssn,fl,ppid,tsn,cum,ctx,aid=struct.unpack('=HHHxxIIIIi',[c[2] for c in control if c[1]==3][0])
      print(data.decode(),sid,hex(socket.ntohl(ppid)),fl,bool(flags&socket.MSG_EOR))
      return data,sid,ppid,aid
    target=('127.0.0.1',int(sys.argv[1]))
    for sid,ppid,data in ((1,0x2e,b'one'),(4,0x01020304,b'two')):
      s.sendmsg([data],[(132,2,struct.pack('=HHIIi',sid,0,socket.htonl(ppid),0,0))],0,target)
    for _ in range(2): aid=get()[3]
    s.listen(5)
    s.sendmsg([b'%d'%s.getsockname()[1]],[(132,2,struct.pack('=HHIIi',0,0,0,0,aid))])
    for _ in range(2):
      data,sid,ppid,aid=get()
      s.sendmsg([data.upper()],[(132,2,struct.pack('=HHIIi',sid,1,ppid,0,aid))])
    s.recvmsg(1,200)
    """

  private static let exchange: [(String, UInt16, UInt32)] = [("one", 1, 0x2e), ("two", 4, 0x0102_0304)]

  /// One process for both directions: python takes long to start in an emulated machine.
  @Test func pythonBothWays() throws {
    guard has("python3") else { return }
    let server = try listeningEndpoint()
    let peer = try #require(
      PeerProcess(["python3", "-I", "-S", "-c", Self.pythonPeer, "\(try server.localAddress().port)"]))
    // It sends to us.
    for (text, stream, number) in Self.exchange {
      let (message, bytes) = try server.nextMessage(within: .seconds(60))
      #expect(bytes == Array(text.utf8) && message.info?.stream == stream && message.info?.payloadProtocol == number)
      var answer = SCTPSendInfo(stream: stream, payloadProtocol: number, association: message.association)
      answer.isUnordered = true
      try server.sendNow(Array("re-\(text)".utf8), answer)
    }
    let (_, name) = try server.nextMessage()
    let port = try #require(UInt16(String(decoding: name, as: UTF8.self)))
    // We send to it, by an association of our making.
    let client = try listeningEndpoint()
    let id = try client.connect(to: .loopback(port: port))
    _ = try client.nextChange(.up)
    for (text, stream, number) in Self.exchange {
      try client.sendNow(Array(text.utf8), SCTPSendInfo(stream: stream, payloadProtocol: number, association: id))
      let (message, bytes) = try client.nextMessage()
      #expect(bytes == Array(text.uppercased().utf8) && message.info?.stream == stream)
      #expect(message.info?.payloadProtocol == number && message.info?.isUnordered == true)
    }
    try client.sendNow([1], SCTPSendInfo(association: id))
    let (output, status) = peer.finish()
    let lines = String(decoding: output, as: UTF8.self).split(separator: "\n")
    #expect(lines.prefix(2).sorted() == ["re-one 1 0x2e 1 True", "re-two 4 0x1020304 1 True"] && status == 0)
    #expect(Array(lines.dropFirst(2)) == ["one 1 0x2e 0 True", "two 4 0x1020304 0 True"])
    _ = try client.nextChange(.shutDown)
  }

  /// sctp_test's client sends one message of each of its sizes, to our endpoint.
  @Test func lksctpSendsToUs() throws {
    guard has("sctp_test") else { return }
    let server = try listeningEndpoint()
    let own = try SCTPOneToManySocket.bind(to: .loopback(port: 0)).localAddress().port
    let peer = try #require(
      PeerProcess([
        "sctp_test", "-H", "127.0.0.1", "-P", "\(own)", "-h", "127.0.0.1", "-p", "\(try server.localAddress().port)",
        "-s", "-c", "4", "-x", "1", "-T",
      ]))
    var lengths: [Int] = []
    var length = 0
    var isOpen = true
    while isOpen {
      let (arrival, _) = try server.next(65536, within: .seconds(20))
      switch arrival {
      case .message(let message):
        length += message.count
        if message.isComplete {
          lengths.append(length)
          length = 0
        }
      case .notification(.associationChange(let change)) where change.isEnd: isOpen = false
      case .notification, .endOfStream: break
      }
    }
    let (output, status) = peer.finish()
    let text = String(decoding: output, as: UTF8.self)
    // It prints "sendmsg(sk=3, assoc=0) 1000 bytes." for each, and sends them unordered.
    let sent = text.split(separator: "\n").filter { $0.contains("sendmsg(") }.compactMap {
      $0.split(separator: " ").dropLast().last.flatMap { Int($0) }
    }
    #expect(status == 0 && Set(sent).isSuperset(of: [1, 1000, 5000, 32768]), "\(text)")
    #expect(lengths.sorted() == sent.sorted())
  }

  /// sctp_test's server takes what our endpoint sends, until it is ended.
  @Test func weSendToLksctp() throws {
    guard has("sctp_test") else { return }
    let port = try SCTPOneToManySocket.bind(to: .loopback(port: 0)).localAddress().port
    let peer = try #require(PeerProcess(["sctp_test", "-H", "127.0.0.1", "-P", "\(port)", "-l"]))
    let client = try listeningEndpoint([.associationChange, .senderDry])
    let deadline = Deadline.after(.seconds(20))
    var isUp = false
    while !isUp, !deadline.hasPassed {
      _ = try client.connect(to: .loopback(port: port))
      isUp = try client.nextNotification { notification, _ -> Bool? in
        if case .associationChange(let change) = notification { change.state == .up } else { nil }
      }
      if !isUp { sleep(milliseconds: 50) }
    }
    let id = try #require(try client.option(.associations).first)
    for size in [1, 1453, 32768] {
      try client.sendNow([UInt8](repeating: 65, count: size), SCTPSendInfo(stream: 1, association: id))
      let dry = try client.nextNotification { notification, _ -> SCTPAssociationID? in
        if case .senderDry(let association) = notification { association } else { nil }
      }
      #expect(dry == id)
    }
    let aborted = try client.close(until: .after(sctpPatience))
    #expect(aborted == 0)
    // It prints, of each message, its length and first ten bytes.
    let output = peer.finish(after: "SHUTDOWN_COMPLETE)")
    let printed = output.split(separator: "\n").filter { $0.contains("Data ") }
    for (line, size) in zip(printed, [1, 1453, 32768]) {
      #expect(line.contains("Data \(size) bytes. First \(min(size, 10)) bytes: A"), "\(line)")
    }
    #expect(printed.count == 3, "\(output)")
    #expect(output.split(separator: "\n").filter { $0.contains("SNDRCV(stream=1 ") }.count >= 2, "\(output)")
  }
}
