public import SocketKitCore

/// `mptcp://localhost:80`, in a program's own list of transports: `Transports<MultipathTCPSocket, AllTransports>`.
extension MultipathTCPSocket: NamedConnectionTransport {
  public typealias Location = IPLocation
  public static var scheme: String { "mptcp" }
}
