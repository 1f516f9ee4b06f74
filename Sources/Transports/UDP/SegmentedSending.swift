public import CSocketKit
public import SocketKitCore

/// The result of sending bytes as several datagrams.
@frozen
public struct SegmentedSend: BitwiseCopyable, Hashable, Sendable {
  /// The number of bytes sent: a multiple of the segment size, unless all bytes were sent.
  public var bytes = 0
  /// The number of datagrams sent.
  public var datagrams = 0
  /// The number of datagrams that the kernel created by splitting larger messages; the others were sent individually.
  public var offloaded = 0
  /// Whether buffer space was insufficient for the remaining bytes; send them when a poller reports the socket as
  /// writable.
  public var wouldBlock = false

  /// Creates a result of nothing sent.
  @inlinable
  public init() {}
}

extension DatagramSocket where Self: ~Copyable, Address == IPSocketAddress {
  /// Sends bytes as datagrams of equal size, without blocking; the last datagram may be shorter.
  ///
  /// If the host supports UDP_SEGMENT, the kernel splits the bytes; otherwise this method does. The receiver cannot
  /// detect the difference. If the device or the path rejects segmentation (EIO, EINVAL, EMSGSIZE …), this call sends
  /// the remaining datagrams individually.
  ///
  /// - Parameters:
  ///   - bytes: any number of bytes; an empty span is sent as one empty datagram.
  ///   - segmentSize: the size of each datagram in bytes, 1 to 65 507.
  ///   - address: the receiver; nil on a connected socket.
  ///   - capabilities: the result of `UDPSocket.hostCapabilities()`.
  /// - Returns: how much was sent and how; less than everything if `wouldBlock` is set.
  /// - Throws: `.invalidArgument` for a segment size out of range, and the errors of
  ///   ``/SocketKitCore/DatagramSocket/send(_:to:flags:)``. ``/SocketKitCore/SocketError/transferred`` is the number of
  ///   bytes sent before the error.
  @inlinable
  public borrowing func send(
    _ bytes: Span<UInt8>, segmentSize: Int, to address: IPSocketAddress? = nil,
    using capabilities: UDPHostCapabilities
  ) throws(SocketError) -> SegmentedSend {
    guard segmentSize >= 1, segmentSize <= 65507 else { throw SocketError(code: .invalidArgument, .send) }
    var ancillary = AncillaryBuffer<24>()
    try ancillary.append(
      level: CSK_IPPROTO_UDP, type: CSK_UDP_SEGMENT, value: UInt16(truncatingIfNeeded: segmentSize))
    let receiver = address.map { AnySocketAddress($0) } ?? AnySocketAddress()
    // The maximum that one message can carry over IPv4.
    let fitting = 65507 / segmentSize
    var together = capabilities.maximumSegments < fitting ? capabilities.maximumSegments : fitting
    let source = bytes.bytes
    var sent = SegmentedSend()
    repeat {
      let left = source.byteCount &- sent.bytes
      let cuts = together > 1 && left > segmentSize
      let most = cuts ? together &* segmentSize : segmentSize
      let part = source.extracting(sent.bytes..<sent.bytes &+ (left < most ? left : most))
      let result = ancillary.withBytes { extra in
        receiver.withBytes { attemptSend(part, ancillary: cuts ? extra : RawSpan(), to: $0, flags: []) }
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
