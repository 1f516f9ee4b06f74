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
    saboteur("returns the end of the stream too early", EndsEarly.self, "stream.transfer.basic-io"),
    saboteur(
      "returns the end of the stream when no data is available",
      EndsWhenNothingIsThere.self, "stream.read.would-block"),
    saboteur("returns an error instead of would-block", WouldBlockIsError.self, "stream.read.would-block"),
    saboteur("blocks in an attempt that must not wait", BlocksInTry.self, "stream.read.would-block"),
    saboteur("ignores the deadline", BlocksInTry.self, "stream.timeout.call"),
    saboteur("ignores the cancellation", BlocksInTry.self, "stream.cancel.pending"),
    saboteur("returns an error when a signal handler runs", SignalIsError.self, "stream.signal.pending-read"),
    saboteur("changes the byte after the received bytes", ScribblesBehindTheEnd.self, "stream.read.exact-count"),
    saboteur("reports a short write as complete", ShortWriteIsFull.self, "stream.write.true-count"),
    saboteur("duplicates data", Duplicates.self, "stream.transfer.basic-io"),
    saboteur("raises SIGPIPE", RaisesBrokenPipe.self, "stream.write.closed-peer"),
    saboteur(
      "would block in a read after a write has reported the reset", WaitsAfterAFailedWrite.self,
      "stream.end.reset-by-write"),
    saboteur("writes gathered buffers in reverse order", GathersBackwards.self, "stream.transfer.scatter-gather"),
    saboteur("raises SIGPIPE in a gathered write", RaisesBrokenPipeInGather.self, "stream.write.gather-closed-peer"),
    saboteur("reports a short gathered write as complete", ShortGatherIsFull.self, "stream.write.gather-true-count"),
    saboteur(
      "returns the end from a scattered read when no data is available", ScatterEndsWhenNothingIsThere.self,
      "stream.read.scatter-end"),
    saboteur("does not return the end from a scattered read", ScatterMissesTheEnd.self, "stream.read.scatter-end"),
    saboteur("writes beyond the buffer", WritesBeyondTheBuffer.self, "stream.read.full-buffer"),
    saboteur("reports a reset as the end of the stream", ResetIsTheEnd.self, "stream.end.reset"),
    saboteur("shuts down both directions", ReadShutdownIsBoth.self, "stream.shutdown.read-only"),
    saboteur("ignores a change that occurs while the wait is starting", BlocksInTry.self, "stream.cancel.any-moment"),
    saboteur("ignores a change that occurs while the wait is starting", BlocksInTry.self, "stream.deadline.any-moment"),
    saboteur("ignores a half-close", SwallowsHalfClose.self, "stream.end.half-close"),
    saboteur("shuts down both directions in a half-close", HalfCloseIsClose.self, "stream.end.half-close"),
    saboteur("spins in an attempt instead of returning would-block", SpinsInTry.self, "stream.sleep.read"),
    saboteur("spins in an attempt instead of returning would-block", SpinsInTry.self, "stream.sleep.write"),
    saboteur("ignores a shutdown", SwallowsShutdown.self, "stream.shutdown.read"),
    saboteur("ignores a shutdown", SwallowsShutdown.self, "stream.shutdown.wakes-read"),
    saboteur("ignores a shutdown", SwallowsShutdown.self, "stream.shutdown.wakes-write"),
    saboteur("reports a wrong address", MistakesThePeer.self, "stream.address.match"),
    saboteur("does not set close-on-exec", ForgetsCloseOnExec.self, "stream.descriptor.flags"),
    saboteur("does not set non-blocking", ForgetsNonBlocking.self, "stream.descriptor.flags"),
    saboteur("leaks a descriptor", LeaksDescriptor.self, "stream.read.short"),
    saboteur("returns an error instead of would-block", WouldBlockIsError.self, "stream.transfer.ping-pong"),
    saboteur("returns the end of the stream too early", EndsEarly.self, "stream.transfer.both-ways"),
    saboteur("returns the end of the stream too early", EndsEarly.self, "stream.transfer.slow-reader"),
    saboteur("drops the last byte of a read", DropsLastByte.self, "stream.transfer.strategies"),
    saboteur(
      "returns the end of the stream when no data is available", EndsWhenNothingIsThere.self, "stream.read.empty-buffer"
    ),
    saboteur("delays small writes", HoldsSmallWritesBack.self, "stream.read.output-span"),
    saboteur("drops the last byte of a read", DropsLastByte.self, "stream.read.exactly-early-end"),
    saboteur("blocks in an attempt that must not wait", BlocksInTry.self, "stream.read.exactly-timed-out"),
    saboteur(
      "returns the end of the stream when no data is available", EndsWhenNothingIsThere.self, "stream.write.empty"),
    saboteur("duplicates data", Duplicates.self, "stream.write.would-block"),
    saboteur(
      "returns an error when a write would block", WouldBlockIsErrorInWrites.self, "stream.write.all-timed-out"),
    saboteur("returns an error instead of would-block", WouldBlockIsError.self, "stream.read.end-wakes"),
    saboteur("raises SIGPIPE", RaisesBrokenPipe.self, "stream.end.own-half-close"),
    saboteur("fails to close", FailsToClose.self, "stream.descriptor.close"),
    Saboteur(
      "changes bytes although it conforms to `KernelSocket`", "stream.kernel.same-bytes",
      StreamSocketSuite("masked") { try MaskedKernelSocket.pair() },
      StreamSocketSuite("unmasked") { try TCPSocket.pair(until: .after(.seconds(5))) }),
    saboteur("ignores every shutdown", SwallowsEveryShutdown.self, "stream.end.shutdown-wakes"),
    saboteur("fails a call while another thread is in a call", ServesOneThread.self, "stream.timeout.racy-read"),
    saboteur("fails a call while another thread is in a call", ServesOneThread.self, "stream.timeout.racy-write"),
    saboteur("delays small writes", HoldsSmallWritesBack.self, "stream.timeout.read"),
    saboteur(
      "returns the end of the stream when no data is available", EndsWhenNothingIsThere.self, "stream.timeout.write"),
    saboteur("delays small writes", HoldsSmallWritesBack.self, "stream.timeout.past"),
    saboteur("blocks in an attempt that must not wait", BlocksInTry.self, "stream.timeout.present"),
    saboteur("blocks in an attempt that must not wait", BlocksInTry.self, "stream.timeout.future"),
    saboteur("blocks in an attempt that must not wait", BlocksInTry.self, "stream.deadline.earlier"),
    saboteur(
      "returns the end of the stream when no data is available", EndsWhenNothingIsThere.self, "stream.deadline.later"),
    saboteur("blocks in an attempt that must not wait", BlocksInTry.self, "stream.deadline.earlier-of-both"),
    saboteur("blocks in an attempt that must not wait", BlocksInTry.self, "stream.cancel.shared"),
    saboteur("blocks in an attempt that must not wait", BlocksInTry.self, "stream.deadline.shared"),
    saboteur("delays small writes", HoldsSmallWritesBack.self, "stream.cancel.harmless"),
    saboteur("blocks in an attempt that must not wait", BlocksInTry.self, "stream.cancel.spin"),
    saboteur("returns an error when a signal handler runs", SignalIsError.self, "stream.signal.deadline"),
    saboteur(
      "returns an error when a write would block", WouldBlockIsErrorInWrites.self, "stream.signal.pending-write"),
    saboteur("returns the end of the stream too early", EndsEarly.self, "stream.concurrent.methods"),
    saboteur("leaks a descriptor", LeaksDescriptor.self, "stream.descriptor.closes"),
  ]

  @Test(arguments: saboteurs) func caught(_ saboteur: Saboteur) throws {
    try saboteur.mustBeCaught()
  }
}
