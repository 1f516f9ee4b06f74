public import CSocketKit
public import SocketKitCore
public import SocketKitIP

/// The result of sending bytes as several datagrams.
@frozen
public struct SegmentedSend: BitwiseCopyable, Hashable, Sendable {
  /// The number of bytes sent: a multiple of the segment size, unless all bytes were sent.
  public var bytes = 0
  /// The number of datagrams sent.
  public var datagrams = 0
  /// The number of datagrams that the kernel created by splitting larger messages. The other datagrams were sent
  /// individually.
  public var offloaded = 0

  @inlinable
  init() {}
}

extension DatagramSocket where Self: ~Copyable, Address == IPSocketAddress {
  /// Sends bytes as datagrams of equal size, without blocking. The last datagram may be shorter.
  ///
  /// If the host supports UDP_SEGMENT, the kernel splits the bytes; otherwise this method splits them. The receiver
  /// cannot detect the difference. If the device or the path rejects segmentation (EIO, EINVAL, EMSGSIZE …), this call
  /// sends the remaining datagrams individually.
  ///
  /// - Parameters:
  ///   - bytes: any number of bytes; an empty span is sent as one empty datagram.
  ///   - segmentSize: the size of each datagram in bytes, 1 to 65 507.
  ///   - address: the receiver; nil on a connected socket.
  ///   - capabilities: the result of `UDPSocket.hostCapabilities()`.
  /// - Returns: the numbers of bytes and datagrams sent, and the number of datagrams that the kernel created; nil if
  ///   there is no buffer space now. If the buffer space was insufficient for all bytes, ``SegmentedSend/bytes`` is
  ///   less than the number of bytes given. In that case, send the rest when a poller reports the socket as writable.
  /// - Throws: `.invalidArgument` for a segment size out of range, and the errors of
  ///   ``/SocketKitCore/DatagramSocket/send(_:ancillary:to:flags:)``. ``/SocketKitCore/SocketError/transferred`` is the
  ///   number of bytes sent before the error.
  @inlinable
  public borrowing func send(
    _ bytes: Span<UInt8>, segmentSize: Int, to address: IPSocketAddress? = nil,
    using capabilities: UDPHostCapabilities
  ) throws(SocketError) -> SegmentedSend? {
    var segments = try Segments(segmentSize, to: address, using: capabilities)
    _ = try send(bytes, in: &segments)
    return segments.sent.datagrams == 0 ? nil : segments.sent
  }

  /// Sends bytes as datagrams of equal size, blocking this thread until all datagrams are sent. The last datagram may
  /// be shorter.
  /// - Returns: the numbers of bytes and datagrams sent, and the number of datagrams that the kernel created.
  /// - Throws: `.timedOut`, `.cancelled`, and the errors of ``send(_:segmentSize:to:using:)``.
  ///   ``/SocketKitCore/SocketError/transferred`` is the number of bytes sent before the error.
  @inlinable @discardableResult
  public borrowing func send(
    _ bytes: Span<UInt8>, segmentSize: Int, to address: IPSocketAddress? = nil,
    using capabilities: UDPHostCapabilities, until limit: some WaitLimit
  ) throws(SocketError) -> SegmentedSend {
    var segments = try Segments(segmentSize, to: address, using: capabilities)
    do throws(SocketError) {
      var wait = try WaitOperation(.send, until: limit)
      while true {
        let before = segments.sent.datagrams
        if try send(bytes, in: &segments) { return segments.sent }
        if segments.sent.datagrams != before {
          wait.progressed()
          try wait.check()
        }
        try wait.block(on: self, for: .writable)
      }
    } catch {
      throw error.after(transferring: segments.sent.bytes)
    }
  }

  /// Sends the bytes that `segments` does not count as sent.
  /// - Returns: whether all bytes have been sent; false if there is no buffer space now.
  @inlinable
  borrowing func send(_ source: Span<UInt8>, in segments: inout Segments) throws(SocketError) -> Bool {
    let size = segments.size
    repeat {
      let left = source.count &- segments.sent.bytes
      let cuts = segments.together > 1 && left > size
      let most = cuts ? segments.together &* size : size
      let start = segments.sent.bytes
      let part = source.extracting(start..<start &+ (left < most ? left : most))
      let used = cuts ? segments.ancillary.byteCount : 0
      let result = segments.receiver.withBytes {
        attemptSend(part, ancillary: segments.ancillary.bytes.extracting(first: used), to: $0, flags: [])
      }
      if result.raw >= 0 {
        let number = (part.count &+ size &- 1) / size
        segments.sent.bytes &+= part.count
        segments.sent.datagrams &+= number > 1 ? number : 1
        if cuts { segments.sent.offloaded &+= number }
      } else if result.isWouldBlock {
        return false
      } else if cuts && result.mayRefuseCutting {
        segments.together = 1
      } else {
        throw SocketError(result, .send).after(transferring: segments.sent.bytes)
      }
    } while segments.sent.bytes < source.count
    return true
  }
}

/// The state of a segmented send.
@frozen
@usableFromInline
struct Segments: ~Copyable {
  @usableFromInline let size: Int
  @usableFromInline let receiver: AnySocketAddress
  @usableFromInline let ancillary: AncillaryBuffer<24>
  /// The number of datagrams that one message can be split into; 1 after the kernel has rejected a message of several
  /// datagrams.
  @usableFromInline var together: Int
  @usableFromInline var sent = SegmentedSend()

  @inlinable
  init(
    _ size: Int, to address: IPSocketAddress?, using capabilities: UDPHostCapabilities
  ) throws(SocketError) {
    guard size >= 1, size <= 65507 else { throw SocketError(code: .invalidArgument, .send) }
    var ancillary = AncillaryBuffer<24>()
    try ancillary.append(level: CSK_IPPROTO_UDP, type: CSK_UDP_SEGMENT, value: UInt16(truncatingIfNeeded: size))
    self.ancillary = ancillary
    self.size = size
    receiver = address.map { AnySocketAddress($0) } ?? AnySocketAddress()
    // 65507 bytes is the maximum that one message can carry over IPv4.
    let fitting = 65507 / size
    together = capabilities.maximumSegments < fitting ? capabilities.maximumSegments : fitting
  }
}
