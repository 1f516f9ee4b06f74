internal import CSocketKit
public import SocketKitCore

/// The options of udp(7).
public enum UDPLevel {}

/// A socket that takes the options of udp(7).
public protocol UDPOptionTarget: IPOptionTarget, ~Copyable {}

extension UDPOptionTarget where Self: ~Copyable {
  /// Reads an option of the UDP level.
  /// - Throws: `.notSupported` where the kernel lacks it, `.closed`.
  public borrowing func option<Value>(_ option: SocketOption<UDPLevel, Value>) throws(SocketError) -> Value {
    try option.read(optionDescriptor)
  }

  /// Sets an option of the UDP level.
  /// - Throws: `.invalidArgument`, `.notSupported`, `.closed`.
  public borrowing func setOption<Value>(_ option: SocketOption<UDPLevel, Value>, to value: Value) throws(SocketError) {
    try option.write(optionDescriptor, value)
  }
}

// Sorted by their C names.

extension SocketOption where Level == UDPLevel, Value == Bool {
  /// Collects all that is sent into one datagram, which goes when this is switched off. The C name is `UDP_CORK`.
  public static var cork: Self { Self(flag: CSK_UDP_CORK, level: CSK_IPPROTO_UDP) }
  /// Hands over datagrams of one size and one sender as one message where they came together (Linux 5.0):
  /// ``PacketMetadata/segmentSize`` and `forEachDatagram` take it apart. Room for 65 535 bytes and for control data is
  /// needed, or datagrams are lost. The C name is `UDP_GRO`.
  public static var coalescing: Self { Self(flag: CSK_UDP_GRO, level: CSK_IPPROTO_UDP) }
}

extension SocketOption where Level == UDPLevel, Value == Int {
  /// Sends what is longer than this as several datagrams of this size, the last perhaps shorter (Linux 4.18); 0, the
  /// default, sends all as one. A single message can ask for it by ``OutgoingMetadata/segmentSize``. At most 65 535. The C
  /// name is `UDP_SEGMENT`.
  public static var segmentSize: Self { Self(integer: CSK_UDP_SEGMENT, level: CSK_IPPROTO_UDP) }
}
