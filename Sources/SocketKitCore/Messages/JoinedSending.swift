public import CSocketKit
internal import Synchronization

/// The state that a batch keeps about joining its messages.
@frozen
@usableFromInline
struct JoiningState: BitwiseCopyable, Sendable {
  /// The socket whose options allow joining, and the value of ``SegmentationSettings/current`` before they were read.
  @usableFromInline var socket = RawDescriptor(-1)
  @usableFromInline var settings: UInt32 = 0
  /// The number of runs to send one by one before joining is tried again, and that number after the next refusal.
  @usableFromInline var pause: Int32 = 0
  @usableFromInline var nextPause: Int32 = 1

  @inlinable
  init() {}

  /// Records a refusal. Called after the kernel refused to send a run joined and its messages were sent one by one.
  @inlinable
  mutating func noteRefusal() {
    pause = nextPause
    // 1, 2, 4 … 1024.
    if nextPause < 1024 { nextPause &*= 2 }
  }
}

/// A counter of the UDP options that this process has set and of the descriptors that it has adopted. Options that were
/// read from a socket are valid while the counter does not change.
@usableFromInline
enum SegmentationSettings {
  private static let changes = Atomic<UInt32>(0)

  @usableFromInline static var current: UInt32 { changes.load(ordering: .acquiring) }

  static func noteChange() { changes.add(1, ordering: .acquiringAndReleasing) }
}

extension IOResult {
  /// For implementers: whether a joined send (UDP_SEGMENT) failed with an error that the kernel returns when it cannot
  /// split the message: no checksum offload (EIO), too many segments or a size beyond the path's MTU (EINVAL,
  /// EMSGSIZE), no UDP_SEGMENT (EOPNOTSUPP, ENOPROTOOPT). The error may have another cause; then sending the messages
  /// one by one fails too.
  @inlinable public var mayRefuseCutting: Bool {
    switch errno {
    case CSK_EIO, CSK_EINVAL, CSK_EMSGSIZE, CSK_EOPNOTSUPP, CSK_ENOPROTOOPT: true
    default: false
    }
  }
}

extension RawDescriptor {
  /// For implementers: sends the unsent messages of a batch, with runs of messages joined
  /// (``MessageBatch/mostJoined``), without waiting on a non-blocking socket and without SIGPIPE, and counts them as
  /// sent. For UDP sockets.
  ///
  /// The receiver gets the same datagrams as from single sends, and the first error is the one that a single send would
  /// return.
  /// - Returns: the number of messages that the kernel accepted, at least 1, or 0 when there are none; or -errno of the
  ///   first message, never EINTR.
  @inlinable
  public func attemptSendInRuns(_ batch: inout MessageBatch) -> IOResult {
    if !mayJoin(&batch) { return attemptSend(batch: &batch) }
    let first = batch.sent
    // The number of joinable messages to send one by one, and whether the kernel has refused to join them.
    var single = 0
    var isRefused = false
    while batch.sent < batch.count {
      let result: IOResult
      if single > 0 {
        result = attemptSend(batch: &batch, atMost: single)
        if result.raw > 0 {
          single &-= result.raw
          // Single sends succeed, so the kernel could not split the run. Otherwise the message itself causes the error.
          if isRefused { batch.joining.noteRefusal() }
          isRefused = false
        }
      } else {
        let next = batch.nextRun
        if next.alone > 0 {
          // When the kernel accepts fewer, the next iteration gets the error.
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

  /// Returns whether the socket's options allow joining. Reads them once, and again when
  /// ``SegmentationSettings/current`` has changed.
  @inlinable @inline(__always)
  func mayJoin(_ batch: inout MessageBatch) -> Bool {
    if batch.joining.socket == self && batch.joining.settings == SegmentationSettings.current { return true }
    return asksWhetherItMayJoin(&batch.joining)
  }

  /// Reads the options. Returns false when the program has set a segment size, which splits every message, or a cork,
  /// which combines messages.
  @usableFromInline @inline(never)
  func asksWhetherItMayJoin(_ joining: inout JoiningState) -> Bool {
    let settings = SegmentationSettings.current
    if hasUDPOption(CSK_UDP_SEGMENT) || hasUDPOption(CSK_UDP_CORK) { return false }
    joining.socket = self
    joining.settings = settings
    return true
  }

  /// Returns whether the option is not zero. A kernel without the option neither splits nor combines messages.
  private func hasUDPOption(_ name: Int32) -> Bool {
    var number: Int32 = 0
    var length: UInt32 = 4
    return csk_getsockopt(value, CSK_IPPROTO_UDP, name, &number, &length) >= 0 && number != 0
  }
}
