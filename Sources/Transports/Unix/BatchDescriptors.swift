public import SocketKitCore

extension MessageBatch {
  /// Takes what came beside a received message: its descriptors, and the sender's credentials and pidfd. The batch must
  /// have room for control data: 24 bytes for one or two descriptors, 8 more for each two, 32 for credentials, 24 for a
  /// pidfd.
  ///
  /// - Parameter received: emptied first; takes as many descriptors as it has room for, and closes the others. A second
  ///   call for the same message finds none.
  @inlinable
  public mutating func takeDescriptors<let capacity: Int>(
    at slot: Int, into received: inout ReceivedDescriptors<capacity>
  ) {
    withReceivedControl(at: slot) { unsafe received.take(from: &$0) }
  }
}
