internal import CSocketKit
public import SocketKitCore

extension RawDescriptor {
  /// What a receive on a peeled-off socket really came to that brought a notification, or nothing: the end, a reset, or the
  /// next message.
  @usableFromInline @inline(never)
  func attemptReceiveAgain(
    _ first: IOResult, into buffer: inout MutableRawSpan, control: inout MutableRawSpan, flags: ReceiveFlags,
    _ info: inout MessageInfo
  ) -> IOResult {
    var result = first
    while result.raw >= 0, info.flags.contains(.notification) {
      let isComplete = info.flags.contains(.endOfRecord)
      // In a scope of its own: the piece is a view of the buffer.
      let notification = completeNotification(
        buffer.bytes.extracting(first: result.raw), isComplete: isComplete, flags)
      guard case .associationChange(let change) = notification else {
        // The caller's own: what had no room is lost, and the flags say so.
        if !isComplete { info.flags.formUnion([.truncated, .endOfRecord]) }
        return result
      }
      if flags.contains(.peek) { takePeekedNotification() }
      switch change.state {
      case .up: break
      case .restarted: return .failure(errno: CSK_ECONNRESET)
      case .shutDown: return end(&info)
      case .lost, .cannotStart:
        // The kernel has set an error as well, which would be told once more.
        let pending = takeError()
        _ = csk_shutdown(value, CSK_SHUT_RDWR)
        return .failure(errno: pending == 0 ? CSK_ECONNRESET : pending)
      }
      result = attemptReceiveMessage(
        into: &buffer, control: &control, flags: flags, &info, descriptorsMayCome: false)
    }
    if result.raw == 0, info.controlLength == 0, info.flags.isEmpty, !hasEnded(buffer.byteCount) {
      // An empty buffer: told from the end by a length.
      info.length = 1
    }
    return result
  }

  /// Whether what comes next is a notification.
  var hasNotification: Bool {
    var word: UInt64 = 0
    var info = MessageInfo()
    let result = withUnsafeMutableBytes(of: &word) { memory in
      var room = MutableRawSpan(_unsafeBytes: memory)
      var none = MutableRawSpan()
      return attemptReceiveMessage(into: &room, control: &none, flags: .peek, &info, descriptorsMayCome: false)
    }
    return result.raw > 0 && info.flags.contains(.notification)
  }

  private func end(_ info: inout MessageInfo) -> IOResult {
    _ = csk_shutdown(value, CSK_SHUT_RDWR)
    info = MessageInfo()
    return .zero
  }

  private func takePeekedNotification() {
    var memory = InlineArray<20, UInt64>(repeating: 0)
    var words = memory.mutableSpan
    var room = words.mutableBytes
    var none = MutableRawSpan()
    var info = MessageInfo()
    let result = attemptReceiveMessage(into: &room, control: &none, flags: [], &info, descriptorsMayCome: false)
    if result.raw > 0, !info.flags.contains(.endOfRecord) {
      _ = completeNotification(room.bytes.extracting(first: result.raw), isComplete: false, [])
    }
  }
}
