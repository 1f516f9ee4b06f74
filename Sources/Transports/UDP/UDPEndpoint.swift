public import SocketKitCore

/// The transport of `udp://localhost:53`; see ``IPLocation``.
extension UDPSocket: NamedTransport {
  public typealias Location = IPLocation
  public static var scheme: String { "udp" }
}
