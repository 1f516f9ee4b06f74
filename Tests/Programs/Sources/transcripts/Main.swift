internal import CPrograms
internal import Glibc
internal import SocketKit

// One scenario for each transport, which uses every verb. `run` traces its system calls and compares them with those
// that are committed: Tests/Transcripts/README.md.

private func unixPath(_ name: String) throws -> UnixAddress {
  try UnixAddress(path: "\(CommandLine.arguments[2])/\(name)")
}

private func scenario(_ name: String) throws {
  switch name {
  case "tcp": try streams(TCPSocket.self, at: .loopback(port: 0), nobodyAt: .loopback(port: 9))
  case "unix":
    try streams(UnixStreamSocket.self, at: unixPath("here"), nobodyAt: unixPath("nobody"))
    try passing(UnixStreamSocket.self)
  case "unix-packets":
    try packets(
      UnixSequencedPacketSocket.self, at: unixPath("here"), nobodyAt: unixPath("nobody"), canPeek: true, fills: true)
    try passing(UnixSequencedPacketSocket.self)
  case "unix-datagrams":
    try datagrams(
      UnixDatagramSocket.self, at: unixPath("here"), alsoAt: unixPath("there"), nobodyAt: unixPath("nobody"))
    try passing(UnixDatagramSocket.self)
  case "udp":
    try datagrams(
      UDPSocket.self, at: .loopback(port: 0), alsoAt: .loopback(port: 0), nobodyAt: .loopback(port: 9))
  case "icmp": try icmp()
  case "raw": try raw()
  case "epoll": try polling(EpollPoller.self)
  case "poll": try polling(PollPoller.self)
  case "vsock":
    let traits = StreamTraits(tellsItsQueue: false)
    try streams(VsockStreamSocket.self, at: .local(port: .any), nobodyAt: .local(port: 9), traits)
  case "vsock-packets":
    // A thread of the socket's own sends packets, so that how its queue fills is no matter of system calls.
    try packets(
      VsockSequencedPacketSocket.self, at: .local(port: .any), nobodyAt: .local(port: 9), canPeek: true, fills: false)
  case "sctp":
    let traits = StreamTraits(halfClose: false, fills: false, tellsItsQueue: false)
    try streams(SCTPSocket.self, at: .loopback(port: 0), nobodyAt: .loopback(port: 9), traits)
  case "sctp-many": try manyAssociations()
  default:
    line("!! no scenario \(name)")
    exit(2)
  }
}

@main
struct Transcripts {
  static func main() {
    guard CommandLine.arguments.count == 3 else {
      line("transcripts SCENARIO FOLDER")
      exit(2)
    }
    let name = CommandLine.arguments[1]
    // Ports, limits and settings of a network of its own; vsock belongs to no network.
    if !name.hasPrefix("vsock"), programs_own_network() != 0 {
      line("!! this process may make no network namespace: CAP_SYS_ADMIN is needed")
      exit(2)
    }
    line("== begin")
    do {
      try scenario(name)
    } catch {
      line("!! \(error)")
      exit(1)
    }
    line("== end")
    exit(0)
  }
}
