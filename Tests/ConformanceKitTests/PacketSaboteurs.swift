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
    packet("spins in a try", SpinsOverMessages.self, "sleep.receive"),
    packet("swallows a shutdown", SwallowsMessageShutdown.self, "shutdown.wakes-receive"),
    packet("takes an empty packet for the end", TakesEmptyForTheEnd.self, "empty"),
    packet("takes an empty packet for the end", TakesEmptyForTheEnd.self, "end.empty"),
    packet("takes the end for an empty packet", TakesTheEndForEmpty.self, "end.close"),
    packet("takes the end for an empty packet", TakesTheEndForEmpty.self, "end.wakes"),
    packet("takes the end for an empty packet", TakesTheEndForEmpty.self, "end.batch"),
    packet("waits for more after a send took the reset", WaitsAfterAFailedSend.self, "end.reset-by-send"),
    packet("loses the truncation", LosesTruncation.self, "truncation"),
    packet("merges two packets", MergesTwo.self, "boundaries"),
    packet("sends several buffers from the last to the first", ReversesBuffers.self, "buffers"),
    packet("loses the truncation", LosesTruncation.self, "buffers"),
    packet("splits a packet", Splits.self, "send.pressure"),
    packet("raises SIGPIPE", RaisesBrokenPipeOnPackets.self, "send.closed-peer"),
    packet("raises SIGPIPE", RaisesBrokenPipeOnPackets.self, "end.own-half-close"),
    packet("raises SIGPIPE", RaisesBrokenPipeOnPackets.self, "end.reset"),
    packet("splits a message", Splits.self, "boundaries.large"),
    packet("splits a message", Splits.self, "boundaries.ping-pong"),
    packet("splits a message", Splits.self, "truncation.exact"),
    packet("forgets the truncation's flag", ForgetsTheFlag.self, "truncation.try"),
    packet("blocks in a try", BlocksInMessageTry.self, "receive.would-block"),
    packet("forgets the truncation's flag", ForgetsTheFlag.self, "receive.empty-buffer"),
    packet("scribbles behind the message", ScribblesBehindTheMessage.self, "receive.exact-count"),
    packet("invents flags", InventsFlags.self, "receive.flags"),
    packet("merges two messages", MergesTwo.self, "receive.unread"),
    packet("ignores peek", IgnoresPeek.self, "peek"),
    packet("ignores peek", IgnoresPeek.self, "peek.length"),
    packet("drops when full", DropsWhenFull.self, "send.would-block"),
    packet("cuts what is too large", CutsWhatIsTooLarge.self, "send.too-large"),
    packet("merges two messages", MergesTwo.self, "batch.order"),
    packet("merges two messages", MergesTwo.self, "batch.single"),
    packet("doubles messages", DoublesMessages.self, "batch.empty"),
    packet("merges two messages", MergesTwo.self, "batch.fewer"),
    packet("blocks in a try", BlocksInMessageTry.self, "batch.would-block"),
    packet("forgets the truncation's flag", ForgetsTheFlag.self, "batch.truncation"),
    packet("merges two messages", MergesTwo.self, "batch.echo"),
    packet("merges two messages", MergesTwo.self, "batch.reused"),
    packet("spins in a try", SpinsOverMessages.self, "batch.partial"),
    packet("cuts what is too large", CutsWhatIsTooLarge.self, "batch.error"),
    packet("merges two messages", MergesTwo.self, "batch.rewound"),
    packet("swallows empty messages", SwallowsEmpty.self, "batch.empty-message"),
    packet("forgets the truncation's flag", ForgetsTheFlag.self, "batch.no-room"),
    packet("invents flags", InventsFlags.self, "ancillary.received"),
    packet("invents flags", InventsFlags.self, "ancillary.truncated"),
    packet("invents flags", InventsFlags.self, "ancillary.batch"),
    carrying("gives descriptors that are inherited", InheritsDescriptors.self, "descriptors.arrive"),
    carrying("leaks surplus descriptors", LeaksSurplus.self, "descriptors.dropped"),
    carrying("leaks one of the surplus descriptors", LeaksOneOfTheSurplus.self, "descriptors.surplus"),
    carrying("leaks surplus descriptors", LeaksSurplus.self, "descriptors.unasked"),
    carrying("denies that descriptors come", DeniesDescriptors.self, "descriptors.untaken"),
    packet("gives an empty message for none", EmptyWhenNothingIsThere.self, "wait.later"),
    packet("blocks in a try", BlocksInMessageTry.self, "timeout.receive"),
    packet("blocks in a try", BlocksInMessageTry.self, "timeout.send"),
    packet("makes an error of would-block", MessageWouldBlockIsError.self, "wait.room"),
    packet("blocks in a try", BlocksInMessageTry.self, "deadline.earlier"),
    packet("gives an empty message for none", EmptyWhenNothingIsThere.self, "deadline.later"),
    packet("blocks in a try", BlocksInMessageTry.self, "cancel.pending"),
    packet("blocks in a try", BlocksInMessageTry.self, "cancel.send"),
    packet("makes an error of a signal", MessageSignalIsError.self, "signal.pending-receive"),
    packet("makes an error of a signal", MessageSignalIsError.self, "signal.deadline"),
    packet("makes an error of a signal", MessageSignalIsError.self, "signal.pending-send"),
    packet("gives an empty message for none", EmptyWhenNothingIsThere.self, "threads.receivers"),
    packet("merges two messages", MergesTwo.self, "threads.senders"),
    packet("forgets close-on-exec", MessagesForgetCloseOnExec.self, "descriptor.flags"),
    packet("leaks a descriptor", LeaksMessageDescriptor.self, "descriptor.closes"),
    packet("mistakes the peer's address", MessagesMistakeThePeer.self, "address.match"),
    packet("spins in a try", SpinsOverMessages.self, "sleep.send"),
    packet("swallows a shutdown", SwallowsMessageShutdown.self, "shutdown.receive"),
    packet("swallows a shutdown", SwallowsMessageShutdown.self, "shutdown.wakes-send"),
    packet("takes the end for an empty packet", TakesTheEndForEmpty.self, "end.half-close"),
    packet("takes the end for an empty packet", TakesTheEndForEmpty.self, "end.shutdown-wakes"),
    packet("raises SIGPIPE", RaisesBrokenPipeOnPackets.self, "send.unheard"),
  ]
  static let continuedMessages = [
    continued("loses the rest", LosesTheRest.self, ""),
    continued("loses the rest", LosesTheRest.self, ".try"),
    continued("loses the rest", LosesTheRest.self, ".batch"),
    continued("ends every piece", EndsEveryPiece.self, ""),
    continued("ends every piece", EndsEveryPiece.self, ".empty-buffer"),
    continued("ends every piece", EndsEveryPiece.self, ".peek"),
    continued("ends no record", EndsNoRecord.self, ".try"),
  ]
}
