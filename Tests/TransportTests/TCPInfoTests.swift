import Glibc
import SocketKit
import TestSupport
import Testing

@Suite(.exclusive) struct TCPInfoTests {
  private func eventually(
    _ state: TCPInfo.State, _ socket: borrowing TCPSocket
  ) throws(SocketError) -> TCPInfo.State {
    let deadline = Deadline.after(.seconds(5))
    while try socket.option(.tcpInfo).state != state, !deadline.hasPassed { sleep(milliseconds: 1) }
    return try socket.option(.tcpInfo).state
  }

  @Test func theStatesHaveNames() throws {
    let idle = try TCPSocket.open(for: .loopback(port: 0))
    let listener = try TCPSocket.listen(on: .loopback(port: 0))
    var states = [try idle.option(.tcpInfo).state, try listener.option(.tcpInfo).state]
    #expect(states == [.closed, .listening])
    try TCPSocket.pair(until: .after(.seconds(5))).split { (first, second) in
      states = [try first.option(.tcpInfo).state, try second.option(.tcpInfo).state]
      #expect(states == [.established, .established])
      try first.shutdown(.write)
      states = [try eventually(.finWait2, first), try eventually(.closeWait, second)]
      #expect(states == [.finWait2, .closeWait])
      try second.shutdown(.write)
      // The one that ended last is closed as soon as its end is acknowledged.
      states = [try eventually(.closed, second)]
      #expect(states == [.closed])
    }
    let names = ([.established, .finWait1, .lastAcknowledgement, .closing] as [TCPInfo.State]).map(\.description)
    #expect(names == ["ESTABLISHED", "FIN-WAIT-1", "LAST-ACK", "CLOSING"])
    let unknown = ([0, 12, 99] as [UInt8]).map { TCPInfo.State(rawValue: $0).description }
    #expect(unknown == ["state 0", "state 12", "state 99"])
  }

  /// A connect that nobody answers: a full backlog drops the SYN.
  @Test func aSynThatIsNotAnswered() throws {
    let listener = try TCPSocket.listen(on: .loopback(port: 0), backlog: 0)
    let address = try listener.localAddress()
    let first = try TCPSocket.connect(to: address, until: .after(.seconds(5)))
    let pending = try TCPSocket.open(for: address)
    let late = failure(SocketError.self) { () throws(SocketError) in
      try pending.connect(to: address, until: .after(.milliseconds(30)))
    }
    let state = try pending.option(.tcpInfo).state
    #expect(late?.code == .timedOut && state == .synSent)
    _ = consume first
  }

  /// A peer that drops every segment, by a filter, until the timer has run out here.
  @Test func timersThatRunOutAreCounted() throws {
    let pair = try TCPSocket.pair(until: .after(.seconds(5)))
    let drop: [BPFInstruction] = [.drop]
    try pair.second.setOption(.filter, to: drop)
    try pair.first.writeAll([1, 2, 3].span, until: .after(.seconds(5)))
    let deadline = Deadline.after(.seconds(10))
    while try pair.first.option(.tcpInfo).congestionState != .loss, !deadline.hasPassed { sleep(milliseconds: 5) }
    let lost = try pair.first.option(.tcpInfo)
    #expect(lost.congestionState == .loss && lost.backoff > 0 && lost.bytesRetransmitted > 0)
    try pair.second.setOption(.filter, to: nil)
    var bytes: [UInt8] = [0, 0, 0]
    try pair.second.readExactly(into: bytes.mutableSpan, until: .after(.seconds(10)))
    while try pair.first.option(.tcpInfo).congestionState != .open, !deadline.hasPassed { sleep(milliseconds: 5) }
    let info = try pair.first.option(.tcpInfo)
    if info.length >= 248 {
      #expect(lost.retransmissionTimeouts >= 1 && info.timeoutRecoveries == 1)
      #expect(info.timeoutRecoveryTime > .zero && info.timeoutRecoveryTime < .seconds(10))
    } else {
      #expect(info.retransmissionTimeouts == 0 && info.timeoutRecoveries == 0, "Linux before 6.7")
    }
  }

  @Test func theLengthTellsWhichFieldsThereAre() throws {
    let pair = try TCPSocket.pair(until: .after(.seconds(5)))
    let info = try pair.first.option(.tcpInfo)
    let release = try text(of: "/proc/sys/kernel/osrelease").dropLast()
    let numbers = release.split(whereSeparator: { !$0.isNumber }).prefix(2).compactMap { Int($0) }
    let version = numbers.count == 2 ? numbers[0] * 1000 + numbers[1] : 0
    if version >= 6018 { #expect(info.length >= 280, "\(release)") }
    if version >= 6007 { #expect(info.length >= 248, "\(release)") }
    #expect(info.congestionState == .open && info.fastOpenFailure == .none && info.rehashes == 0)
    #expect(info.retransmissionTimeouts == 0 && info.timeoutRecoveries == 0 && info.timeoutRecoveryTime == .zero)
    #expect(!info.hasSeenECN && info.receivedWithCongestionMark == 0)
  }

  /// Without a cookie of the peer, fast open makes an ordinary connection and reports why.
  @Test func theFirstFastOpenHasNoCookie() throws {
    try inNamespaceWithLoopback {
      let path = "/proc/sys/net/ipv4/tcp_fastopen"
      guard writeFile(path, "3") else { return unavailable("\(path) cannot be written") }
      let listener = try TCPSocket.listen(on: .loopback(port: 0)) { (socket) throws(SocketError) in
        try socket.setOption(.fastOpenQueue, to: 5)
      }
      let client = try TCPSocket.connect(to: listener.localAddress(), until: .after(.seconds(5))) {
        (socket) throws(SocketError) in try socket.setOption(.fastOpenConnect, to: true)
      }
      let info = try client.option(.tcpInfo)
      #expect(info.fastOpenFailure == .cookieUnavailable && !info.fastOpenDataAccepted)
    }
  }

  /// ECN in both directions: the peer's packets carry a mark.
  @Test func marksOfThePeerAreSeen() throws {
    try inNamespaceWithLoopback {
      let path = "/proc/sys/net/ipv4/tcp_ecn"
      guard writeFile(path, "1") else { return unavailable("\(path) cannot be written") }
      let pair = try TCPSocket.pair(until: .after(.seconds(5)))
      try pair.first.writeAll([UInt8](repeating: 1, count: 1000).span, until: .after(.seconds(5)))
      var bytes = [UInt8](repeating: 0, count: 1000)
      try pair.second.readExactly(into: bytes.mutableSpan, until: .after(.seconds(5)))
      let info = try pair.second.option(.tcpInfo)
      #expect(info.hasECN && info.hasSeenECN)
    }
  }
}
