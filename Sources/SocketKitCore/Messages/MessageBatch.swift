public import CSocketKit

/// Messages in memory that is set aside once: receiving and sending many with one system call allocates nothing.
///
/// Each message has a slot: room for its bytes, its control data and an address. What was received can be sent as it
/// is: an echo is receive, then send. Slots are counted from 0 to ``count`` − 1.
///
/// Descriptors that came with messages of a Unix socket (only where there is room for control data) belong to the
/// batch: `takeDescriptors(at:into:)` hands them out. The batch closes the others at the next receive, at
/// ``removeAll()`` and ``removeLast()``, when their message gets new control data, and at the end of its own life.
@frozen
public struct MessageBatch: ~Copyable {
  @usableFromInline let headers: UnsafeMutablePointer<csk_mmsghdr>
  @usableFromInline let vectors: UnsafeMutablePointer<csk_iovec>
  @usableFromInline let addresses: UnsafeMutablePointer<AnySocketAddress>
  @usableFromInline let controlLengths: UnsafeMutablePointer<Int>
  @usableFromInline let payload: UnsafeMutableRawPointer
  @usableFromInline let control: UnsafeMutableRawPointer
  /// How many messages it can hold: at most 1024 (UIO_MAXIOV), which is what one system call takes.
  public let capacity: Int
  /// Bytes of room for each message.
  public let messageCapacity: Int
  /// Bytes of room for each message's control data.
  public let controlCapacity: Int
  /// How many messages it holds.
  @inlinable public var count: Int { used }
  /// How many of them have been sent.
  @inlinable public var sent: Int { done }
  /// How many messages in a row may be sent as one, which the kernel cuts again (UDP_SEGMENT, Linux 4.18): those to one
  /// receiver, of one length but for the last, without control data. The receiver sees no difference. 1 sends each for
  /// itself; for UDP sockets set what `UDPSocket.hostCapabilities()` says. Other sockets do not read it.
  ///
  /// A run that the device or the path refuses to cut is sent one by one, and joining is tried again later, less often
  /// with every refusal. On a socket with the option `.segmentSize` or `.cork` nothing is joined, because joining would
  /// change what is sent. Set them with `setOption`: a change by other means is seen only before the first batch.
  public var mostJoined = 1
  @usableFromInline var joining = JoiningState()
  @usableFromInline var used = 0
  @usableFromInline var done = 0
  /// Whether a received message's control data may hold descriptors.
  @usableFromInline var mayHoldDescriptors = false
  /// Slots whose header a receive has changed since it was set up.
  @usableFromInline var touched: Int

  /// Sets memory aside.
  /// - Parameters:
  ///   - capacity: 1 to 1024 messages.
  ///   - messageCapacity: bytes for each; longer messages are truncated. 65 535 holds any UDP datagram.
  ///   - controlCapacity: bytes of control data for each; 0 for none, 320 for all metadata that UDP has.
  public init(capacity: Int, messageCapacity: Int, controlCapacity: Int = 0) {
    precondition((1...1024).contains(capacity), "a batch holds 1 to 1024 messages")
    precondition(messageCapacity >= 0 && controlCapacity >= 0)
    self.capacity = capacity
    self.messageCapacity = messageCapacity
    // The kernel aligns control data to words.
    self.controlCapacity = (controlCapacity + 7) & ~7
    headers = .allocate(capacity: capacity)
    controlLengths = .allocate(capacity: capacity)
    controlLengths.initialize(repeating: 0, count: capacity)
    vectors = .allocate(capacity: capacity)
    addresses = .allocate(capacity: capacity)
    payload = .allocate(byteCount: max(1, capacity * messageCapacity), alignment: 64)
    control = .allocate(byteCount: max(1, capacity * self.controlCapacity), alignment: 8)
    payload.initializeMemory(as: UInt8.self, repeating: 0, count: capacity * messageCapacity)
    control.initializeMemory(as: UInt8.self, repeating: 0, count: capacity * self.controlCapacity)
    addresses.initialize(repeating: AnySocketAddress(), count: capacity)
    vectors.initialize(repeating: csk_iovec(), count: capacity)
    headers.initialize(repeating: csk_mmsghdr(), count: capacity)
    for slot in 0..<capacity {
      vectors[slot].base = payload + slot * messageCapacity
      headers[slot].message.name = UnsafeMutableRawPointer(addresses + slot)
      headers[slot].message.vectors = vectors + slot
      headers[slot].message.vector_count = 1
      headers[slot].message.control = self.controlCapacity == 0 ? nil : control + slot * self.controlCapacity
    }
    touched = capacity
  }

  @inlinable
  deinit {
    if mayHoldDescriptors { closeDescriptors(in: 0..<used) }
    headers.deallocate()
    controlLengths.deallocate()
    vectors.deallocate()
    addresses.deallocate()
    payload.deallocate()
    control.deallocate()
  }

  @inlinable public var isEmpty: Bool { used == 0 }
  @inlinable public var isFull: Bool { used == capacity }

  /// Forgets all messages.
  @inlinable
  public mutating func removeAll() {
    if mayHoldDescriptors {
      closeDescriptors(in: 0..<used)
      mayHoldDescriptors = false
    }
    used = 0
    done = 0
  }

  /// Makes all messages unsent again.
  @inlinable
  public mutating func rewind() { done = 0 }

  /// Counts the next messages as sent: for implementers, and to skip one that cannot be sent.
  /// - Parameter number: from 0 to the number of unsent messages, ``count`` less ``sent``; another traps.
  @inlinable
  public mutating func markSent(_ number: Int) {
    precondition(number >= 0 && number <= used &- done, "the batch has no so many unsent messages")
    done &+= number
  }

  /// Counts as sent what the kernel took; the caller has checked the number.
  @inlinable @inline(__always)
  mutating func advance(by number: Int) { done &+= number }

  /// Makes room in a slot for what a receive may write. The pointers stay as they are from the beginning to the end.
  @inlinable
  func setUp(_ slot: Int) {
    vectors[slot].length = messageCapacity
    headers[slot].message.name_length = Int32(truncatingIfNeeded: AnySocketAddress.maximumLength)
    headers[slot].message.control_length = controlCapacity
  }

  @inlinable
  mutating func prepareToReceive() {
    // First, because it reads what the rest overwrites.
    removeAll()
    var slot = 0
    while slot < touched {
      setUp(slot)
      slot &+= 1
    }
    touched = 0
  }

  @inlinable
  mutating func finishReceiving(_ result: Int, descriptorsMayCome: Bool) {
    let number = result < 0 ? 0 : result
    var slot = 0
    while slot < number {
      let length = Int(headers[slot].length)
      // Ready to be sent as it is: the bytes that are here, no control data, to whom it came from.
      vectors[slot].length = length < messageCapacity ? length : messageCapacity
      slot &+= 1
    }
    // A loop of its own, because most batches have no room for control data.
    if controlCapacity != 0 {
      slot = 0
      while slot < number {
        controlLengths[slot] = headers[slot].message.control_length
        headers[slot].message.control_length = 0
        slot &+= 1
      }
      mayHoldDescriptors = descriptorsMayCome && number > 0
    }
    if descriptorsMayCome { cutLongPaths(number) }
    used = number
    touched = number
  }
}

extension MessageBatch: @unchecked Sendable {}

extension AnySocketAddress {
  @inlinable
  mutating func setLength(_ reported: UInt32) { length = reported <= 110 ? reported : Self.usable(reported) }
}
