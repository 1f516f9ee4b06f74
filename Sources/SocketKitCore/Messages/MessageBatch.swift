public import CSocketKit

/// A batch of messages. One system call can receive or send many messages. The batch allocates its memory when it is
/// created. Receiving and sending allocate no memory.
///
/// Each message occupies a slot, which stores the message's bytes, its ancillary data and an address. Slots are
/// numbered from 0 to ``count`` − 1. A program can send received messages back unchanged: an echo server receives a
/// batch and sends the same batch.
///
/// On a Unix socket, a batch whose ``ancillaryCapacity`` is not 0 can receive descriptors with its messages. The batch
/// owns these descriptors. `takeDescriptors(at:into:)` transfers descriptors to the caller. The batch closes the
/// remaining descriptors when it receives again, when ``removeAll()`` or ``removeLast()`` removes their message, when
/// the program sets other ancillary data for their message, and when the batch is destroyed.
// Safe: the batch allocates the arrays for `capacity` slots, initializes them, and frees them when it is destroyed.
// Every slot number is either checked against `capacity` or already known to be less than `capacity`. The headers and
// vectors refer to the slot's own memory for as long as the batch exists, and their lengths are at most the size of
// this memory.
@safe @frozen
public struct MessageBatch: ~Copyable {
  @usableFromInline let headers: UnsafeMutablePointer<csk_mmsghdr>
  @usableFromInline let vectors: UnsafeMutablePointer<csk_iovec>
  @usableFromInline let addresses: UnsafeMutablePointer<AnySocketAddress>
  @usableFromInline let ancillaryLengths: UnsafeMutablePointer<Int>
  @usableFromInline let payload: UnsafeMutableRawPointer
  @usableFromInline let ancillary: UnsafeMutableRawPointer
  /// The number of messages that the batch can contain: at most 1024 (UIO_MAXIOV), the limit of one system call.
  public let capacity: Int
  /// The size of the buffer for each message, in bytes.
  public let messageCapacity: Int
  /// The size of the buffer for the ancillary data of each message, in bytes.
  public let ancillaryCapacity: Int
  /// The number of messages in the batch.
  @inlinable public var count: Int { used }
  /// The number of messages that have been sent. A program adds 1 to this number to skip a message that cannot be sent,
  /// and sets it to 0 to send all messages again. An implementation of ``MessageSocket/attemptSend(batch:)`` adds the
  /// number of messages that it sent. Traps if the new number is negative or greater than ``count``.
  @inlinable public var sent: Int {
    get { done }
    set {
      precondition(newValue >= 0 && newValue <= used, "the number of sent messages must be from 0 to count")
      done = newValue
    }
  }
  /// The largest number of consecutive messages that a send may join into one message, which the kernel splits again
  /// (UDP_SEGMENT, Linux 4.18). A send joins a run of messages that have the same receiver, the same length and no
  /// ancillary data. The last message of a run may be shorter. The receiver gets the same datagrams as without joining.
  /// If the number is 1, each message is sent separately. For UDP sockets, set the value that
  /// `UDPSocket.hostCapabilities()` reports. Other sockets ignore this property.
  ///
  /// If the kernel cannot split a joined run for this device or path, it sends none of these messages, and the call
  /// then sends each of them separately. A later call attempts to join messages again. Each refusal doubles the number
  /// of runs that are sent separately before the next attempt, up to 1024 runs. On a socket with the option
  /// `.segmentSize` or `.cork`, a send joins no messages, because joining would change the datagrams. Set these options
  /// with `setOption`. If a program changes the options by other means after the first send of this batch on the
  /// socket, a later call might not detect the change.
  public var mostJoined = 1
  @usableFromInline var joining = JoiningState()
  @usableFromInline var used = 0
  @usableFromInline var done = 0
  /// Whether the ancillary data of a received message may contain descriptors.
  @usableFromInline var mayHoldDescriptors = false
  /// The number of slots, counted from the first, whose headers may have changed since the batch prepared them for a
  /// receive.
  @usableFromInline var touched: Int

