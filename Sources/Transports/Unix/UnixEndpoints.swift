public import SocketKitCore

/// The transport of `unix:/run/x.sock` and `unix:@name`; see `UnixAddress` for the permitted forms.
extension UnixStreamSocket: NamedConnectionTransport {
  public typealias Location = UnixAddress
  public static var scheme: String { "unix" }
}

/// The transport of `unix-seqpacket:/run/x.sock`.
extension UnixSequencedPacketSocket: NamedConnectionTransport {
  public typealias Location = UnixAddress
  public static var scheme: String { "unix-seqpacket" }
}

/// The transport of `unix-dgram:/run/x.sock`.
extension UnixDatagramSocket: NamedTransport {
  public typealias Location = UnixAddress
  public static var scheme: String { "unix-dgram" }
}
