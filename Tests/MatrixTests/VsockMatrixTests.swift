import SocketKit
import SocketKitConformance
import TestSupport
import Testing

// vsock over loopback, in the guest kernel only: its connections never leave the machine there.

enum Vsock {
  static let stream = StreamSocketSuite("vsock stream") {
    try pair(VsockStreamSocket.self, on: .local(port: .any))
  }
  static let packets = SequencedPacketSuite("vsock packets", packetTraits) {
    try pair(VsockSequencedPacketSocket.self, on: .local(port: .any))
  }
  static let streamListener = listener("vsock stream", VsockStreamSocket.self)
  static let packetListener = listener("vsock packets", VsockSequencedPacketSocket.self)

  /// What this kernel cannot do is asked, not guessed from its version.
  private static let packetTraits: MessageTraits =
    // Not every kernel minds many waiting packets; but the 30 000 that the others take are too many for an emulated
    // one.
    GuestKernel.isRunning && !vsockPeeks() ? [.lossless, .fewWaiting, .unpeekable] : [.lossless, .fewWaiting]

  private static func listener<S: Transport & Acceptable<Void> & ~Copyable>(
    _ name: String, _ type: S.Type
  ) -> ListenerSuite<S> where S.Address == VsockAddress {
    ListenerSuite(name) {
      try S.listen(on: .local(port: .any))
    } connect: {
      try S.connect(to: $0, until: .after(.seconds(5)))
    }
  }

  static func cells<P: Poller & ~Copyable>(_ poller: String, _ type: P.Type) -> [Cell] {
    let streams = PollerOverStreamSuite<P, VsockStreamSocket>("vsock stream, \(poller)") { .local(port: .any) }
    let messages = PollerOverMessageSuite<P, VsockSequencedPacketSocket>("vsock packets, \(poller)", of: packets)
    return streams.rules.map { Cell(suite: streams.name, rule: $0) }
      + messages.rules.map { Cell(suite: messages.name, rule: $0) }
  }
}

@Suite(.exclusive, .guestOnly) struct VsockStreamRules {
  @Test(arguments: Vsock.stream.rules) func stream(_ rule: ConformanceRule) { check(rule) }
  @Test(arguments: Vsock.streamListener.rules) func listener(_ rule: ConformanceRule) { check(rule) }
}

@Suite(.exclusive, .guestOnly) struct VsockPacketRules {
  @Test(arguments: Vsock.packets.rules) func packets(_ rule: ConformanceRule) { check(rule) }
  @Test(arguments: Vsock.packetListener.rules) func listener(_ rule: ConformanceRule) { check(rule) }
}

@Suite(.exclusive, .guestOnly) struct VsockPollerRules {
  @Test(arguments: Vsock.cells("epoll", EpollPoller.self)) func epoll(_ cell: Cell) { check(cell.rule) }
  @Test(arguments: Vsock.cells("poll", PollPoller.self)) func poll(_ cell: Cell) { check(cell.rule) }
  @Test(arguments: Vsock.cells("spin over epoll", BusySpinPoller.self)) func spin(_ cell: Cell) { check(cell.rule) }
  @Test(arguments: Vsock.cells("spin over poll", SpinPoller<PollPoller>.self)) func spinOverPoll(_ cell: Cell) {
    check(cell.rule)
  }
}

/// Whether this kernel's packets can be peeked at. The kernel is asked itself, so that what is ours and fails is told.
private func vsockPeeks() -> Bool {
  do {
    let ends = try pair(VsockSequencedPacketSocket.self, on: .local(port: .any))
    try ends.first.send([2].span, until: .after(.seconds(5)))
    return GuestKernel.peeks(ends.second.descriptor.value)
  } catch {
    return true  // the rules will tell
  }
}
