public import SocketKitCore

/// The transport of `mptcp://localhost:80`, for a program's own transport list:
/// `Transports<MultipathTCPSocket, AllTransports>`.
extension MultipathTCPSocket: NamedConnectionTransport {
  public typealias Location = IPLocation
  public static var scheme: String { "mptcp" }
}
