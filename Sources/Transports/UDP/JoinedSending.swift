public import SocketKitCore

extension UDPSocket {
  /// Sends the unsent messages of the batch, joining runs of messages as ``/SocketKitCore/MessageBatch/mostJoined``
  /// permits.
  @inlinable @inline(__always)
  public borrowing func attemptSend(batch: inout MessageBatch) -> IOResult {
    batch.mostJoined < 2 ? descriptor.attemptSend(batch: &batch) : descriptor.attemptSendInRuns(&batch)
  }
}
