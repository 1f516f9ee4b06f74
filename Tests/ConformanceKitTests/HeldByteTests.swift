import SocketKit
import SocketKitConformance
import TestSupport
import Testing

// Wrappers that hold bytes, over bases that cut reads and writes, and saboteurs of each.

private typealias Base = DripSocket<UnixStreamSocket>

private func ahead<F: ReadAheadFault>(_ fault: F.Type) -> StreamSocketSuite<ReadAheadSocket<Base, F>> {
  StreamSocketSuite("reads ahead") {
    try UnixStreamSocket.pair()
  } wrapping: {
    ReadAheadSocket<_, F>($0)
  }
}

private func acknowledging<F: AcknowledgingFault>(
  _ fault: F.Type
) -> StreamSocketSuite<AcknowledgingSocket<Base, F>> {
  StreamSocketSuite("acknowledges") {
    try UnixStreamSocket.pair()
  } wrapping: {
    AcknowledgingSocket<_, F>($0)
  }
}

/// A wrapper that holds bytes over another one, over a stream with a descriptor for each direction.
private let stacked = StreamSocketSuite("stacked") {
  try SplitSourceSocket.pair().split { near, far in
    SocketPair(stack(near), stack(far))
  }
}
private typealias Stack = AcknowledgingSocket<ReadAheadSocket<SplitSourceSocket, SoundReadAhead>, SoundAcknowledging>
private func stack(_ base: consuming SplitSourceSocket) -> Stack { Stack(ReadAheadSocket(base)) }

private func overTCP<P: Poller & ~Copyable>(_ poller: P.Type) -> [ConformanceRule] {
  PollerOverStreamSuite<P, AcknowledgingSocket<TCPSocket, SoundAcknowledging>>("acknowledges") {
    try TCPSocket.pair(until: .after(.seconds(5))).split {
      SocketPair(AcknowledgingSocket($0), AcknowledgingSocket($1))
    }
  }.rules
}

private func polledAhead<P: Poller & ~Copyable, F: ReadAheadFault>(
  _ poller: P.Type, _ fault: F.Type
) -> PollerOverStreamSuite<P, ReadAheadSocket<UnixStreamSocket, F>> {
  PollerOverStreamSuite("reads ahead, polled") {
    try UnixStreamSocket.pair().split { SocketPair(ReadAheadSocket($0), ReadAheadSocket($1)) }
  }
}

private func polledAcknowledging<P: Poller & ~Copyable, F: AcknowledgingFault>(
  _ poller: P.Type, _ fault: F.Type
) -> PollerOverStreamSuite<P, AcknowledgingSocket<UnixStreamSocket, F>> {
  PollerOverStreamSuite("acknowledges, polled") {
    try UnixStreamSocket.pair().split { SocketPair(AcknowledgingSocket($0), AcknowledgingSocket($1)) }
  }
}

private func polledStack<P: Poller & ~Copyable>(_ poller: P.Type) -> [ConformanceRule] {
  PollerOverStreamSuite<P, Stack>("stacked, polled") {
    try SplitSourceSocket.pair().split { SocketPair(stack($0), stack($1)) }
  }.rules
}

private func polled<P: Poller & ~Copyable>(_ poller: P.Type) -> [ConformanceRule] {
  polledAhead(P.self, SoundReadAhead.self).rules + polledAcknowledging(P.self, SoundAcknowledging.self).rules
}

@Suite(.exclusive) struct HeldByteTests {
  static let saboteurs = [
    Saboteur(
      "does not report the bytes that it has read ahead", "stream.pending.reported", ahead(HidesWhatItHolds.self),
      ahead(SoundReadAhead.self)),
    Saboteur(
      "returns would-block although it contains bytes", "stream.pending.read", ahead(HoldsBackInSilence.self),
      ahead(SoundReadAhead.self)),
    Saboteur(
      "always reports pending readiness", "stream.pending.quiet", ahead(IsAlwaysPending.self),
      ahead(SoundReadAhead.self)),
    Saboteur(
      "always reports pending readiness", "stream.sleep.read", ahead(IsAlwaysPending.self), ahead(SoundReadAhead.self)),
    Saboteur(
      "does not wake other readers", "stream.pending.shared", ahead(ForgetsOtherReaders.self),
      ahead(SoundReadAhead.self)),
    Saboteur(
      "waits in the wrong direction", "stream.sources.read", acknowledging(WaitsInTheWrongDirection.self),
      acknowledging(SoundAcknowledging.self)),
    Saboteur(
      "reads ahead although it conforms to `KernelSocket`", "stream.kernel.same-bytes",
      StreamSocketSuite("ahead") { try ReadAheadKernelSocket.pair() },
      StreamSocketSuite("not ahead") { try TCPSocket.pair(until: .after(.seconds(5))) }),
    Saboteur(
      "does not report the bytes that it has read ahead", "poller-stream.readable",
      polledAhead(EpollPoller.self, HidesWhatItHolds.self),
      polledAhead(EpollPoller.self, SoundReadAhead.self)),
    Saboteur(
      "waits in the wrong direction", "poller-stream.sources.read",
      polledAcknowledging(EpollPoller.self, WaitsInTheWrongDirection.self),
      polledAcknowledging(EpollPoller.self, SoundAcknowledging.self)),
  ]

  @Test(arguments: saboteurs) func caught(_ saboteur: Saboteur) throws { try saboteur.mustBeCaught() }

  @Test(arguments: ahead(SoundReadAhead.self).rules) func readAhead(_ rule: ConformanceRule) {
    #expect(rule.run() == .passed)
  }
  @Test(arguments: acknowledging(SoundAcknowledging.self).rules) func acknowledges(_ rule: ConformanceRule) {
    #expect(rule.run() == .passed)
  }
  @Test(arguments: stacked.rules) func stackedOnTwoDescriptors(_ rule: ConformanceRule) {
    #expect(rule.run() == .passed)
  }

  @Test(arguments: polled(EpollPoller.self) + overTCP(EpollPoller.self) + polledStack(EpollPoller.self))
  func epoll(_ rule: ConformanceRule) { #expect(rule.run() == .passed) }
  @Test(arguments: polled(PollPoller.self) + polledStack(PollPoller.self)) func poll(_ rule: ConformanceRule) {
    #expect(rule.run() == .passed)
  }
  @Test(arguments: polled(BusySpinPoller.self)) func spin(_ rule: ConformanceRule) { #expect(rule.run() == .passed) }
  @Test(arguments: polled(SpinPoller<PollPoller>.self)) func spinOverPoll(_ rule: ConformanceRule) {
    #expect(rule.run() == .passed)
  }
}
