internal import CSocketKit
public import SocketKitCore
public import SocketKitIP

/// The options that UDP sockets support: those of udp(7), ip(7) and ipv6(7).
public enum UDPSocketOptions: IPOptions {}

// Sorted by C name.

extension SocketOption where Group == UDPSocketOptions, Value == Bool {
  /// Collects all sent data in one datagram. The kernel sends the datagram when the option is disabled. The C name is
  /// `UDP_CORK`.
  public static var cork: Self { Self(flag: CSK_UDP_CORK, level: CSK_IPPROTO_UDP) }
  /// Delivers datagrams of equal size from one sender as one message if they arrived together (Linux 5.0).
  ///
  /// Split the message with ``/SocketKitIP/PacketMetadata/segmentSize`` and `forEachDatagram`. Provide a buffer of
  /// 65 535 bytes and space for ancillary data; otherwise datagrams are lost. The C name is `UDP_GRO`.
  public static var coalescing: Self { Self(flag: CSK_UDP_GRO, level: CSK_IPPROTO_UDP) }
}

extension SocketOption where Group == UDPSocketOptions, Value == Int {
  /// Splits data longer than this value into several datagrams of this size (Linux 4.18). The last datagram may be
  /// shorter. 0, the default, sends the data as one datagram. The maximum is 65 535. To set the size for a single
  /// message, use ``/SocketKitIP/OutgoingMetadata/segmentSize``. The C name is `UDP_SEGMENT`.
  public static var segmentSize: Self { Self(integer: CSK_UDP_SEGMENT, level: CSK_IPPROTO_UDP) }
}
