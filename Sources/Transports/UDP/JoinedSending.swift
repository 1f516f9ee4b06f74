public import SocketKitCore

extension UDPSocket {
  /// Sends the batch's unsent messages, runs of them joined where ``SocketKitCore/MessageBatch/mostJoined`` says so.
  @inlinable @inline(__always)
  public borrowing func attemptSend(batch: inout MessageBatch) -> IOResult {
    batch.mostJoined < 2 ? descriptor.attemptSend(batch: &batch) : descriptor.attemptSendInRuns(&batch)
  }
}
