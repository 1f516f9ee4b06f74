internal import CSocketKit
public import SocketKitCore
internal import SocketKitIP

/// The UDP offload features of this host, as determined by ``UDPSocket/hostCapabilities()``.
@frozen
public struct UDPHostCapabilities: BitwiseCopyable, Hashable, Sendable {
  /// The maximum number of datagrams into which the kernel splits one message (UDP_SEGMENT): 64 since Linux 4.18, 128
  /// since 6.9, and 1 if the kernel does not split messages.
  public var maximumSegments: Int
  /// Whether received datagrams can be coalesced (UDP_GRO, Linux 5.0).
  public var coalescing: Bool

  /// Creates capabilities from given values. ``UDPSocket/hostCapabilities()`` determines the capabilities of this host.
  @inlinable
  public init(maximumSegments: Int, coalescing: Bool) {
    self.maximumSegments = maximumSegments
    self.coalescing = coalescing
  }

  /// No offload features: user space splits the bytes into datagrams.
  @inlinable public static var none: Self { Self(maximumSegments: 1, coalescing: false) }
}

extension UDPSocket {
  /// Determines the UDP offload features of this host. The call sends about ten messages to this process over loopback.
  ///
  /// Call this method once and keep the result. The result does not describe network devices: a device without checksum
  /// offload rejects segmentation (EIO). ``SocketKitCore/DatagramSocket/send(_:segmentSize:to:using:)`` handles this
  /// error.
  ///
  /// - Throws: if the call can create sockets neither on 127.0.0.1 nor on ::1, the error for ::1:
  ///   `.tooManyDescriptors`, `.addressNotAvailable` if loopback is down, `.protocolNotSupported`.
  public static func hostCapabilities() throws(SocketError) -> UDPHostCapabilities {
    do throws(SocketError) {
      return try hostCapabilities(on: .loopback(port: 0))
    } catch {
      return try hostCapabilities(on: .loopbackIPv6(port: 0))
    }
  }

  private static func hostCapabilities(on loopback: IPSocketAddress) throws(SocketError) -> UDPHostCapabilities {
    let receiver = try UDPSocket.bind(to: loopback)
    do throws(SocketError) {
      let sender = try open(for: loopback)
      try sender.connect(to: receiver.localAddress())
      return UDPHostCapabilities(
        maximumSegments: sender.hasOption(CSK_UDP_SEGMENT) ? sender.mostSegments() : 1,
        coalescing: receiver.hasOption(CSK_UDP_GRO))
    } catch {
      throw error.with(address: loopback.description)
    }
  }

  private borrowing func hasOption(_ name: Int32) -> Bool {
    do throws(SocketError) {
      try setOption(SocketOption(flag: name, level: CSK_IPPROTO_UDP), to: false)
      return true
    } catch {
      return false
    }
  }

  /// Returns the maximum number of one-byte datagrams into which the kernel splits one message.
  private borrowing func mostSegments() -> Int {
    var possible = 1
    var impossible = 1025
    while impossible - possible > 1 {
      let number = (possible + impossible) / 2
      if sends(segments: number) { possible = number } else { impossible = number }
    }
    return possible
  }

  private borrowing func sends(segments: Int) -> Bool {
    let bytes = [UInt8](repeating: 0, count: segments)
    do throws(SocketError) {
      var ancillary = AncillaryBuffer<24>()
      try ancillary.append(level: CSK_IPPROTO_UDP, type: CSK_UDP_SEGMENT, value: 1 as UInt16)
      let result = attemptSend(bytes.span, ancillary: ancillary.bytes, to: RawSpan(), flags: [])
      return result.raw == segments
    } catch {
      return false
    }
  }
}
