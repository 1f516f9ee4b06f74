import SocketKitConformance

func packets<F: MessageFault>(_ fault: F.Type) -> SequencedPacketSuite<FaultyPacketSocket<F>> {
  let traits: MessageTraits = F.tellsTheEnd ? [.lossless, .timestamps] : [.lossless, .timestamps, .descriptors]
  return SequencedPacketSuite("packets", traits) { try FaultyPacketSocket<F>.pair() }
}

func continuing<F: ContinuationFault>(_ fault: F.Type) -> SequencedPacketSuite<ContinuingPacketSocket<F>> {
  SequencedPacketSuite("continuing packets", .lossless) { try ContinuingPacketSocket<F>.pair() }
}

private func packet<F: MessageFault>(_ crime: String, _ fault: F.Type, _ rule: String) -> Saboteur {
  Saboteur(crime, "packet.\(rule)", packets(F.self), packets(NoMessageFault.self))
}

/// With packets that carry descriptors.
private func carrying<F: MessageFault>(_ crime: String, _ fault: F.Type, _ rule: String) -> Saboteur {
  Saboteur(crime, "packet.\(rule)", packets(Carrying<F>.self), packets(Carrying<NoMessageFault>.self))
}

private func continued<F: ContinuationFault>(_ crime: String, _ fault: F.Type, _ rule: String) -> Saboteur {
  Saboteur(crime, "packet.continued\(rule)", continuing(F.self), continuing(NoContinuationFault.self))
}

