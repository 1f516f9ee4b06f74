import Glibc
import SocketKit
import Testing

/// Writes packets of SCTP into other people's associations on loopback, with a raw socket.
struct SCTPInjector: ~Copyable {
  private let socket: RawIPSocket

  init() throws {
    // Nothing is missed that is sent after this.
    socket = try RawIPSocket.bind(IPProtocol(rawValue: 132), to: .loopback(port: 0))
  }

  /// The verification tag of the next packet with these ports.
  func tag(from source: UInt16, to destination: UInt16) throws -> UInt32 {
    var buffer = [UInt8](repeating: 0, count: 65536)
    while true {
      var info = MessageInfo()
      let count = try socket.receive(into: buffer.mutableSpan, &info, until: .after(sctpPatience))
      let packet = Array(buffer.prefix(count).dropFirst(Int(buffer[0] & 15) * 4))
      func number(_ offset: Int, _ count: Int) -> UInt32 {
        packet[offset..<offset + count].reduce(0) { $0 << 8 | UInt32($1) }
      }
      if packet.count >= 12, number(0, 2) == UInt32(source), number(2, 2) == UInt32(destination) { return number(4, 4) }
    }
  }

  /// Sends one chunk in a packet of its own.
  func send(chunk: [UInt8], from source: UInt16, to destination: UInt16, tag: UInt32) throws {
    var packet: [UInt8] = []
    for number in [source, destination] { packet += [UInt8(number >> 8), UInt8(number & 255)] }
    packet += (0..<4).map { UInt8(truncatingIfNeeded: tag >> (24 - 8 * $0)) }
    packet += [0, 0, 0, 0] + chunk
    let sum = checksum(packet)
    for index in 0..<4 { packet[8 + index] = UInt8(truncatingIfNeeded: sum >> (8 * index)) }
    try socket.send(packet.span, to: .loopback(port: 0), until: .after(sctpPatience))
  }

  /// CRC32c (RFC 9260, appendix A), in the order of the wire when written from its lowest byte.
  private func checksum(_ bytes: [UInt8]) -> UInt32 {
    var sum = UInt32.max
    for byte in bytes {
      sum ^= UInt32(byte)
      for _ in 0..<8 { sum = sum & 1 == 1 ? sum >> 1 ^ 0x82f6_3b78 : sum >> 1 }
    }
    return ~sum
  }
}
