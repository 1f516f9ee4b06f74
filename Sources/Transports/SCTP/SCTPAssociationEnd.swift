internal import CSocketKit
public import SocketKitCore

extension RawDescriptor {
  /// Continues a receive call on a peeled-off socket after the call has returned a notification or no bytes.
  ///
  /// Returns the next message, a notification other than an association change, the end of the stream, or a failure.
  /// After a restart of the peer, the failure is ECONNRESET. After the loss of the association, the failure is the
  /// pending error, or ECONNRESET if there is none.
  @usableFromInline @inline(never)
  func attemptReceiveAgain(
    _ first: IOResult, into buffer: inout MutableSpan<UInt8>, ancillary: inout MutableRawSpan, flags: ReceiveFlags,
    _ info: inout MessageInfo
  ) -> IOResult {
    var result = first
    while result.raw >= 0, info.flags.contains(.notification) {
      let isComplete = info.flags.contains(.endOfRecord)
      let notification = completeNotification(
        buffer.span.extracting(first: result.raw), isComplete: isComplete, flags)
      guard case .associationChange(let change) = notification else {
        // The caller receives this notification. The part that did not fit is lost, and the flags report the loss.
        if !isComplete { info.flags.formUnion([.truncated, .endOfRecord]) }
        return result
      }
      if flags.contains(.peek) { takePeekedNotification() }
      switch change.state {
      case .up: break
      case .restarted: return .failure(errno: CSK_ECONNRESET)
      case .shutDown: return end(&info)
      case .lost, .cannotStart:
        // The kernel has also set a pending error. If the error is not cleared here, a later call reports the loss
        // again.
        let pending = takeError()
        _ = csk_shutdown(value, CSK_SHUT_RDWR)
        return .failure(errno: pending == 0 ? CSK_ECONNRESET : pending)
      }
      result = attemptReceiveMessage(
        into: &buffer, ancillary: &ancillary, flags: flags, &info, descriptorsMayCome: false)
    }
    if result.raw == 0, info.ancillaryLength == 0, info.flags.isEmpty, !hasEnded(buffer.count) {
      // The buffer is empty. A length of 1 distinguishes this result from the end of the stream.
      info.length = 1
    }
    return result
  }

  /// Whether the next item to receive is a notification.
  var hasNotification: Bool {
    var memory = InlineArray<8, UInt8>(repeating: 0)
    var room = memory.mutableSpan
    var none = MutableRawSpan()
    var info = MessageInfo()
    let result = attemptReceiveMessage(into: &room, ancillary: &none, flags: .peek, &info, descriptorsMayCome: false)
    return result.raw > 0 && info.flags.contains(.notification)
  }

  private func end(_ info: inout MessageInfo) -> IOResult {
    _ = csk_shutdown(value, CSK_SHUT_RDWR)
    info = MessageInfo()
    return .zero
  }

  func takePeekedNotification() {
    var memory = InlineArray<160, UInt8>(repeating: 0)
    var room = memory.mutableSpan
    var none = MutableRawSpan()
    var info = MessageInfo()
    let result = attemptReceiveMessage(into: &room, ancillary: &none, flags: [], &info, descriptorsMayCome: false)
    if result.raw > 0, !info.flags.contains(.endOfRecord) {
      _ = completeNotification(room.span.extracting(first: result.raw), isComplete: false, [])
    }
  }
}
