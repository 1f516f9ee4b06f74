public import SocketKitCore

/// `unix:/run/x.sock`, `unix:@name`: `UnixAddress` says what may stand there.
extension UnixStreamSocket: NamedConnectionTransport {
  public typealias Location = UnixAddress
  public static var scheme: String { "unix" }
}

/// `unix-seqpacket:/run/x.sock`.
extension UnixSequencedPacketSocket: NamedConnectionTransport {
  public typealias Location = UnixAddress
  public static var scheme: String { "unix-seqpacket" }
}

/// `unix-dgram:/run/x.sock`.
extension UnixDatagramSocket: NamedTransport {
  public typealias Location = UnixAddress
  public static var scheme: String { "unix-dgram" }
}
