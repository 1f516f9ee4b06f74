import Glibc

/// `outside`: runs every composition. `outside count …` and `outside peer …`: see CountRun.swift.
@main
struct Main {
  static func main() {
    let arguments = Array(CommandLine.arguments.dropFirst())
    do {
      switch arguments.first {
      case nil: exit(runAll() + runAllDatagrams() + runAllSCTP() + runAllVsock() == 0 ? 0 : 1)
      case "count": try countRun(Array(arguments.dropFirst()))
      case "peer": try peerRun(Array(arguments.dropFirst()))
      case "datagram-peer": try datagramPeerRun(Array(arguments.dropFirst()))
      default: throw Mismatch(description: "usage: outside [count LOOP TRANSPORT POLLER MESSAGES]")
      }
    } catch {
      let text = Array("outside: \(error)\n".utf8)
      _ = write(2, text, text.count)
      exit(1)
    }
  }
}
