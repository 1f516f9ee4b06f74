public import CSocketKit
public import SocketKitCore

/// What came beside the bytes of a message: descriptors of another process, now this one's, and the sender's identity.
///
/// It has room for a fixed number of descriptors inside itself, so receiving allocates nothing. Descriptors that are not
/// taken out are closed when it is used for the next message, and when its life ends.
///
/// ```swift
/// var received = ReceivedDescriptors<1>()
/// _ = try socket.receive(into: buffer.mutableSpan, descriptors: &received)
/// if let file = received.takeFirst() { … }
/// ```
/// They are CLOEXEC. Whether they block is as their sender left it: that flag belongs to the open file, which the sender
/// still shares, so it is not changed here. `init(adopting:)` of a socket type makes a passed socket non-blocking, at both
/// ends.
@frozen
public struct ReceivedDescriptors<let capacity: Int>: ~Copyable, Sendable {
  @usableFromInline var numbers = InlineArray<capacity, RawDescriptor>(repeating: RawDescriptor(-1))
  @usableFromInline var start = 0
  @usableFromInline var end = 0
  // An owner, not a number: a debug build of Swift 6.3 forgets the deinit of another module's type with an integer
  // parameter when all its fields are trivial.
  @usableFromInline var process: Descriptor?
  @usableFromInline var closed = 0
  @usableFromInline var sender: ProcessCredentials?

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

  /// How many descriptors are here.
  @inlinable public var count: Int { end &- start }
  @inlinable public var isEmpty: Bool { end == start }
  /// How many more came than there was room for: they have been closed.
  @inlinable public var surplus: Int { closed }
  /// Who sent the message, where the option `.passCredentials` is on.
  @inlinable public var credentials: ProcessCredentials? { sender }

  /// The number of a descriptor that is still here, counted from 0; traps outside ``count``.
  @inlinable
  public subscript(index: Int) -> RawDescriptor {
    precondition(index >= 0 && index < count, "no such descriptor")
    return numbers[start &+ index]
  }

  /// Takes the first out, in the order in which they were sent; nil when there are no more.
  @inlinable
  public mutating func takeFirst() -> Descriptor? {
    if start == end { return nil }
    let number = numbers[start]
    start &+= 1
    return unsafe Descriptor(unsafeOwning: number)
  }

  /// Takes out the descriptor of the sending process, where the option `.passProcess` is on (SCM_PIDFD, Linux 6.5); nil
  /// when there is none. A poller reports it readable when the process has ended.
  @inlinable
  public mutating func takeProcess() -> Descriptor? { process.take() }

  /// Closes what is here and forgets the rest.
  @inlinable
  public mutating func removeAll() {
    while let descriptor = takeFirst() { _ = consume descriptor }
    process = nil
    start = 0
    end = 0
    closed = 0
    sender = nil
  }

  /// Takes over what a message's control data brought: descriptors from all SCM_RIGHTS messages in it, as many as there
  /// is room for, the rest are closed; a pidfd; credentials. Other messages are skipped. First closes the descriptors
  /// and drops the credentials that an earlier message left here.
  ///
  /// Replaces each descriptor in the control data by -1, so that nothing closes it again.
  ///
  /// For control data that `attemptReceive(into:control:flags:_:)` received; a batch has
  /// ``SocketKitCore/MessageBatch/takeDescriptors(at:into:)``. The caller promises that it comes from the kernel: the
  /// numbers in it are closed by this value.
  @unsafe @inlinable
  public mutating func take(from control: inout MutableRawSpan) {
    removeAll()
    control.withUnsafeMutableBytes { memory in
      ControlData.forEach(in: memory.bytes) { level, type, data in
        guard level == CSK_SOL_SOCKET else { return }
        switch type {
        case CSK_SCM_RIGHTS:
          var offset = 0
          while offset &+ 4 <= data.byteCount {
            add(takePassedNumber(from: data, at: offset))
            offset &+= 4
          }
        case CSK_SCM_PIDFD where data.byteCount >= 4:
          // Negative: the kernel could not open one, and says why.
          let number = takePassedNumber(from: data, at: 0)
          if number >= 0 { process = unsafe Descriptor(unsafeOwning: RawDescriptor(number)) }
        case CSK_SCM_CREDENTIALS where data.byteCount >= MemoryLayout<ProcessCredentials>.size:
          sender = data.unsafeLoadUnaligned(as: ProcessCredentials.self)
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

/// Reads the number of a descriptor, and writes -1 in its place. The memory must be mutable.
@inlinable
func takePassedNumber(from data: RawSpan, at offset: Int) -> Int32 {
  data.withUnsafeBytes { bytes in
    guard let start = bytes.baseAddress else { return -1 }
    let place = UnsafeMutableRawPointer(mutating: start)
    let number = place.loadUnaligned(fromByteOffset: offset, as: Int32.self)
    place.storeBytes(of: -1, toByteOffset: offset, as: Int32.self)
    return number
  }
}
