import SocketKit
import SocketKitConformance
import TestSupport
import Testing

private let sound = StreamSocketSuite("faultless") { try FaultySocket<Faultless>.pair() }

private func saboteur<F: StreamFault>(_ crime: String, _ fault: F.Type, _ rule: String) -> Saboteur {
  Saboteur(crime, rule, StreamSocketSuite(crime) { try FaultySocket<F>.pair() }, sound)
}

@Suite(.exclusive) struct StreamSaboteurTests {
  static let saboteurs = [
    saboteur("drops the last byte of a read", DropsLastByte.self, "stream.transfer.basic-io"),
    saboteur("drops the last byte of a read", DropsLastByte.self, "stream.read.end-of-stream"),
    saboteur("ends early", EndsEarly.self, "stream.transfer.basic-io"),
    saboteur("ends when nothing is there", EndsWhenNothingIsThere.self, "stream.read.would-block"),
    saboteur("makes an error of would-block", WouldBlockIsError.self, "stream.read.would-block"),
    saboteur("blocks in a try", BlocksInTry.self, "stream.read.would-block"),
    saboteur("ignores the deadline", BlocksInTry.self, "stream.timeout.call"),
    saboteur("ignores the cancel", BlocksInTry.self, "stream.cancel.pending"),
    saboteur("makes an error of a signal", SignalIsError.self, "stream.signal.pending-read"),
    saboteur("scribbles behind the end", ScribblesBehindTheEnd.self, "stream.read.exact-count"),
    saboteur("reports a short write as full", ShortWriteIsFull.self, "stream.write.true-count"),
    saboteur("duplicates data", Duplicates.self, "stream.transfer.basic-io"),
    saboteur("raises SIGPIPE", RaisesBrokenPipe.self, "stream.write.closed-peer"),
    saboteur("waits for more after a write took the reset", WaitsAfterAFailedWrite.self, "stream.end.reset-by-write"),
    saboteur("gathers backwards", GathersBackwards.self, "stream.transfer.scatter-gather"),
    saboteur("raises SIGPIPE when it gathers", RaisesBrokenPipeInGather.self, "stream.write.gather-closed-peer"),
    saboteur("reports a short gather as full", ShortGatherIsFull.self, "stream.write.gather-true-count"),
    saboteur("ends a scattered read of nothing", ScatterEndsWhenNothingIsThere.self, "stream.read.scatter-end"),
    saboteur("misses the end of a scattered read", ScatterMissesTheEnd.self, "stream.read.scatter-end"),
    saboteur("writes beyond the buffer", WritesBeyondTheBuffer.self, "stream.read.full-buffer"),
    saboteur("makes a clean end of a reset", ResetIsTheEnd.self, "stream.end.reset"),
    saboteur("shuts both directions down", ReadShutdownIsBoth.self, "stream.shutdown.read-only"),
    saboteur("is deaf while it begins to wait", BlocksInTry.self, "stream.cancel.any-moment"),
    saboteur("is deaf while it begins to wait", BlocksInTry.self, "stream.deadline.any-moment"),
    saboteur("swallows a half-close", SwallowsHalfClose.self, "stream.end.half-close"),
    saboteur("closes both ways at a half-close", HalfCloseIsClose.self, "stream.end.half-close"),
    saboteur("spins in a try", SpinsInTry.self, "stream.sleep.read"),
    saboteur("spins in a try", SpinsInTry.self, "stream.sleep.write"),
    saboteur("swallows a shutdown", SwallowsShutdown.self, "stream.shutdown.read"),
    saboteur("swallows a shutdown", SwallowsShutdown.self, "stream.shutdown.wakes-read"),
    saboteur("swallows a shutdown", SwallowsShutdown.self, "stream.shutdown.wakes-write"),
    saboteur("mistakes the peer's address", MistakesThePeer.self, "stream.address.match"),
    saboteur("forgets close-on-exec", ForgetsCloseOnExec.self, "stream.descriptor.flags"),
    saboteur("forgets non-blocking", ForgetsNonBlocking.self, "stream.descriptor.flags"),
    saboteur("leaks a descriptor", LeaksDescriptor.self, "stream.read.short"),
    saboteur("makes an error of would-block", WouldBlockIsError.self, "stream.transfer.ping-pong"),
    saboteur("ends early", EndsEarly.self, "stream.transfer.both-ways"),
    saboteur("ends early", EndsEarly.self, "stream.transfer.slow-reader"),
    saboteur("drops the last byte of a read", DropsLastByte.self, "stream.transfer.strategies"),
    saboteur("ends when nothing is there", EndsWhenNothingIsThere.self, "stream.read.empty-buffer"),
    saboteur("holds small writes back", HoldsSmallWritesBack.self, "stream.read.output-span"),
    saboteur("drops the last byte of a read", DropsLastByte.self, "stream.read.exactly-early-end"),
    saboteur("blocks in a try", BlocksInTry.self, "stream.read.exactly-timed-out"),
    saboteur("ends when nothing is there", EndsWhenNothingIsThere.self, "stream.write.empty"),
    saboteur("duplicates data", Duplicates.self, "stream.write.would-block"),
    saboteur(
      "makes an error of a write that would block", WouldBlockIsErrorInWrites.self, "stream.write.all-timed-out"),
    saboteur("makes an error of would-block", WouldBlockIsError.self, "stream.read.end-wakes"),
    saboteur("raises SIGPIPE", RaisesBrokenPipe.self, "stream.end.own-half-close"),
    saboteur("fails to close", FailsToClose.self, "stream.descriptor.close"),
    Saboteur(
      "masks bytes as a kernel socket", "stream.kernel.same-bytes",
      StreamSocketSuite("masked") { try MaskedKernelSocket.pair() },
      StreamSocketSuite("unmasked") { try TCPSocket.pair(until: .after(.seconds(5))) }),
    saboteur("swallows every shutdown", SwallowsEveryShutdown.self, "stream.end.shutdown-wakes"),
    saboteur("serves one thread at a time", ServesOneThread.self, "stream.timeout.racy-read"),
    saboteur("serves one thread at a time", ServesOneThread.self, "stream.timeout.racy-write"),
    saboteur("holds small writes back", HoldsSmallWritesBack.self, "stream.timeout.read"),
    saboteur("ends when nothing is there", EndsWhenNothingIsThere.self, "stream.timeout.write"),
    saboteur("holds small writes back", HoldsSmallWritesBack.self, "stream.timeout.past"),
    saboteur("blocks in a try", BlocksInTry.self, "stream.timeout.present"),
    saboteur("blocks in a try", BlocksInTry.self, "stream.timeout.future"),
    saboteur("blocks in a try", BlocksInTry.self, "stream.deadline.earlier"),
    saboteur("ends when nothing is there", EndsWhenNothingIsThere.self, "stream.deadline.later"),
    saboteur("blocks in a try", BlocksInTry.self, "stream.deadline.earlier-of-both"),
    saboteur("blocks in a try", BlocksInTry.self, "stream.cancel.shared"),
    saboteur("blocks in a try", BlocksInTry.self, "stream.deadline.shared"),
    saboteur("holds small writes back", HoldsSmallWritesBack.self, "stream.cancel.harmless"),
    saboteur("blocks in a try", BlocksInTry.self, "stream.cancel.spin"),
    saboteur("makes an error of a signal", SignalIsError.self, "stream.signal.deadline"),
    saboteur(
      "makes an error of a write that would block", WouldBlockIsErrorInWrites.self, "stream.signal.pending-write"),
    saboteur("ends early", EndsEarly.self, "stream.concurrent.methods"),
    saboteur("leaks a descriptor", LeaksDescriptor.self, "stream.descriptor.closes"),
  ]

  @Test(arguments: saboteurs) func caught(_ saboteur: Saboteur) throws {
    try saboteur.mustBeCaught()
  }
}