  /// Allocates memory for a batch.
  /// - Parameters:
  ///   - capacity: the number of messages, 1 to 1024.
  ///   - messageCapacity: the size of the buffer for each message in bytes. Longer messages are truncated. A size of
  ///     65 535 bytes is sufficient for every UDP datagram.
  ///   - ancillaryCapacity: the size of the buffer for the ancillary data of each message in bytes; 0 for no buffer. A
  ///     size of 320 bytes is sufficient for all metadata of UDP.
  public init(capacity: Int, messageCapacity: Int, ancillaryCapacity: Int = 0) {
    precondition((1...1024).contains(capacity), "the capacity of a batch must be 1 to 1024 messages")
    precondition(messageCapacity >= 0 && ancillaryCapacity >= 0, "the sizes of the buffers must not be negative")
    self.capacity = capacity
    self.messageCapacity = messageCapacity
    // The kernel aligns ancillary data to machine words.
    self.ancillaryCapacity = (ancillaryCapacity + 7) & ~7
    unsafe headers = .allocate(capacity: capacity)
    unsafe ancillaryLengths = .allocate(capacity: capacity)
    unsafe ancillaryLengths.initialize(repeating: 0, count: capacity)
    unsafe vectors = .allocate(capacity: capacity)
    unsafe addresses = .allocate(capacity: capacity)
    unsafe payload = .allocate(byteCount: max(1, capacity * messageCapacity), alignment: 64)
    unsafe ancillary = .allocate(byteCount: max(1, capacity * self.ancillaryCapacity), alignment: 8)
    unsafe payload.initializeMemory(as: UInt8.self, repeating: 0, count: capacity * messageCapacity)
    unsafe ancillary.initializeMemory(as: UInt8.self, repeating: 0, count: capacity * self.ancillaryCapacity)
    unsafe addresses.initialize(repeating: AnySocketAddress(), count: capacity)
    unsafe vectors.initialize(repeating: csk_iovec(), count: capacity)
    unsafe headers.initialize(repeating: csk_mmsghdr(), count: capacity)
    for slot in 0..<capacity {
      unsafe vectors[slot].base = payload + slot * messageCapacity
      unsafe headers[slot].message.name = UnsafeMutableRawPointer(addresses + slot)
      unsafe headers[slot].message.vectors = vectors + slot
      unsafe headers[slot].message.vector_count = 1
      unsafe headers[slot].message.control =
        self.ancillaryCapacity == 0 ? nil : ancillary + slot * self.ancillaryCapacity
    }
    touched = capacity
  }

  @inlinable
  deinit {
    if mayHoldDescriptors { closeDescriptors(in: 0..<used) }
    unsafe headers.deallocate()
    unsafe ancillaryLengths.deallocate()
    unsafe vectors.deallocate()
    unsafe addresses.deallocate()
    unsafe payload.deallocate()
    unsafe ancillary.deallocate()
  }

  /// Whether the batch contains no messages.
  @inlinable public var isEmpty: Bool { used == 0 }
  /// Whether the batch is full: ``count`` equals ``capacity``.
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

  /// Increases ``sent`` by the number of messages that the kernel accepted. The caller has checked the number.
  @inlinable @inline(__always)
  mutating func advance(by number: Int) { done &+= number }

  /// Resets the lengths of a slot before a receive or an append. The pointers never change.
  @inlinable
  func setUp(_ slot: Int) {
    unsafe vectors[slot].length = messageCapacity
    unsafe headers[slot].message.name_length = Int32(truncatingIfNeeded: AnySocketAddress.maximumLength)
    unsafe headers[slot].message.control_length = ancillaryCapacity
  }

  @inlinable
  mutating func prepareToReceive() {
    // This call must precede the loop, because it reads fields that the loop overwrites.
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
      let length = unsafe Int(headers[slot].length)
      // Prepares the message to be sent back to its sender, with the bytes that its slot contains and without ancillary
      // data.
      unsafe vectors[slot].length = length < messageCapacity ? length : messageCapacity
      slot &+= 1
    }
    // This loop is separate because most batches have no buffers for ancillary data.
    if ancillaryCapacity != 0 {
      slot = 0
      while slot < number {
        unsafe ancillaryLengths[slot] = headers[slot].message.control_length
        unsafe headers[slot].message.control_length = 0
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
