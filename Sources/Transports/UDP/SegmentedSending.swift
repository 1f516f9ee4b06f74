public import CSocketKit
public import SocketKitCore

/// What sending bytes as many datagrams came to.
@frozen
public struct SegmentedSend: BitwiseCopyable, Hashable, Sendable {
  /// How many bytes went: a multiple of the segment size unless all went.
  public var bytes = 0
  /// How many datagrams went.
  public var datagrams = 0
  /// How many of them the kernel cut out of larger messages; the others were sent one by one.
  public var offloaded = 0
  /// There was no room for the rest: send it when a poller says that the socket is writable.
  public var wouldBlock = false

  @inlinable
  public init() {}
}

extension DatagramSocket where Self: ~Copyable, Address == IPSocketAddress {
  /// Sends bytes as datagrams of one size, the last perhaps shorter, without waiting: the kernel cuts them (UDP_SEGMENT)
  /// where the host can, this method elsewhere. The receiver sees no difference.
  ///
  /// Where the device or the path refuses cutting (EIO, EINVAL, EMSGSIZE …) it goes on one by one, within the same call.
  ///
  /// - Parameters:
  ///   - bytes: any number; empty ones are one empty datagram.
  ///   - segmentSize: bytes of each datagram, 1 to 65 507.
  ///   - address: the receiver; nil on a connected socket.
  ///   - capabilities: what `UDPSocket.hostCapabilities()` found.
  /// - Returns: how much went and which way; less than all when `wouldBlock` is set.
  /// - Throws: `.invalidArgument` for a segment size out of range; and as ``SocketKitCore/DatagramSocket/send(_:to:flags:)``,
  ///   with the bytes that went before in ``SocketError/transferred``.
  @inlinable
  public borrowing func send(
    _ bytes: Span<UInt8>, segmentSize: Int, to address: IPSocketAddress? = nil,
    using capabilities: UDPHostCapabilities
  ) throws(SocketError) -> SegmentedSend {
    guard segmentSize >= 1, segmentSize <= 65507 else { throw SocketError(code: .invalidArgument, .send) }
    var control = ControlBuffer<24>()
    try control.append(
      level: CSK_IPPROTO_UDP, type: CSK_UDP_SEGMENT, value: UInt16(truncatingIfNeeded: segmentSize))
    let receiver = address.map { AnySocketAddress($0) } ?? AnySocketAddress()
    // All that one message may carry over IPv4.
    let fitting = 65507 / segmentSize
    var together = capabilities.maximumSegments < fitting ? capabilities.maximumSegments : fitting
    let source = bytes.bytes
    var sent = SegmentedSend()
    repeat {
      let left = source.byteCount &- sent.bytes
      let cuts = together > 1 && left > segmentSize
      let most = cuts ? together &* segmentSize : segmentSize
      let part = source.extracting(sent.bytes..<sent.bytes &+ (left < most ? left : most))
      let result = control.withBytes { extra in
        receiver.withBytes { attemptSend(part, control: cuts ? extra : RawSpan(), to: $0, flags: []) }
      }
      if result.raw >= 0 {
        let number = (part.byteCount &+ segmentSize &- 1) / segmentSize
        sent.bytes &+= part.byteCount
        sent.datagrams &+= number > 1 ? number : 1
        if cuts { sent.offloaded &+= number }
      } else if result.isWouldBlock {
        sent.wouldBlock = true
        return sent
      } else if cuts && result.mayRefuseCutting {
        together = 1
      } else {
        throw SocketError(result, .send).after(transferring: sent.bytes)
      }
    } while sent.bytes < source.byteCount
    return sent
  }
}