enum PacketSaboteurs {
  static let all = [
    packet("writes beyond the buffer", WritesBeyondTheMessage.self, "receive.full-buffer"),
    packet("spins in an attempt instead of returning would-block", SpinsOverMessages.self, "sleep.receive"),
    packet("ignores a shutdown", SwallowsMessageShutdown.self, "shutdown.wakes-receive"),
    packet("reports an empty packet as the end", TakesEmptyForTheEnd.self, "empty"),
    packet("reports an empty packet as the end", TakesEmptyForTheEnd.self, "end.empty"),
    packet("reports the end as an empty packet", TakesTheEndForEmpty.self, "end.close"),
    packet("reports the end as an empty packet", TakesTheEndForEmpty.self, "end.wakes"),
    packet("reports the end as an empty packet", TakesTheEndForEmpty.self, "end.batch"),
    packet(
      "would block in a receive after a send has reported the reset", WaitsAfterAFailedSend.self, "end.reset-by-send"),
    packet("reports a truncated message as complete", LosesTruncation.self, "truncation"),
    packet("merges two packets", MergesTwo.self, "boundaries"),
    Saboteur(
      "sends several buffers from the last to the first", "packet.buffers",
      ReversedPackets<SendsBuffersReversed>.suite, ReversedPackets<NoBufferFault>.suite),
    Saboteur(
      "fills several buffers from the last to the first", "packet.buffers",
      ReversedPackets<FillsBuffersReversed>.suite, ReversedPackets<NoBufferFault>.suite),
    packet("reports a truncated message as complete", LosesTruncation.self, "buffers"),
    packet("splits a packet", Splits.self, "send.pressure"),
    packet("raises SIGPIPE", RaisesBrokenPipeOnPackets.self, "send.closed-peer"),
    packet("raises SIGPIPE", RaisesBrokenPipeOnPackets.self, "end.own-half-close"),
    packet("raises SIGPIPE", RaisesBrokenPipeOnPackets.self, "end.reset"),
    packet("splits a message", Splits.self, "boundaries.large"),
    packet("splits a message", Splits.self, "boundaries.ping-pong"),
    packet("splits a message", Splits.self, "truncation.exact"),
    packet("does not set the flag of a truncated message", ForgetsTheFlag.self, "truncation.try"),
    packet("blocks in an attempt that must not wait", BlocksInMessageTry.self, "receive.would-block"),
    packet("does not set the flag of a truncated message", ForgetsTheFlag.self, "receive.empty-buffer"),
    packet("changes the byte after the message", ScribblesBehindTheMessage.self, "receive.exact-count"),
    packet("sets a flag that the kernel did not report", InventsFlags.self, "receive.flags"),
    packet("merges two messages", MergesTwo.self, "receive.unread"),
    packet("ignores the flag `peek`", IgnoresPeek.self, "peek"),
    packet("ignores the flag `peek`", IgnoresPeek.self, "peek.length"),
    packet("drops a message instead of returning would-block", DropsWhenFull.self, "send.would-block"),
    packet("truncates a message that is too large", CutsWhatIsTooLarge.self, "send.too-large"),
    packet("merges two messages", MergesTwo.self, "batch.order"),
    packet("merges two messages", MergesTwo.self, "batch.single"),
    packet("sends each message twice", DoublesMessages.self, "batch.empty"),
    packet("merges two messages", MergesTwo.self, "batch.fewer"),
    packet("blocks in an attempt that must not wait", BlocksInMessageTry.self, "batch.would-block"),
    packet("does not set the flag of a truncated message", ForgetsTheFlag.self, "batch.truncation"),
    packet("merges two messages", MergesTwo.self, "batch.echo"),
    packet("merges two messages", MergesTwo.self, "batch.reused"),
    packet("spins in an attempt instead of returning would-block", SpinsOverMessages.self, "batch.partial"),
    packet("truncates a message that is too large", CutsWhatIsTooLarge.self, "batch.error"),
    packet("merges two messages", MergesTwo.self, "batch.rewound"),
    packet("drops empty messages", SwallowsEmpty.self, "batch.empty-message"),
    packet("does not set the flag of a truncated message", ForgetsTheFlag.self, "batch.no-room"),
    packet("sets a flag that the kernel did not report", InventsFlags.self, "ancillary.received"),
    packet("sets a flag that the kernel did not report", InventsFlags.self, "ancillary.truncated"),
    packet("sets a flag that the kernel did not report", InventsFlags.self, "ancillary.batch"),
    carrying("does not set close-on-exec on received descriptors", InheritsDescriptors.self, "descriptors.arrive"),
    carrying("leaks descriptors that the caller did not request", LeaksSurplus.self, "descriptors.dropped"),
    carrying("leaks one of the descriptors that do not fit", LeaksOneOfTheSurplus.self, "descriptors.surplus"),
    carrying("leaks descriptors that the caller did not request", LeaksSurplus.self, "descriptors.unasked"),
    carrying("reports that messages cannot carry descriptors", DeniesDescriptors.self, "descriptors.untaken"),
    packet("returns an empty message when no message is available", EmptyWhenNothingIsThere.self, "wait.later"),
    packet("blocks in an attempt that must not wait", BlocksInMessageTry.self, "timeout.receive"),
    packet("blocks in an attempt that must not wait", BlocksInMessageTry.self, "timeout.send"),
    packet("returns an error instead of would-block", MessageWouldBlockIsError.self, "wait.room"),
    packet("blocks in an attempt that must not wait", BlocksInMessageTry.self, "deadline.earlier"),
    packet("returns an empty message when no message is available", EmptyWhenNothingIsThere.self, "deadline.later"),
    packet("blocks in an attempt that must not wait", BlocksInMessageTry.self, "cancel.pending"),
    packet("blocks in an attempt that must not wait", BlocksInMessageTry.self, "cancel.send"),
    packet("returns an error when a signal handler runs", MessageSignalIsError.self, "signal.pending-receive"),
    packet("returns an error when a signal handler runs", MessageSignalIsError.self, "signal.deadline"),
    packet("returns an error when a signal handler runs", MessageSignalIsError.self, "signal.pending-send"),
    packet("returns an empty message when no message is available", EmptyWhenNothingIsThere.self, "threads.receivers"),
    packet("merges two messages", MergesTwo.self, "threads.senders"),
    packet("does not set close-on-exec", MessagesForgetCloseOnExec.self, "descriptor.flags"),
    packet("leaks a descriptor", LeaksMessageDescriptor.self, "descriptor.closes"),
    packet("reports a wrong address", MessagesMistakeThePeer.self, "address.match"),
    packet("spins in an attempt instead of returning would-block", SpinsOverMessages.self, "sleep.send"),
    packet("ignores a shutdown", SwallowsMessageShutdown.self, "shutdown.receive"),
    packet("ignores a shutdown", SwallowsMessageShutdown.self, "shutdown.wakes-send"),
    packet("reports the end as an empty packet", TakesTheEndForEmpty.self, "end.half-close"),
    packet("reports the end as an empty packet", TakesTheEndForEmpty.self, "end.shutdown-wakes"),
    packet("raises SIGPIPE", RaisesBrokenPipeOnPackets.self, "send.unheard"),
  ]
  static let continuedMessages = [
    continued("drops the rest of a long message", LosesTheRest.self, ""),
    continued("drops the rest of a long message", LosesTheRest.self, ".try"),
    continued("drops the rest of a long message", LosesTheRest.self, ".batch"),
    continued("marks every part as the last one", EndsEveryPiece.self, ""),
    continued("marks every part as the last one", EndsEveryPiece.self, ".empty-buffer"),
    continued("marks every part as the last one", EndsEveryPiece.self, ".peek"),
    continued("does not mark the last part", EndsNoRecord.self, ".try"),
  ]
}
