public import SocketKitCore

extension UDPSocket {
  /// Sends the batch's unsent messages, runs of them joined where ``SocketKitCore/MessageBatch/mostJoined`` says so.
  @inlinable @inline(__always)
  public borrowing func attemptSend(batch: inout MessageBatch) -> IOResult {
    batch.mostJoined < 2 ? descriptor.attemptSend(batch: &batch) : attemptSendJoined(&batch)
  }

  @inlinable
  borrowing func attemptSendJoined(_ batch: inout MessageBatch) -> IOResult {
    let first = batch.sent
    while batch.sent < batch.count {
      let next = batch.nextRun
      // Those that go alone first. When fewer go than there are, the next turn asks the kernel why.
      let result =
        next.alone > 0
        ? descriptor.attemptSend(batch: &batch, atMost: next.alone)
        : descriptor.attemptSendJoined(next.joined, of: &batch)
      if result.raw > 0 { continue }
      if next.alone == 0 && refusesCutting(result.errno) {
        batch.mostJoined = 1
        continue
      }
      if batch.sent == first { return result }
      break
    }
    return IOResult(raw: batch.sent &- first)
  }
}
