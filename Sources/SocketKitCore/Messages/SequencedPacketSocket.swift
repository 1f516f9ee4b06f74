/// A connected socket that delivers complete messages in the order in which they were sent, and reports the end of the
/// connection.
///
/// ``SocketCapabilities/emptyMessages`` is set if the socket can distinguish an empty packet from the end of the
/// connection; see ``MessageSocket/isEnd(_:)``.
public protocol SequencedPacketSocket: MessageSocket, ConnectedSocket, ~Copyable {}

extension SequencedPacketSocket where Self: ~Copyable {
  // Only ancillary data or flags, such as end-of-record, distinguish an empty packet from the end of the connection.
  @inlinable
  public static func isEnd(_ info: MessageInfo) -> Bool {
    info.length == 0 && info.ancillaryLength == 0 && info.flags.isEmpty
  }
}
