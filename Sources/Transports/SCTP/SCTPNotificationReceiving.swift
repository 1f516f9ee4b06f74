internal import CSocketKit
public import SocketKitCore

// These functions receive everything other than a plain message. They are called rarely, and are therefore not inlined.

extension RawDescriptor {
  /// Receives the rest of a notification after its first piece, and returns the notification.
  ///
  /// The kernel returns the part that fits in the buffer and keeps the rest for the next call. A later piece cannot be
  /// distinguished from the beginning of a notification, so all pieces are received here.
  @usableFromInline @inline(never)
  func completeNotification(_ piece: Span<UInt8>, isComplete: Bool, _ flags: ReceiveFlags) -> SCTPNotification {
    var head = NotificationHead(piece)
    if !isComplete, !flags.contains(.peek) {
      var ended = false
      while !ended, head.count < NotificationHead.room {
        let result = head.addMore { receivePiece(into: &$0, &ended) }
        if result.raw <= 0 { return head.notification }
      }
      if !ended { dropRecord() }
    }
    return head.notification
  }

  private func receivePiece(into room: inout MutableSpan<UInt8>, _ ended: inout Bool) -> IOResult {
    var none = MutableRawSpan()
    var info = MessageInfo()
    let result = attemptReceiveMessage(into: &room, ancillary: &none, flags: [], &info, descriptorsMayCome: false)
    ended = info.flags.contains(.endOfRecord)
    return result
  }

  private func dropRecord() {
    var memory = InlineArray<512, UInt8>(repeating: 0)
    var ended = false
    while !ended {
      var room = memory.mutableSpan
      if receivePiece(into: &room, &ended).raw <= 0 { return }
    }
  }

  /// Whether a receive call that returned 0 bytes and no ancillary data means the end of the stream.
  ///
  /// A receive call with an empty buffer receives no bytes of a message. If SCTP_RECVRCVINFO is off, the result of such
  /// a call is the same as at the end of the stream.
  @usableFromInline @inline(never)
  func hasEnded(_ room: Int) -> Bool {
    if room > 0 { return true }
    var waiting: Int32 = 0
    // The kernel writes the number only during the call.
    return unsafe csk_ioctl(value, UInt(CSK_SIOCINQ), &waiting) < 0 || waiting == 0
  }

  /// Ends reading and writing on a peeled-off socket whose association has ended.
  ///
  /// The kernel itself ends reading and writing only on one-to-one sockets (net/sctp/sm_sideeffect.c). Without this
  /// shutdown, calls on the socket would wait forever.
  @usableFromInline @inline(never)
  func noteEnd(_ notification: SCTPNotification, _ flags: ReceiveFlags) {
    guard !flags.contains(.peek), case .associationChange(let change) = notification, change.isEnd else { return }
    _ = csk_shutdown(value, CSK_SHUT_RDWR)
  }
}
