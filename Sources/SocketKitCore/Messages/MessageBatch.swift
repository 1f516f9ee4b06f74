public import CSocketKit

/// A batch of messages in memory that is allocated once. One system call receives or sends many messages, without an
/// allocation.
///
/// Each message has a slot with room for its bytes, its ancillary data and an address. Received messages can be sent
/// back without change: an echo server receives a batch and sends it. Slots are numbered from 0 to ``count`` − 1.
///
/// The batch owns the descriptors that are received with messages of a Unix socket, which needs room for ancillary
/// data. `takeDescriptors(at:into:)` transfers them to the caller. The batch closes the others at the next receive, in
/// ``removeAll()`` and ``removeLast()``, when their message gets new ancillary data, and when the batch is destroyed.
@frozen
public struct MessageBatch: ~Copyable {
  @usableFromInline let headers: UnsafeMutablePointer<csk_mmsghdr>
  @usableFromInline let vectors: UnsafeMutablePointer<csk_iovec>
  @usableFromInline let addresses: UnsafeMutablePointer<AnySocketAddress>
  @usableFromInline let ancillaryLengths: UnsafeMutablePointer<Int>
  @usableFromInline let payload: UnsafeMutableRawPointer
  @usableFromInline let ancillary: UnsafeMutableRawPointer
  /// The number of messages that the batch can hold: at most 1024 (UIO_MAXIOV), the limit of one system call.
  public let capacity: Int
  /// The room for each message, in bytes.
  public let messageCapacity: Int
  /// The room for the ancillary data of each message, in bytes.
  public let ancillaryCapacity: Int
  /// The number of messages in the batch.
  @inlinable public var count: Int { used }
  /// The number of messages that have been sent. A program sets it to skip a message that cannot be sent, or to 0 to
  /// send all messages again; an implementation of ``MessageSocket/attemptSend(batch:)`` adds those that it sent. A
  /// number below 0 or above ``count`` traps.
  @inlinable public var sent: Int {
    get { done }
    set {
      precondition(newValue >= 0 && newValue <= used, "the batch has no so many messages")
      done = newValue
    }
  }
  /// The largest number of consecutive messages that may be sent as one, which the kernel splits again (UDP_SEGMENT,
  /// Linux 4.18). Such messages have the same receiver, no ancillary data, and the same length, except that the last
  /// may be shorter. The receiver gets the same datagrams. With 1 each message is sent separately. For UDP sockets set
  /// the value of `UDPSocket.hostCapabilities()`; other sockets ignore this property.
  ///
  /// When the device or the path refuses to split a run, its messages are sent one by one. Joining is tried again
  /// later, less often after every refusal. On a socket with the option `.segmentSize` or `.cork` no messages are
  /// joined, because joining would change the datagrams. Set these options with `setOption`: a change by other means is
  /// detected only before the first batch.
  public var mostJoined = 1
  @usableFromInline var joining = JoiningState()
  @usableFromInline var used = 0
  @usableFromInline var done = 0
  /// Whether a received message's ancillary data may hold descriptors.
  @usableFromInline var mayHoldDescriptors = false
  /// The number of slots, from the first, whose headers may have changed since they were set up for a receive.
  @usableFromInline var touched: Int

  /// Allocates memory for a batch.
  /// - Parameters:
  ///   - capacity: the number of messages, 1 to 1024.
  ///   - messageCapacity: the room for each message in bytes; longer messages are truncated. 65 535 bytes hold any UDP
  ///     datagram.
  ///   - ancillaryCapacity: the room for the ancillary data of each message in bytes; 0 for none. 320 bytes hold all
  ///     metadata of UDP.
  public init(capacity: Int, messageCapacity: Int, ancillaryCapacity: Int = 0) {
    precondition((1...1024).contains(capacity), "a batch holds 1 to 1024 messages")
    precondition(messageCapacity >= 0 && ancillaryCapacity >= 0)
    self.capacity = capacity
    self.messageCapacity = messageCapacity
    // The kernel aligns ancillary data to words.
    self.ancillaryCapacity = (ancillaryCapacity + 7) & ~7
    headers = .allocate(capacity: capacity)
    ancillaryLengths = .allocate(capacity: capacity)
    ancillaryLengths.initialize(repeating: 0, count: capacity)
    vectors = .allocate(capacity: capacity)
    addresses = .allocate(capacity: capacity)
    payload = .allocate(byteCount: max(1, capacity * messageCapacity), alignment: 64)
    ancillary = .allocate(byteCount: max(1, capacity * self.ancillaryCapacity), alignment: 8)
    payload.initializeMemory(as: UInt8.self, repeating: 0, count: capacity * messageCapacity)
    ancillary.initializeMemory(as: UInt8.self, repeating: 0, count: capacity * self.ancillaryCapacity)
    addresses.initialize(repeating: AnySocketAddress(), count: capacity)
    vectors.initialize(repeating: csk_iovec(), count: capacity)
    headers.initialize(repeating: csk_mmsghdr(), count: capacity)
    for slot in 0..<capacity {
      vectors[slot].base = payload + slot * messageCapacity
      headers[slot].message.name = UnsafeMutableRawPointer(addresses + slot)
      headers[slot].message.vectors = vectors + slot
      headers[slot].message.vector_count = 1
      headers[slot].message.control = self.ancillaryCapacity == 0 ? nil : ancillary + slot * self.ancillaryCapacity
    }
    touched = capacity
  }

  @inlinable
  deinit {
    if mayHoldDescriptors { closeDescriptors(in: 0..<used) }
    headers.deallocate()
    ancillaryLengths.deallocate()
    vectors.deallocate()
    addresses.deallocate()
    payload.deallocate()
    ancillary.deallocate()
  }

  /// Whether the batch contains no messages.
  @inlinable public var isEmpty: Bool { used == 0 }
  /// Whether the batch has no room for another message.
  @inlinable public var isFull: Bool { used == capacity }

  /// Removes all messages.
  @inlinable
  public mutating func removeAll() {
    if mayHoldDescriptors {
      closeDescriptors(in: 0..<used)
      mayHoldDescriptors = false
    }
    used = 0
    done = 0
  }

  /// Counts the messages that the kernel accepted as sent. The caller has checked the number.
  @inlinable @inline(__always)
  mutating func advance(by number: Int) { done &+= number }

  /// Resets the lengths of a slot before a receive or an append. The pointers never change.
  @inlinable
  func setUp(_ slot: Int) {
    vectors[slot].length = messageCapacity
    headers[slot].message.name_length = Int32(truncatingIfNeeded: AnySocketAddress.maximumLength)
    headers[slot].message.control_length = ancillaryCapacity
  }

  @inlinable
  mutating func prepareToReceive() {
    // Must come first, because it reads fields that the loop overwrites.
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
      // Prepares the message for sending it back: the bytes in the batch, no ancillary data, to its sender.
      vectors[slot].length = length < messageCapacity ? length : messageCapacity
      slot &+= 1
    }
    // A separate loop, because most batches have no room for ancillary data.
    if ancillaryCapacity != 0 {
      slot = 0
      while slot < number {
        ancillaryLengths[slot] = headers[slot].message.control_length
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
