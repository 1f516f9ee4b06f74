internal import CPrograms
internal import Glibc
internal import SocketKit

// One scenario for each transport, which uses every verb. `run` traces its system calls and compares them with those
// that are committed: Tests/Transcripts/README.md.

/// Below the working folder, so that a path is as long as another machine's.
private func unixPath(_ name: String) throws -> UnixAddress { try UnixAddress(path: "transcript-\(name)") }

private func scenario(_ name: String) throws {
  switch name {
  case "tcp":
    let traits = StreamTraits(quietRounds: 30)
    try streams(TCPSocket.self, at: .loopback(port: 0), nobodyAt: .loopback(port: 9), traits)
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
  case "vsock", "vsock-packets": try machineScenario(name)
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
    guard CommandLine.arguments.count == 2 else {
      line("!! transcripts SCENARIO, in an empty folder")
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
