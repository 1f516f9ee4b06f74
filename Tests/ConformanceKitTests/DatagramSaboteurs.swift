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
    datagram("loses the truncation", LosesTruncation.self, "truncation"),
    datagram("loses the truncation", LosesTruncation.self, "batch.truncation"),
    datagram("loses the truncation", LosesTruncation.self, "receive.empty-buffer"),
    datagram("loses the truncation", LosesTruncation.self, "peek.length"),
    datagram("forgets the truncation's flag", ForgetsTheFlag.self, "truncation.try"),
    datagram("leaks surplus descriptors", LeaksSurplus.self, "descriptors.dropped"),
    datagram("leaks surplus descriptors", LeaksSurplus.self, "descriptors.unasked"),
    datagram("denies that descriptors come", DeniesDescriptors.self, "descriptors.untaken"),
    datagram("swallows empty messages", SwallowsEmpty.self, "empty"),
    datagram("sends several buffers from the last to the first", ReversesBuffers.self, "buffers"),
    datagram("loses the truncation", LosesTruncation.self, "buffers"),
    datagram("merges two messages", MergesTwo.self, "boundaries"),
    datagram("splits a message", Splits.self, "boundaries"),
    datagram("splits a message", Splits.self, "boundaries.ping-pong"),
    datagram("drops the sender", DropsTheSender.self, "sender"),
    datagram("drops the sender", DropsTheSender.self, "sender.from"),
    datagram("drops the sender", DropsTheSender.self, "sender.batch"),
    datagram("forgets the length, told the sender only", ForgetsTheLength.self, "sender.from"),
    datagram("ignores peek", IgnoresPeek.self, "peek"),
    datagram("drops when full", DropsWhenFull.self, "send.would-block"),
    datagram("drops when full", DropsWhenFull.self, "send.pressure"),
    datagram("cuts what is too large", CutsWhatIsTooLarge.self, "send.too-large"),
    datagram("loses the last of a batch", LosesTheLastOfABatch.self, "batch.order"),
    datagram("reports more than it received", ReportsMoreThanReceived.self, "batch.order"),
    datagram("forgets the rest of a batch", ForgetsTheRestOfABatch.self, "batch.partial"),
    datagram("spins in a try", SpinsOverMessages.self, "sleep.receive"),
    datagram("spins in a try", SpinsOverMessages.self, "sleep.send"),
    datagram("swallows a shutdown", SwallowsMessageShutdown.self, "shutdown.receive"),
    datagram("swallows a shutdown", SwallowsMessageShutdown.self, "shutdown.rest"),
    datagram("swallows a shutdown", SwallowsMessageShutdown.self, "shutdown.wakes-receive"),
    datagram("swallows a shutdown", SwallowsMessageShutdown.self, "shutdown.wakes-send"),
    datagram("sends a batch twice", SendsABatchTwice.self, "batch.order"),
    datagram("splits a message", Splits.self, "boundaries.large"),
    datagram("splits a message", Splits.self, "truncation.exact"),
    datagram("blocks in a try", BlocksInMessageTry.self, "receive.would-block"),
    datagram("scribbles behind the message", ScribblesBehindTheMessage.self, "receive.exact-count"),
    datagram("invents flags", InventsFlags.self, "receive.flags"),
    datagram("merges two messages", MergesTwo.self, "receive.unread"),
    datagram("waits for a peer that is gone", WaitsForTheGone.self, "send.closed-peer"),
    datagram("reports more than it received", ReportsMoreThanReceived.self, "batch.single"),
    datagram("doubles messages", DoublesMessages.self, "batch.empty"),
    datagram("reports more than it received", ReportsMoreThanReceived.self, "batch.fewer"),
    datagram("blocks in a try", BlocksInMessageTry.self, "batch.would-block"),
    datagram("merges two messages", MergesTwo.self, "batch.echo"),
    datagram("sends a batch twice", SendsABatchTwice.self, "batch.reused"),
    datagram("forgets the rest of a batch", ForgetsTheRestOfABatch.self, "batch.error"),
    datagram("sends a batch twice", SendsABatchTwice.self, "batch.rewound"),
    datagram("loses the last of a batch", LosesTheLastOfABatch.self, "batch.empty-message"),
    datagram("forgets the truncation's flag", ForgetsTheFlag.self, "batch.no-room"),
    datagram("invents flags", InventsFlags.self, "ancillary.received"),
    datagram("invents flags", InventsFlags.self, "ancillary.truncated"),
    datagram("reports more than it received", ReportsMoreThanReceived.self, "ancillary.batch"),
    datagram("gives descriptors that are inherited", InheritsDescriptors.self, "descriptors.arrive"),
    datagram("leaks one of the surplus descriptors", LeaksOneOfTheSurplus.self, "descriptors.surplus"),
    datagram("gives an empty message for none", EmptyWhenNothingIsThere.self, "wait.later"),
    datagram("blocks in a try", BlocksInMessageTry.self, "timeout.receive"),
    datagram("blocks in a try", BlocksInMessageTry.self, "timeout.send"),
    datagram("makes an error of would-block", MessageWouldBlockIsError.self, "wait.room"),
    datagram("blocks in a try", BlocksInMessageTry.self, "deadline.earlier"),
    datagram("gives an empty message for none", EmptyWhenNothingIsThere.self, "deadline.later"),
    datagram("blocks in a try", BlocksInMessageTry.self, "cancel.pending"),
    datagram("blocks in a try", BlocksInMessageTry.self, "cancel.send"),
    datagram("makes an error of a signal", MessageSignalIsError.self, "signal.pending-receive"),
    datagram("makes an error of a signal", MessageSignalIsError.self, "signal.deadline"),
    datagram("makes an error of a signal", MessageSignalIsError.self, "signal.pending-send"),
    datagram("gives an empty message for none", EmptyWhenNothingIsThere.self, "threads.receivers"),
    datagram("merges two messages", MergesTwo.self, "threads.senders"),
    datagram("forgets close-on-exec", MessagesForgetCloseOnExec.self, "descriptor.flags"),
    datagram("leaks a descriptor", LeaksMessageDescriptor.self, "descriptor.closes"),
    datagram("mistakes the peer's address", MessagesMistakeThePeer.self, "address.match"),
    datagram("gives an empty message for none", EmptyWhenNothingIsThere.self, "no-end"),
    datagram("raises SIGPIPE", RaisesBrokenPipeOnPackets.self, "send.unheard"),
    delayed("remembers refusals", RemembersRefusals.self, "refused"),
  ]
}
