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
      let singles = batch.singles
      let result =
        singles > 0
        ? descriptor.attemptSend(batch: &batch, atMost: singles)
        : descriptor.attemptSendJoined(batch.run(at: batch.sent), of: &batch)
      if result.raw > 0 { continue }
      if singles == 0 && refusesCutting(result.errno) {
        batch.mostJoined = 1
        continue
      }
      if batch.sent == first { return result }
      break
    }
    return IOResult(raw: batch.sent &- first)
  }
}
