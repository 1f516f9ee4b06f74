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
  ]

  @Test(arguments: saboteurs) func caught(_ saboteur: Saboteur) throws {
    defer { LeaksDescriptor.sweep() }
    try saboteur.mustBeCaught()
  }
}
