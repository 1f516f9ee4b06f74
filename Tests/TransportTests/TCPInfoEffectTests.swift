import Glibc
import SocketKit
import TestSupport
import Testing

/// TCP_INFO against what the connection did, against its other end, and against the C library's structure. In a network
/// namespace of its own: the kernel begins with what it learned from earlier connections to the same address.
@Suite(.exclusive) struct TCPInfoEffectTests {
  private func pair() throws -> SocketPair<TCPSocket> {
    let listener = try TCPSocket.listen(on: .loopback(port: 0))
    let client = try TCPSocket.connect(to: listener.localAddress(), until: .after(soon))
    return SocketPair(client, try listener.accept(until: .after(soon)))
  }

  /// 1000 bytes there, 10 back, everything answered.
  private func talk(_ pair: borrowing SocketPair<TCPSocket>) throws {
    var buffer = [UInt8](repeating: 0, count: 1000)
    try pair.first.writeAll([UInt8](repeating: 1, count: 1000).span, until: .after(soon))
    try pair.second.readExactly(into: buffer.mutableSpan, until: .after(soon))
    try pair.second.writeAll([UInt8](repeating: 2, count: 10).span, until: .after(soon))
    var answer = [UInt8](repeating: 0, count: 10)
    try pair.first.readExactly(into: answer.mutableSpan, until: .after(soon))
    let deadline = Deadline.after(soon)
    while try pair.second.option(.tcpInfo).unacknowledged > 0, !deadline.hasPassed { sleep(milliseconds: 5) }
  }

  @Test func bothEndsTellTheSameStory() throws {
    try inNamespaceWithLoopback {
      let pair = try pair()
      try talk(pair)
      let (near, far) = (try pair.first.option(.tcpInfo), try pair.second.option(.tcpInfo))
      #expect(near.bytesSent == 1000 && far.bytesReceived == 1000 && far.bytesSent == 10 && near.bytesReceived == 10)
      // The request to connect counts as one byte (RFC 4898), at the end that sent it.
      #expect(near.bytesAcknowledged == 1001 && far.bytesAcknowledged == 10)
      #expect(near.dataSegmentsOut == 1 && far.dataSegmentsIn == 1)
      #expect(far.dataSegmentsOut == 1 && near.dataSegmentsIn == 1)
      // SYN, its answer's acknowledgement, the data, and the acknowledgement of the answer.
      #expect(near.segmentsOut >= 3 && near.segmentsIn >= 2 && far.segmentsOut >= 1 && far.segmentsIn >= 2)
      #expect(near.hasTimestamps == far.hasTimestamps && near.hasWindowScale && far.hasWindowScale)
      #expect(near.hasSelectiveAcknowledgement == far.hasSelectiveAcknowledgement && near.hasECN == far.hasECN)
      #expect(near.sendWindowScale == far.receiveWindowScale && far.sendWindowScale == near.receiveWindowScale)
      #expect(near.pathMTU == far.pathMTU && near.pathMTU > 60_000)
      #expect(near.advertisedMaximumSegment == far.advertisedMaximumSegment)
      for info in [near, far] {
        #expect(info.congestionState == .open && info.retransmits == 0 && info.backoff == 0 && info.probes == 0)
        #expect(info.unacknowledged == 0 && info.lost == 0 && info.retransmitted == 0 && info.notSentBytes == 0)
        #expect(info.totalRetransmissions == 0 && info.bytesRetransmitted == 0 && info.outOfOrder == 0)
        #expect(info.selectivelyAcknowledged == 0 && info.duplicateAcknowledgements == 0 && info.reorderingsSeen == 0)
        // RFC 6928: ten segments, and one more for each that was answered; RFC 5681: the threshold begins as high as
        // can be.
        #expect(info.congestionWindow == 11 && info.slowStartThreshold == 0x7fff_ffff && info.reordering == 3)
        #expect(info.sendMaximumSegment > 1000 && info.sendMaximumSegment <= info.advertisedMaximumSegment)
        // TCP_RTO_MIN and the clock's step above it; a round trip takes microseconds here.
        #expect(info.retransmissionTimeout >= .milliseconds(200) && info.retransmissionTimeout < .seconds(2))
        #expect(info.roundTripTime > .zero && info.roundTripTime < .seconds(1))
        #expect(info.roundTripTimeVariation > .zero && info.roundTripTimeVariation < .seconds(1))
        #expect(info.minimumRoundTripTime > .zero && info.minimumRoundTripTime <= info.roundTripTime)
        #expect(info.delivered >= 1 && info.deliveredWithECN == 0 && !info.fastOpenDataAccepted)
        #expect(info.maximumPacingRate == .max && info.pacingRate > 0 && info.receiveSpace > 0)
      }
    }
  }

  @Test func agesGrowAndTimesAreMilliseconds() throws {
    try inNamespaceWithLoopback {
      let pair = try pair()
      try talk(pair)
      sleep(milliseconds: 60)
      let (near, far) = (try pair.first.option(.tcpInfo), try pair.second.option(.tcpInfo))
      for info in [near, far] {
        for age in [info.sinceLastDataSent, info.sinceLastDataReceived, info.sinceLastAcknowledgementReceived] {
          #expect(age >= .milliseconds(40) && age < .seconds(10), "\(age)")
        }
      }
    }
  }

