public import SocketKitCore

extension MessageBatch {
  /// Takes the descriptors, the sender's credentials and the pidfd that arrived with a received message.
  ///
  /// The batch must have space for ancillary data: 24 bytes for one or two descriptors, 8 more for every two further
  /// descriptors, 32 for credentials, 24 for a pidfd.
  ///
  /// - Parameter received: emptied first; takes descriptors up to its capacity, and closes the others. A second call
  ///   for the same message finds none.
  @inlinable
  public mutating func takeDescriptors<let capacity: Int>(
    at slot: Int, into received: inout ReceivedDescriptors<capacity>
  ) {
    withReceivedAncillary(at: slot) { unsafe received.take(from: &$0) }
  }
}
