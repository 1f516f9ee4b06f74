import Glibc
import SocketKitBusySpin
import SocketKitCore
import SocketKitEpoll
import SocketKitPoll
import SocketKitVsock

/// Whether this is the guest kernel that `Tests/Guest/run` boots: nowhere else is vsock opened, because that of a
/// virtual machine belongs to whoever runs it. Its init says so, and so does its kernel's command line.
private func isGuestKernel() -> Bool {
  guard getenv("SOCKETKIT_GUEST") != nil, let file = fopen("/proc/cmdline", "r") else { return false }
  defer { fclose(file) }
  var bytes = [UInt8](repeating: 0, count: 4096)
  let count = fread(&bytes, 1, bytes.count, file)
  return bytes.prefix(count).split { $0 == 32 || $0 == 10 }.contains { Array($0) == Array("socketkit.guest".utf8) }
}

extension VsockStreamSocket: LoopbackTransport {
  // A peer's close is the end, and never a reset.
  static var closingResets: Bool { false }
  // The loopback of the kernel has a thread of its own.
  static var deliversAtOnce: Bool { false }
  static func place() -> VsockAddress { .local(port: .any) }
  static func text(_ address: VsockAddress) -> String { address.description }
  static func address(_ text: String) -> VsockAddress? { try? VsockAddress(text) }
}

/// Runs the 18 compositions of vsock, in the guest kernel only; how many failed.
func runAllVsock() -> Int {
  guard isGuestKernel() else {
    print("none  of the 18 over vsock is run: that is only for the guest kernel")
    return 0
  }
  return CompositionRun(roots: vsock_epoll()).all() + CompositionRun(roots: vsock_poll()).all()
    + CompositionRun(roots: vsock_spin()).all() + runPackets("epoll", hot_packet_vsock_epoll)
    + runPackets("poll", hot_packet_vsock_poll) + runPackets("spin", hot_packet_vsock_spin)
}

private func vsock_epoll() -> Roots<VsockStreamSocket, EpollPoller> {
  Roots(
    "vsock epoll", hot_readWrite_vsock_epoll, hot_catching_vsock_epoll, hot_accept_vsock_epoll, hot_server_vsock_epoll,
    hot_wrapper_vsock_epoll)
}

private func vsock_poll() -> Roots<VsockStreamSocket, PollPoller> {
  Roots(
    "vsock poll", hot_readWrite_vsock_poll, hot_catching_vsock_poll, hot_accept_vsock_poll, hot_server_vsock_poll,
    hot_wrapper_vsock_poll)
}

private func vsock_spin() -> Roots<VsockStreamSocket, BusySpinPoller> {
  Roots(
    "vsock spin", hot_readWrite_vsock_spin, hot_catching_vsock_spin, hot_accept_vsock_spin, hot_server_vsock_spin,
    hot_wrapper_vsock_spin)
}

private func runPackets<P: Poller & ~Copyable>(
  _ name: String, _ root: (borrowing VsockSequencedPacketSocket, inout P, Int) throws(SocketError) -> Int
) -> Int {
  do {
    let listener = try VsockSequencedPacketSocket.listen(on: .local(port: .any))
    let client = try VsockSequencedPacketSocket.connect(to: listener.localAddress(), until: .after(patience))
    let server = try listener.accept(until: .after(patience))
    var poller = try P(P.configuration(capacity: 16))
    try poller.register(server, for: .readable, token: Token(index: 1))
    for number in 0..<20 { try client.send(message(number).span, until: .after(patience)) }
    try expect(try root(server, &poller, 20) == 20, "not all were echoed")
    var bytes = [UInt8](repeating: 0, count: 65)
    var info = MessageInfo()
    for number in 0..<20 {
      let outcome = try client.receive(into: bytes.mutableSpan, &info, until: .after(patience))
      try expect(
        outcome == .bytes(64) && Array(bytes.prefix(64)) == message(number), "packet \(number) came back changed")
    }
    try client.shutdown(.write)
    try expect(try root(server, &poller, 1) == 0, "the end was not seen")
    try poller.deregister(server)
    print("ok   packet vsock \(name)")
    return 0
  } catch {
    print("FAIL packet vsock \(name): \(error)")
    return 1
  }
}
