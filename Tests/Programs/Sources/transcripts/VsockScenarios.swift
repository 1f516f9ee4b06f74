internal import Glibc
internal import SocketKit

/// Whether this is the guest kernel that `Tests/Guest/run` boots: nowhere else is vsock opened, because that of a
/// virtual machine belongs to whoever runs it. Its init says so, and so does its kernel's command line.
private func isGuestKernel() -> Bool {
  guard getenv("SOCKETKIT_GUEST") != nil, let file = fopen("/proc/cmdline", "r") else { return false }
  defer { fclose(file) }
  var bytes = [UInt8](repeating: 0, count: 4096)
  let count = fread(&bytes, 1, bytes.count, file)
  return bytes.prefix(count).split { $0 == 32 || $0 == 10 }.contains { Array($0) == Array("socketkit.guest".utf8) }
}

/// The scenarios of vsock, in the guest kernel only.
func machineScenario(_ name: String) throws {
  guard isGuestKernel() else {
    line("!! this scenario is only for the guest kernel")
    exit(2)
  }
  switch name {
  case "vsock":
    try streams(
      VsockStreamSocket.self, at: .local(port: .any), nobodyAt: .local(port: 9), StreamTraits(tellsItsQueue: false))
  default:
    // A thread of the socket's own sends packets, so that how its queue fills is no matter of system calls.
    try packets(
      VsockSequencedPacketSocket.self, at: .local(port: .any), nobodyAt: .local(port: 9), canPeek: true, fills: false)
  }
}
