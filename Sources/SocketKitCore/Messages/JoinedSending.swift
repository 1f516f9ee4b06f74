public import CSocketKit
internal import Synchronization

/// The part of a batch's state that controls whether a send joins the messages of the batch.
@frozen
@usableFromInline
struct JoiningState: BitwiseCopyable, Sendable {
  /// The socket whose options allow joining, and the value that ``SegmentationSettings/current`` had before the
  /// socket's options were read.
  @usableFromInline var socket = RawDescriptor(-1)
  @usableFromInline var settings: UInt32 = 0
  /// `pause` is the number of runs whose messages are sent separately before the next attempt to join. `nextPause` is
  /// the value of `pause` after the next refusal.
  @usableFromInline var pause: Int32 = 0
  @usableFromInline var nextPause: Int32 = 1

  @inlinable
  init() {}

  /// Records that the kernel refused to send a joined run. The caller has already sent one or more messages of the run
  /// separately.
  @inlinable
  mutating func noteRefusal() {
    pause = nextPause
    // 1, 2, 4 … 1024.
    if nextPause < 1024 { nextPause &*= 2 }
  }
}

/// A counter that increases when this process sets a UDP option or adopts a descriptor. Options that were read from a
/// socket remain valid until the counter changes.
@usableFromInline
enum SegmentationSettings {
  private static let changes = Atomic<UInt32>(0)

  @usableFromInline static var current: UInt32 { changes.load(ordering: .acquiring) }

  static func noteChange() { changes.add(1, ordering: .acquiringAndReleasing) }
}

extension IOResult {
  /// For implementers: whether a joined send (UDP_SEGMENT) may have failed because the kernel cannot split the message.
  /// The errors are EIO (no checksum offload), EINVAL or EMSGSIZE (too many segments, or a size beyond the path's MTU),
  /// and EOPNOTSUPP or ENOPROTOOPT (no UDP_SEGMENT). If such an error has another cause, sending the messages
  /// separately fails too.
  @inlinable public var mayRefuseCutting: Bool {
    switch errno {
    case CSK_EIO, CSK_EINVAL, CSK_EMSGSIZE, CSK_EOPNOTSUPP, CSK_ENOPROTOOPT: true
    default: false
    }
  }
}

extension RawDescriptor {
  /// For implementers: sends the unsent messages of a batch on a UDP socket, joins runs of messages
  /// (``MessageBatch/mostJoined``), and counts the messages as sent. The call does not wait on a non-blocking socket
  /// and does not raise SIGPIPE.
  ///
  /// The receiver gets the same datagrams as if each message were sent separately. If the call fails, it returns the
  /// same error as a separate send.
  /// - Returns: the number of messages that the kernel accepted, at least 1; 0 if the batch contains no unsent
  ///   messages; or -errno of the first unsent message, never EINTR.
  @inlinable
  public func attemptSendInRuns(_ batch: inout MessageBatch) -> IOResult {
    if !mayJoin(&batch) { return attemptSend(batch: &batch) }
    let first = batch.sent
    // The number of joinable messages that are sent separately, and whether the kernel has refused to join these
    // messages.
    var single = 0
    var isRefused = false
    while batch.sent < batch.count {
      let result: IOResult
      if single > 0 {
        result = attemptSend(batch: &batch, atMost: single)
        if result.raw > 0 {
          single &-= result.raw
          // The separate send succeeded, so the joined send failed because the kernel could not split the run. If a
          // message itself had been the cause, its separate send would have failed too.
          if isRefused { batch.joining.noteRefusal() }
          isRefused = false
        }
      } else {
        let next = batch.nextRun
        if next.alone > 0 {
          // If the kernel accepts fewer messages, the call of the next iteration returns the error.
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

  /// Returns whether the socket's options allow joining. The function reads the options once, and reads them again when
  /// ``SegmentationSettings/current`` has changed.
  @inlinable @inline(__always)
  func mayJoin(_ batch: inout MessageBatch) -> Bool {
    if batch.joining.socket == self && batch.joining.settings == SegmentationSettings.current { return true }
    return asksWhetherItMayJoin(&batch.joining)
  }

  /// Reads the options. Returns false if the program has set `.segmentSize`, which splits every message, or `.cork`,
  /// which combines messages.
  @usableFromInline @inline(never)
  func asksWhetherItMayJoin(_ joining: inout JoiningState) -> Bool {
    let settings = SegmentationSettings.current
    if hasUDPOption(CSK_UDP_SEGMENT) || hasUDPOption(CSK_UDP_CORK) { return false }
    joining.socket = self
    joining.settings = settings
    return true
  }

  /// Returns whether the option is not zero. Returns false if the kernel does not support the option, because the
  /// kernel then neither splits nor combines messages.
  private func hasUDPOption(_ name: Int32) -> Bool {
    var number: Int32 = 0
    var length = 0
    return !readOption(CSK_IPPROTO_UDP, name, into: &number, &length).isFailure && number != 0
  }
}
