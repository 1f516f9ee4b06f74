public import SocketKitCore

extension MessageBatch {
  /// Moves the descriptors, the sender's credentials and the pidfd of a received message into `received`.
  ///
  /// The batch must have buffer space for ancillary data: 24 bytes for one or two descriptors, 8 more bytes for every
  /// two further descriptors, 32 bytes for credentials, and 24 bytes for a pidfd.
  ///
  /// - Parameter received: receives the descriptors. The call first empties it, then stores descriptors up to its
  ///   capacity, and closes the others. A second call for the same message finds no descriptors.
  @inlinable
  public mutating func takeDescriptors<let capacity: Int>(
    at slot: Int, into received: inout ReceivedDescriptors<capacity>
  ) {
    // The kernel has written this ancillary data. `take` replaces the numbers with -1, so a second call finds none.
    unsafe withReceivedAncillary(at: slot) { unsafe received.take(from: &$0) }
  }
}
