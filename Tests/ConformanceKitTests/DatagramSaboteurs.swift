import SocketKitConformance

func datagrams<F: MessageFault>(_ fault: F.Type) -> DatagramSuite<FaultyDatagramSocket<F>> {
  DatagramSuite("datagrams", [.connected, .lossless, .refusals, .descriptors, .timestamps]) {
    try FaultyDatagramSocket<F>.pair()
  }
}

private func datagram<F: MessageFault>(_ crime: String, _ fault: F.Type, _ rule: String) -> Saboteur {
  Saboteur(crime, "datagram.\(rule)", datagrams(F.self), datagrams(NoMessageFault.self))
}

private func delayed<F: MessageFault>(_ crime: String, _ fault: F.Type, _ rule: String) -> Saboteur {
  func suite<G: MessageFault>(_ fault: G.Type) -> any ConformanceSuite {
    DatagramSuite("UDP", [.connected, .refusals, .delayedErrors]) { try FaultyUDPSocket<G>.pair() }
  }
  return Saboteur(crime, "datagram.\(rule)", suite(F.self), suite(NoMessageFault.self))
}

enum DatagramSaboteurs {
  static let all = [
    datagram("writes beyond the buffer", WritesBeyondTheMessage.self, "receive.full-buffer"),
    datagram("reports a truncated message as complete", LosesTruncation.self, "truncation"),
    datagram("reports a truncated message as complete", LosesTruncation.self, "batch.truncation"),
    datagram("reports a truncated message as complete", LosesTruncation.self, "receive.empty-buffer"),
    datagram("reports a truncated message as complete", LosesTruncation.self, "peek.length"),
    datagram("does not set the flag of a truncated message", ForgetsTheFlag.self, "truncation.try"),
    datagram("leaks descriptors that the caller did not request", LeaksSurplus.self, "descriptors.dropped"),
    datagram("leaks descriptors that the caller did not request", LeaksSurplus.self, "descriptors.unasked"),
    datagram("reports that messages cannot carry descriptors", DeniesDescriptors.self, "descriptors.untaken"),
    datagram("drops empty messages", SwallowsEmpty.self, "empty"),
    Saboteur(
      "sends several buffers from the last to the first", "datagram.buffers",
      ReversedDatagrams<SendsBuffersReversed>.suite, ReversedDatagrams<NoBufferFault>.suite),
    Saboteur(
      "fills several buffers from the last to the first", "datagram.buffers",
      ReversedDatagrams<FillsBuffersReversed>.suite, ReversedDatagrams<NoBufferFault>.suite),
    datagram("reports a truncated message as complete", LosesTruncation.self, "buffers"),
    datagram("merges two messages", MergesTwo.self, "boundaries"),
    datagram("splits a message", Splits.self, "boundaries"),
    datagram("splits a message", Splits.self, "boundaries.ping-pong"),
    datagram("does not report the sender", DropsTheSender.self, "sender"),
    datagram("does not report the sender", DropsTheSender.self, "sender.from"),
    datagram("does not report the sender", DropsTheSender.self, "sender.batch"),
    datagram("reports a truncated length when only the sender is requested", ForgetsTheLength.self, "sender.from"),
    datagram("ignores the flag `peek`", IgnoresPeek.self, "peek"),
    datagram("drops a message instead of returning would-block", DropsWhenFull.self, "send.would-block"),
    datagram("drops a message instead of returning would-block", DropsWhenFull.self, "send.pressure"),
    datagram("truncates a message that is too large", CutsWhatIsTooLarge.self, "send.too-large"),
    datagram("drops the last message of a batch", LosesTheLastOfABatch.self, "batch.order"),
    datagram("reports more than it received", ReportsMoreThanReceived.self, "batch.order"),
    datagram(
      "reports all messages of a batch as sent after a partial send", ForgetsTheRestOfABatch.self, "batch.partial"),
    datagram("spins in an attempt instead of returning would-block", SpinsOverMessages.self, "sleep.receive"),
    datagram("spins in an attempt instead of returning would-block", SpinsOverMessages.self, "sleep.send"),
    datagram("ignores a shutdown", SwallowsMessageShutdown.self, "shutdown.receive"),
    datagram("ignores a shutdown", SwallowsMessageShutdown.self, "shutdown.rest"),
    datagram("ignores a shutdown", SwallowsMessageShutdown.self, "shutdown.wakes-receive"),
    datagram("ignores a shutdown", SwallowsMessageShutdown.self, "shutdown.wakes-send"),
    datagram("sends a batch twice", SendsABatchTwice.self, "batch.order"),
    datagram("splits a message", Splits.self, "boundaries.large"),
    datagram("splits a message", Splits.self, "truncation.exact"),
    datagram("blocks in an attempt that must not wait", BlocksInMessageTry.self, "receive.would-block"),
    datagram("changes the byte after the message", ScribblesBehindTheMessage.self, "receive.exact-count"),
    datagram("sets a flag that the kernel did not report", InventsFlags.self, "receive.flags"),
    datagram("merges two messages", MergesTwo.self, "receive.unread"),
    datagram("returns would-block after the peer has closed", WaitsForTheGone.self, "send.closed-peer"),
    datagram("reports more than it received", ReportsMoreThanReceived.self, "batch.single"),
    datagram("sends each message twice", DoublesMessages.self, "batch.empty"),
    datagram("reports more than it received", ReportsMoreThanReceived.self, "batch.fewer"),
    datagram("blocks in an attempt that must not wait", BlocksInMessageTry.self, "batch.would-block"),
    datagram("merges two messages", MergesTwo.self, "batch.echo"),
    datagram("sends a batch twice", SendsABatchTwice.self, "batch.reused"),
    datagram(
      "reports all messages of a batch as sent after a partial send", ForgetsTheRestOfABatch.self, "batch.error"),
    datagram("sends a batch twice", SendsABatchTwice.self, "batch.rewound"),
    datagram("drops the last message of a batch", LosesTheLastOfABatch.self, "batch.empty-message"),
    datagram("does not set the flag of a truncated message", ForgetsTheFlag.self, "batch.no-room"),
    datagram("sets a flag that the kernel did not report", InventsFlags.self, "ancillary.received"),
    datagram("sets a flag that the kernel did not report", InventsFlags.self, "ancillary.truncated"),
    datagram("reports more than it received", ReportsMoreThanReceived.self, "ancillary.batch"),
    datagram("does not set close-on-exec on received descriptors", InheritsDescriptors.self, "descriptors.arrive"),
    datagram("leaks one of the descriptors that do not fit", LeaksOneOfTheSurplus.self, "descriptors.surplus"),
    datagram("returns an empty message when no message is available", EmptyWhenNothingIsThere.self, "wait.later"),
    datagram("blocks in an attempt that must not wait", BlocksInMessageTry.self, "timeout.receive"),
    datagram("blocks in an attempt that must not wait", BlocksInMessageTry.self, "timeout.send"),
    datagram("returns an error instead of would-block", MessageWouldBlockIsError.self, "wait.room"),
    datagram("blocks in an attempt that must not wait", BlocksInMessageTry.self, "deadline.earlier"),
    datagram("returns an empty message when no message is available", EmptyWhenNothingIsThere.self, "deadline.later"),
    datagram("blocks in an attempt that must not wait", BlocksInMessageTry.self, "cancel.pending"),
    datagram("blocks in an attempt that must not wait", BlocksInMessageTry.self, "cancel.send"),
    datagram("returns an error when a signal handler runs", MessageSignalIsError.self, "signal.pending-receive"),
    datagram("returns an error when a signal handler runs", MessageSignalIsError.self, "signal.deadline"),
    datagram("returns an error when a signal handler runs", MessageSignalIsError.self, "signal.pending-send"),
    datagram(
      "returns an empty message when no message is available", EmptyWhenNothingIsThere.self, "threads.receivers"),
    datagram("merges two messages", MergesTwo.self, "threads.senders"),
    datagram("does not set close-on-exec", MessagesForgetCloseOnExec.self, "descriptor.flags"),
    datagram("leaks a descriptor", LeaksMessageDescriptor.self, "descriptor.closes"),
    datagram("reports a wrong address", MessagesMistakeThePeer.self, "address.match"),
    datagram("returns an empty message when no message is available", EmptyWhenNothingIsThere.self, "no-end"),
    datagram("raises SIGPIPE", RaisesBrokenPipeOnPackets.self, "send.unheard"),
    delayed("reports a refused send more than once", RemembersRefusals.self, "refused"),
  ]
}
