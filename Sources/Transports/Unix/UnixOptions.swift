internal import CSocketKit
public import SocketKitCore

/// The options that Unix sockets support: those of unix(7).
public enum UnixSocketOptions {}

extension SocketOption where Group == UnixSocketOptions, Value == Bool {
  /// Delivers the sender's credentials with every received message; see ``ReceivedDescriptors/credentials``.
  ///
  /// Accepted sockets inherit the listener's setting. A socket without a name gets an abstract name when it connects or
  /// sends (autobind). On sequenced packets, the option also distinguishes an empty packet from the end of the
  /// connection, which are otherwise indistinguishable. Measured additional cost for each packet of 64 bytes sent and
  /// received: 170 to 200 ns of about 1750 ns (in C, 60 to 100 ns of 1600 ns). The C name is `SO_PASSCRED`.
  public static var passCredentials: Self { Self(flag: CSK_SO_PASSCRED, level: CSK_SOL_SOCKET) }
  /// Whether the socket accepts descriptors; enabled by default.
  ///
  /// If disabled, sending descriptors to this socket fails with `.permissionDenied` and nothing is delivered, so that
  /// no descriptor is opened in a server that does not want any. Accepted sockets inherit the listener's setting. Linux
  /// 6.16. The C name is `SO_PASSRIGHTS`.
  public static var passDescriptors: Self { Self(flag: CSK_SO_PASSRIGHTS, level: CSK_SOL_SOCKET) }
  /// Delivers a descriptor of the sending process (pidfd) with every received message; see
  /// ``ReceivedDescriptors/takeProcess()``. Linux 6.5. Measured cost: a message takes three times as long, because a
  /// descriptor is opened and closed for each message. The C name is `SO_PASSPIDFD`.
  public static var passProcess: Self { Self(flag: CSK_SO_PASSPIDFD, level: CSK_SOL_SOCKET) }
}
