internal import CSocketKit
public import SocketKitCore

/// The options that Unix sockets take: those of unix(7).
public enum UnixSocketOptions {}

extension SocketOption where Group == UnixSocketOptions, Value == Bool {
  /// Credentials of the sender with every message that is received: ``ReceivedDescriptors/credentials``. Accepted sockets
  /// have the listener's setting. A socket without a name gets an abstract one when it connects or sends (autobind).
  ///
  /// On sequenced packets it also tells an empty packet from the end of the connection, which look alike without. Measured:
  /// 170 to 200 ns more for a packet of 64 bytes that is sent and received, of about 1750 (in C 60 to 100, of 1600). The C name is `SO_PASSCRED`.
  public static var passCredentials: Self { Self(flag: CSK_SO_PASSCRED, level: CSK_SOL_SOCKET) }
  /// Whether the socket accepts descriptors; on by default. When off, a send with descriptors to this socket fails with
  /// `.permissionDenied`, and nothing arrives: no descriptor is ever opened in a server that wants none. Accepted
  /// sockets have the listener's setting. Linux 6.16. The C name is `SO_PASSRIGHTS`.
  public static var passDescriptors: Self { Self(flag: CSK_SO_PASSRIGHTS, level: CSK_SOL_SOCKET) }
  /// A descriptor of the sending process (pidfd) with every message that is received: see
  /// ``ReceivedDescriptors/takeProcess()``. Linux 6.5. Measured: a message then costs three times as much, because a
  /// descriptor is opened and closed for each. The C name is `SO_PASSPIDFD`.
  public static var passProcess: Self { Self(flag: CSK_SO_PASSPIDFD, level: CSK_SOL_SOCKET) }
}
