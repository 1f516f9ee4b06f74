import Glibc
import SocketKit
import TestSupport
import Testing

@testable import SocketKitToolSupport

/// Plain mode to a peer that has sent something, which a plain sender does not read. Closing with input unread resets
/// the connection, and the peer loses the bytes on their way: it got 4.7 of 8.4 MB, and the sender's status was 0.
@Suite(.exclusive) struct VscpUnreadInputTests {
  /// What the peer reads, slowly at first, and how its connection ended: 0, or an error's number.
  private func readAll(_ number: Int32, delay: UInt32) -> (bytes: [UInt8], error: Int32) {
    var all: [UInt8] = []
    var chunk = [UInt8](repeating: 0, count: 1 << 18)
    sleep(milliseconds: delay)
    while true {
      let count = CLibrary.receive(number, into: &chunk)
      if count <= 0 { return (all, count == 0 ? 0 : errno) }
      all += chunk.prefix(count)
      // Slower than the sender.
      if all.count < 1 << 22 { sleep(milliseconds: 2) }
    }
  }

  private func peer<S: Transport & Acceptable<Void> & StreamSocket & ~Copyable>(
    of listener: borrowing Listener<S>
  ) throws -> Int32 {
    let socket = try listener.accept(until: .after(.seconds(20)))
    let number = socket.releaseDescriptor().release().value
    _ = fcntl(number, F_SETFL, fcntl(number, F_GETFL) & ~O_NONBLOCK)
    return number
  }

  private func greet(_ number: Int32, _ text: String = "220 ready\r\n") {
    #expect(CLibrary.send(number, Array(text.utf8)[...], flags: Int32(MSG_NOSIGNAL)) == text.utf8.count)
  }

  private func checkDelivery<S: Transport & StreamSocket & Acceptable<Void> & ~Copyable>(
    _: S.Type, at text: String
  ) throws {
    let folder = TemporaryFolder()
    let bytes = randomBytes(8_400_000)
    folder.write("in", bytes)
    let listener = try S.listen(on: S.endpointFormat.parse(EndpointText(parsing: text).body))
    let address = S.endpointFormat.text(of: try listener.localAddress())
    let sender = VscpEnd(["--to", address, "\(folder.path)/in"])
    let number = try peer(of: listener)
    defer { close(number) }
    greet(number)
    let (received, error) = readAll(number, delay: 50)
    #expect(received == bytes && error == 0, "\(received.count) bytes, errno \(error)")
    greet(number, "226 done\r\n")
    shutdown(number, Int32(SHUT_WR))
    #expect(sender.join() == 0, "\(sender.talk.text)")
  }

  @Test func allOfItArrivesAtAPeerThatHadSentALine() throws {
    try checkDelivery(TCPSocket.self, at: "tcp://127.0.0.1:0")
    try checkDelivery(UnixStreamSocket.self, at: "unix:@")
  }

  /// A peer that closes before it has read everything makes the sender fail.
  @Test func aPeerThatGoesBeforeTheEndIsAFailure() throws {
    for text in ["tcp://127.0.0.1:0", "tcp://[::1]:0"] {
      let folder = TemporaryFolder()
      folder.write("in", randomBytes(200_000))
      let endpoint = try IPEndpoint(body: EndpointText(parsing: text).body)
      let listener = try TCPSocket.listen(on: endpoint, until: .never) { (socket) throws(SocketError) in
        try socket.setOption(.receiveBuffer, to: 65536)
      }
      let sender = VscpEnd([
        "--to", TCPSocket.endpointFormat.text(of: try listener.localAddress()), "\(folder.path)/in",
      ])
      let number = try peer(of: listener)
      greet(number)
      // All is written, and only a part is read.
      sleep(milliseconds: 100)
      close(number)
      #expect(sender.join() == 1)
      #expect(sender.talk.text.contains("failed to send data: "), "\(sender.talk.text)")
    }
  }

  /// A peer that reads all and stays: the sender does not wait for ever.
  @Test func aPeerThatStaysIsLeftWhenItHasEverything() throws {
    let folder = TemporaryFolder()
    folder.write("in", Array("all".utf8))
    let listener = try TCPSocket.listen(on: .loopback(port: 0))
    let address = TCPSocket.endpointFormat.text(of: try listener.localAddress())
    let sender = VscpEnd(["--to", address, "--idle-timeout", "300ms", "\(folder.path)/in"])
    let number = try peer(of: listener)
    defer { close(number) }
    greet(number)
    let (received, error) = readAll(number, delay: 0)
    #expect(received == Array("all".utf8) && error == 0)
    #expect(sender.join() == 0, "\(sender.talk.text)")
  }

  /// A peer that does not read: what it has not taken when the time is over is not delivered.
  @Test func aPeerThatTakesNothingIsAFailure() throws {
    let folder = TemporaryFolder()
    folder.write("in", randomBytes(300_000))
    let listener = try TCPSocket.listen(on: .loopback(port: 0)) { (socket) throws(SocketError) in
      try socket.setOption(.receiveBuffer, to: 4096)
    }
    let address = TCPSocket.endpointFormat.text(of: try listener.localAddress())
    let sender = VscpEnd(["--to", address, "--idle-timeout", "300ms", "\(folder.path)/in"])
    let number = try peer(of: listener)
    defer { close(number) }
    #expect(sender.join() == 1)
    #expect(sender.talk.text.contains("failed to send data: "), "\(sender.talk.text)")
  }
}
