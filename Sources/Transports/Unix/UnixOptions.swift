internal import CSocketKit
public import SocketKitCore

/// The options that Unix sockets support: those of unix(7).
public enum UnixSocketOptions {}

extension SocketOption where Group == UnixSocketOptions, Value == Bool {
  /// Delivers the sender's credentials with every received message; see ``ReceivedDescriptors/credentials``.
  ///
  /// Accepted sockets inherit the listener's setting. If the option is enabled, an unnamed socket gets an abstract name
  /// when it connects or sends (autobind). On a sequenced-packet socket, the option also makes an empty packet
  /// distinguishable from the end of the connection. In measurements, sending and receiving one packet of 64 bytes
  /// takes about 1750 ns, of which the option accounts for 170 to 200 ns. In a C program, the option accounts for 60 to
  /// 100 ns of the 1600 ns that sending and receiving one such packet takes. The C name is `SO_PASSCRED`.
  public static var passCredentials: Self { Self(flag: CSK_SO_PASSCRED, level: CSK_SOL_SOCKET) }
  /// Whether the socket accepts descriptors; enabled by default.
  ///
  /// If the option is disabled, sending descriptors to this socket fails with `.permissionDenied` and delivers nothing.
  /// In this way, a server that does not use passed descriptors can prevent peers from opening descriptors in its
  /// process. Accepted sockets inherit the listener's setting. Requires Linux 6.16. The C name is `SO_PASSRIGHTS`.
  public static var passDescriptors: Self { Self(flag: CSK_SO_PASSRIGHTS, level: CSK_SOL_SOCKET) }
  /// Delivers, with every received message, a descriptor that refers to the sending process (pidfd); see
  /// ``ReceivedDescriptors/takeProcess()``. Requires Linux 6.5. In measurements, a message takes three times as long as
  /// without the option, because a descriptor is opened and closed for each message. The C name is `SO_PASSPIDFD`.
  public static var passProcess: Self { Self(flag: CSK_SO_PASSPIDFD, level: CSK_SOL_SOCKET) }
}
