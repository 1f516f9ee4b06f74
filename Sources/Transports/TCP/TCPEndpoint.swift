public import SocketKitCore

/// The transport of `tcp://localhost:80`; see ``IPLocation``.
extension TCPSocket: NamedConnectionTransport {
  public typealias Location = IPLocation
  public static var scheme: String { "tcp" }
}
