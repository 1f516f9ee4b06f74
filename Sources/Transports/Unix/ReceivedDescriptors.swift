public import CSocketKit
public import SocketKitCore

/// The descriptors and the sender's credentials that arrived with a message; this process owns the descriptors.
///
/// A fixed number of descriptors is stored inline, so receiving allocates no memory. Descriptors that are not taken out
/// are closed when the value is reused for the next message, and when it is destroyed.
///
/// ```swift
/// var received = ReceivedDescriptors<1>()
/// _ = try socket.receiveDescriptors(&received, into: buffer.mutableSpan)
/// if let file = received.takeFirst() { … }
/// ```
/// The descriptors are CLOEXEC. Each descriptor is in the blocking or non-blocking mode that the sender set. This mode
/// belongs to the open file, which the sender still shares, so this type does not change the mode. `init(adopting:)` of
/// a socket type makes a passed socket non-blocking for the sender too.
@frozen
public struct ReceivedDescriptors<let capacity: Int>: ~Copyable, Sendable {
  @usableFromInline var numbers = InlineArray<capacity, RawDescriptor>(repeating: RawDescriptor(-1))
  @usableFromInline var start = 0
  @usableFromInline var end = 0
  // At least one field must have a nontrivial type, so this field is a `Descriptor`. In a debug build, Swift 6.3 omits
  // the deinit of a type from another module if the type has an integer parameter and only trivial fields.
  @usableFromInline var process: Descriptor?
  @usableFromInline var closed = 0
  @usableFromInline var sender: ProcessCredentials?
  @usableFromInline var received = MessageInfo()

  /// Creates a value without descriptors, to receive into.
  @inlinable
  public init() { process = nil }

  @inlinable
  deinit {
    var index = start
    while index < end {
      _ = csk_close(numbers[index].value)
      index &+= 1
    }
  }

  /// The number of descriptors that have not been taken out.
  @inlinable public var count: Int { end &- start }
  /// True if all descriptors have been taken out or if none arrived.
  @inlinable public var isEmpty: Bool { end == start }
  /// The number of descriptors that exceeded the capacity; they have been closed.
  @inlinable public var surplus: Int { closed }
  /// The credentials of the sender, if the option `.passCredentials` is enabled.
  @inlinable public var credentials: ProcessCredentials? { sender }

  /// The length, the flags and the sender's address of the message; empty for descriptors from a batch.
  @inlinable public var info: MessageInfo { received }

  /// Returns the number of a descriptor that has not been taken out. The index starts at 0. Traps if the index is not
  /// less than ``count``.
  @inlinable
  public subscript(index: Int) -> RawDescriptor {
    precondition(index >= 0 && index < count, "the index is not that of a received descriptor")
    return numbers[start &+ index]
  }

  /// Takes out and returns the first descriptor, in the order of sending. Returns nil if there are no more.
  @inlinable
  public mutating func takeFirst() -> Descriptor? {
    if start == end { return nil }
    let number = numbers[start]
    start &+= 1
    // This value owned the descriptor, and does not refer to it any more.
    return unsafe Descriptor(unsafeOwning: number)
  }

  /// Takes out and returns the descriptor that refers to the sending process (SCM_PIDFD, Linux 6.5). Returns nil if
  /// there is none. The descriptor arrives only if the option `.passProcess` is enabled. A poller reports the
  /// descriptor as readable when the process has ended.
  @inlinable
  public mutating func takeProcess() -> Descriptor? { process.take() }

  /// Closes the descriptors that have not been taken out, and clears all other fields.
  @inlinable
  public mutating func removeAll() {
    while let descriptor = takeFirst() { _ = consume descriptor }
    process = nil
    start = 0
    end = 0
    closed = 0
    sender = nil
    received = MessageInfo()
  }

  /// Takes ownership of the descriptors in a message's ancillary data, and copies the sender's credentials.
  ///
  /// The call first closes the descriptors of an earlier message and discards its credentials. It then takes the
  /// descriptors of all SCM_RIGHTS messages up to the capacity, closes the others, takes a pidfd, and copies
  /// credentials. It skips other ancillary messages. It replaces each descriptor in the ancillary data with -1, so that
  /// no descriptor is closed twice.
  ///
  /// Use this method for ancillary data that `attemptReceive(into:ancillary:flags:_:)` received. For a batch, use
  /// ``SocketKitCore/MessageBatch/takeDescriptors(at:into:)``. The caller must guarantee that the ancillary data comes
  /// from the kernel, because this value closes every descriptor whose number the data contains.
  @unsafe @inlinable
  public mutating func take(from ancillary: inout MutableRawSpan) {
    removeAll()
    unsafe add(from: &ancillary)
  }

  /// Takes ownership as ``take(from:)`` does, but keeps the descriptors of an earlier message.
  @unsafe @inlinable
  mutating func add(from ancillary: inout MutableRawSpan) {
    // The span is mutable, so `takePassedNumber` may write to its parts. The loop condition and the switch cases check
    // that the bytes of each number are inside the data. The caller guarantees that the numbers are descriptors that
    // nothing else owns.
    unsafe ancillary.withUnsafeMutableBytes { memory in
      unsafe AncillaryData.forEach(in: memory.bytes) { level, type, data in
        guard level == CSK_SOL_SOCKET else { return }
        switch type {
        case CSK_SCM_RIGHTS:
          var offset = 0
          while offset &+ 4 <= data.byteCount {
            unsafe add(takePassedNumber(from: data, at: offset))
            offset &+= 4
          }
        case CSK_SCM_PIDFD where data.byteCount >= 4:
          // If the kernel failed to open a descriptor, the value is the negated errno.
          let number = unsafe takePassedNumber(from: data, at: 0)
          if number >= 0 { process = unsafe Descriptor(unsafeOwning: RawDescriptor(number)) }
        case CSK_SCM_CREDENTIALS where data.byteCount >= MemoryLayout<ProcessCredentials>.size:
          sender = ProcessCredentials(
            pid: data.integer(as: Int32.self), uid: data.integer(at: 4, as: UInt32.self),
            gid: data.integer(at: 8, as: UInt32.self))
        default: break
        }
      }
    }
  }

  @inlinable
  mutating func add(_ number: Int32) {
    if number < 0 { return }
    if end < capacity {
      numbers[end] = RawDescriptor(number)
      end &+= 1
    } else {
      _ = csk_close(number)
      closed &+= 1
    }
  }
}

/// Reads the number of a descriptor and replaces it with -1. The memory must be mutable, and must contain four bytes at
/// the offset.
@unsafe @inlinable
func takePassedNumber(from data: RawSpan, at offset: Int) -> Int32 {
  unsafe data.withUnsafeBytes { bytes in
    guard let start = bytes.baseAddress else { return -1 }
    let place = unsafe UnsafeMutableRawPointer(mutating: start)
    let number = unsafe place.loadUnaligned(fromByteOffset: offset, as: Int32.self)
    unsafe place.storeBytes(of: -1, toByteOffset: offset, as: Int32.self)
    return number
  }
}