  /// The first 104 bytes, as netinet/tcp.h of the C library has them.
  @Test func theFieldsAreWhereTheHeaderHasThem() throws {
    try inNamespaceWithLoopback {
      let pair = try pair()
      try talk(pair)
      var raw = tcp_info()
      var length = socklen_t(MemoryLayout<tcp_info>.size)
      let descriptor = pair.first.descriptor.value
      // The kernel fills the structure during the call.
      let result = unsafe getsockopt(descriptor, Int32(IPPROTO_TCP), TCP_INFO, &raw, &length)
      #expect(result == 0 && length >= 104)
      let info = try pair.first.option(.tcpInfo)
      #expect(info.congestionState.rawValue == raw.tcpi_ca_state && info.retransmits == raw.tcpi_retransmits)
      #expect(info.probes == raw.tcpi_probes && info.backoff == raw.tcpi_backoff)
      #expect(info.retransmissionTimeout == .microseconds(raw.tcpi_rto))
      #expect(info.acknowledgementTimeout == .microseconds(raw.tcpi_ato))
      #expect(info.sendMaximumSegment == raw.tcpi_snd_mss && info.receiveMaximumSegment == raw.tcpi_rcv_mss)
      #expect(info.unacknowledged == raw.tcpi_unacked && info.selectivelyAcknowledged == raw.tcpi_sacked)
      #expect(info.lost == raw.tcpi_lost && info.retransmitted == raw.tcpi_retrans && info.pathMTU == raw.tcpi_pmtu)
      #expect(info.receiveSlowStartThreshold == raw.tcpi_rcv_ssthresh)
      #expect(info.roundTripTime == .microseconds(raw.tcpi_rtt))
      #expect(info.roundTripTimeVariation == .microseconds(raw.tcpi_rttvar))
      #expect(info.slowStartThreshold == raw.tcpi_snd_ssthresh && info.congestionWindow == raw.tcpi_snd_cwnd)
      #expect(info.advertisedMaximumSegment == raw.tcpi_advmss && info.reordering == raw.tcpi_reordering)
      #expect(info.receiverRoundTripTime == .microseconds(raw.tcpi_rcv_rtt) && info.receiveSpace == raw.tcpi_rcv_space)
      #expect(info.totalRetransmissions == raw.tcpi_total_retrans)
      #expect(Int(length) <= info.length)
    }
  }

  /// A filter that drops everything makes a loss: the kernel repeats what was sent, and counts it.
  @Test func whatIsLostIsCounted() throws {
    try inNamespaceWithLoopback {
      let pair = try pair()
      let drop: [BPFInstruction] = [.drop]
      if let error = failure(
        SocketError.self, { () throws(SocketError) in try pair.second.setOption(.filter, to: drop) })
      {
        return unavailable("a filter on a TCP socket: \(error)")
      }
      try pair.first.writeAll([UInt8](repeating: 3, count: 100).span, until: .after(soon))
      let deadline = Deadline.after(.seconds(10))
      while try pair.first.option(.tcpInfo).backoff == 0, !deadline.hasPassed { sleep(milliseconds: 5) }
      let lossy = try pair.first.option(.tcpInfo)
      // 4 is TCP_CA_Loss. The kernel may have probed before its timer ran out.
      #expect(lossy.congestionState == .loss && lossy.congestionWindow == 1)
      #expect(lossy.retransmits >= 1 && lossy.backoff >= 1)
      #expect(lossy.totalRetransmissions >= 1 && lossy.bytesRetransmitted == UInt64(lossy.totalRetransmissions) * 100)
      #expect(lossy.unacknowledged == 1 && lossy.lost == 1 && lossy.retransmitted == 1)
      #expect(lossy.bytesSent == 100 + lossy.bytesRetransmitted)
      #expect(lossy.retransmissionTimeout >= .milliseconds(400), "doubled")
    }
  }

  /// A peer that does not read closes its window: what cannot be sent is counted, and the time.
  @Test func aFullPeerLimitsTheSender() throws {
    try inNamespaceWithLoopback {
      let listener = try TCPSocket.listen(on: .loopback(port: 0)) { (socket) throws(SocketError) in
        try socket.setOption(.receiveBuffer, to: 16384)
      }
      let client = try TCPSocket.connect(to: listener.localAddress(), until: .after(soon))
      let server = try listener.accept(until: .after(soon))
      let block = [UInt8](repeating: 0, count: 1 << 16)
      var written = 0
      while let count = try client.write(block.span) { written += count }
      sleep(milliseconds: 20)
      let (near, far) = (try client.option(.tcpInfo), try server.option(.tcpInfo))
      #expect(near.notSentBytes > 0 && Int(near.notSentBytes) + Int(far.bytesReceived) == written)
      #expect(near.receiveWindowLimited > .zero && near.busyTime >= near.receiveWindowLimited)
      #expect(near.sendWindow <= far.receiveWindow && far.receiveWindow < 1 << 16)
      // Some of what has come is not acknowledged yet.
      #expect(far.bytesReceived > 0 && near.bytesAcknowledged - 1 <= far.bytesReceived)
    }
  }

  @Test func aListenerTellsItsQueue() throws {
    try inNamespaceWithLoopback {
      let listener = try TCPSocket.listen(on: .loopback(port: 0), backlog: 3)
      let first = try TCPSocket.connect(to: listener.localAddress(), until: .after(soon))
      let second = try TCPSocket.connect(to: listener.localAddress(), until: .after(soon))
      let full = try listener.option(.tcpInfo)
      _ = try listener.accept(until: .after(soon))
      let less = try listener.option(.tcpInfo)
      #expect(full.unacknowledged == 2 && full.selectivelyAcknowledged == 3 && less.unacknowledged == 1)
      _ = (first.descriptor, second.descriptor)
    }
  }
}
