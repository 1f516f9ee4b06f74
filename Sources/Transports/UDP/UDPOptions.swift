internal import CSocketKit
public import SocketKitCore

/// The options that UDP sockets take: those of udp(7), ip(7) and ipv6(7).
public enum UDPSocketOptions: IPOptions {}

// Sorted by their C names.

extension SocketOption where Group == UDPSocketOptions, Value == Bool {
  /// Collects all that is sent into one datagram, which goes when this is switched off. The C name is `UDP_CORK`.
  public static var cork: Self { Self(flag: CSK_UDP_CORK, level: CSK_IPPROTO_UDP) }
  /// Hands over datagrams of one size and one sender as one message where they came together (Linux 5.0):
  /// ``PacketMetadata/segmentSize`` and `forEachDatagram` take it apart. Room for 65 535 bytes and for control data is
  /// needed, or datagrams are lost. The C name is `UDP_GRO`.
  public static var coalescing: Self { Self(flag: CSK_UDP_GRO, level: CSK_IPPROTO_UDP) }
}

extension SocketOption where Group == UDPSocketOptions, Value == Int {
  /// Sends what is longer than this as several datagrams of this size, the last perhaps shorter (Linux 4.18); 0, the
  /// default, sends all as one. A single message can ask for it by ``OutgoingMetadata/segmentSize``. At most 65 535. The C
  /// name is `UDP_SEGMENT`.
  public static var segmentSize: Self { Self(integer: CSK_UDP_SEGMENT, level: CSK_IPPROTO_UDP) }
}
