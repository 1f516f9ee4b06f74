public import SocketKitCore

extension UDPSocket {
  /// Sends the messages of the batch that have not been sent yet. Joins consecutive messages as far as
  /// ``/SocketKitCore/MessageBatch/mostJoined`` permits.
  @inlinable @inline(__always)
  public borrowing func attemptSend(batch: inout MessageBatch) -> IOResult {
    let result =
      batch.mostJoined < 2 ? descriptor.attemptSend(batch: &batch) : descriptor.attemptSendInRuns(&batch)
    return Self.named(result, on: descriptor)
  }
}
