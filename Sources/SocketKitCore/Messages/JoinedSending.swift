public import CSocketKit
internal import Synchronization

/// What a batch remembers of joining its messages.
@frozen
@usableFromInline
struct JoiningState: BitwiseCopyable, Sendable {
  /// The socket that joining was found to be right for, and when (``SegmentationSettings``).
  @usableFromInline var socket = RawDescriptor(-1)
  @usableFromInline var settings: UInt32 = 0
  /// Runs that go one by one before joining is tried again, and of how many the next pause will be.
  @usableFromInline var pause: Int32 = 0
  @usableFromInline var nextPause: Int32 = 1

  @inlinable
  init() {}

  /// After a run was sent one by one that the kernel did not send joined.
  @inlinable
  mutating func noteRefusal() {
    pause = nextPause
    // 1, 2, 4 … 1024.
    if nextPause < 1024 { nextPause &*= 2 }
  }
}

/// The number of times that options of UDP's level were set in this process, or sockets adopted: what was found out about a
/// socket's options holds as long as it stays the same.
@usableFromInline
enum SegmentationSettings {
  private static let changes = Atomic<UInt32>(0)

  @usableFromInline static var current: UInt32 { changes.load(ordering: .acquiring) }

  static func noteChange() { changes.add(1, ordering: .acquiringAndReleasing) }
}

extension IOResult {
  /// For implementers: whether sending messages joined (UDP_SEGMENT) failed with what the kernel says when it cannot cut
  /// them: no checksum offload (EIO), more than it cuts or a size beyond the path's MTU (EINVAL, EMSGSIZE), no UDP_SEGMENT.
  /// The cause may be another one: then sending one by one meets it again.
  @inlinable public var mayRefuseCutting: Bool {
    switch errno {
    case 5, CSK_EINVAL, CSK_EMSGSIZE, CSK_EOPNOTSUPP, CSK_ENOPROTOOPT: true
    default: false
    }
  }
}

extension RawDescriptor {
  /// For implementers: sends a batch's messages that are not sent yet, runs of them joined (``MessageBatch/mostJoined``),
  /// without waiting on a non-blocking socket and without SIGPIPE, and counts them as sent. For UDP sockets.
  ///
  /// The receiver sees what it would see of single messages, and the first error is the one that a single message gives.
  /// - Returns: how many the kernel took, at least 1, or 0 when there are none; or -errno of the first, never EINTR.
  @inlinable
  public func attemptSendInRuns(_ batch: inout MessageBatch) -> IOResult {
    if !mayJoin(&batch) { return attemptSend(batch: &batch) }
    let first = batch.sent
    // Messages that go one by one although they could be joined, and whether the kernel has refused to join them.
    var single = 0
    var isRefused = false
    while batch.sent < batch.count {
      let result: IOResult
      if single > 0 {
        result = attemptSend(batch: &batch, atMost: single)
        if result.raw > 0 {
          single &-= result.raw
          // What goes alone could not be cut; otherwise the message itself was at fault.
          if isRefused { batch.joining.noteRefusal() }
          isRefused = false
        }
      } else {
        let next = batch.nextRun
        if next.alone > 0 {
          // When fewer go than there are, the next turn asks the kernel why.
          result = attemptSend(batch: &batch, atMost: next.alone)
        } else if batch.joining.pause > 0 {
          batch.joining.pause &-= 1
          single = next.joined
          continue
        } else {
          result = attemptSendJoined(next.joined, of: &batch)
          if result.raw > 0 {
            batch.joining.nextPause = 1
          } else if result.mayRefuseCutting {
            single = next.joined
            isRefused = true
            continue
          }
        }
      }
      if result.raw > 0 { continue }
      if batch.sent == first { return result }
      break
    }
    return IOResult(raw: batch.sent &- first)
  }

  /// Whether joining leaves this socket's datagrams as they are: it is asked once, and again when an option of UDP's level
  /// was set anywhere in this process.
  @inlinable @inline(__always)
  func mayJoin(_ batch: inout MessageBatch) -> Bool {
    if batch.joining.socket == self && batch.joining.settings == SegmentationSettings.current { return true }
    return asksWhetherItMayJoin(&batch.joining)
  }

  /// Joins nothing where the program has set a segment size, which cuts every message, or a cork, which collects them.
  @usableFromInline @inline(never)
  func asksWhetherItMayJoin(_ joining: inout JoiningState) -> Bool {
    let settings = SegmentationSettings.current
    if hasUDPOption(CSK_UDP_SEGMENT) || hasUDPOption(CSK_UDP_CORK) { return false }
    joining.socket = self
    joining.settings = settings
    return true
  }

  /// Whether the option is not zero. A kernel without it cuts and collects nothing.
  private func hasUDPOption(_ name: Int32) -> Bool {
    var number: Int32 = 0
    var length: UInt32 = 4
    return csk_getsockopt(value, CSK_IPPROTO_UDP, name, &number, &length) >= 0 && number != 0
  }
}
