/// A queue of packets in order of arrival. Each packet is contiguous in memory, so that it can be sent without copying.
///
/// The memory is a ring. A packet that does not fit after the last packet is stored at the front of the ring.
@safe
struct PacketQueue: ~Copyable {
  // The queue owns the memory, which has `capacity` bytes. `grow` allocates it; `grow` and the deinitializer free it.
  // Every packet and its header are within the memory, because `place(for:)` checks the size. Sizes are multiples of 8,
  // so every header is aligned.
  private var memory: UnsafeMutableRawPointer?
  private var capacity = 0
  /// The offset of the oldest packet, and the offset at which the next packet is stored.
  private var head = 0
  private var tail = 0
  /// While newer packets are stored at the front of the ring, this is the end offset of the older packets, which begin
  /// at `head`. Otherwise, it is nil.
  private var wrap: Int?
  private(set) var count = 0

  private struct Header {
    var length: Int32
    var flags: Int32
  }

  /// The space in the ring that a packet requires, in bytes.
  static func size(_ length: Int) -> Int { MemoryLayout<Header>.size + (length + 7) & ~7 }

  var isEmpty: Bool { count == 0 }

  func hasRoom(for size: Int) -> Bool { place(for: size) != nil }

  private func place(for size: Int) -> Int? {
    if isEmpty { return size <= capacity ? 0 : nil }
    if wrap != nil { return head - tail >= size ? tail : nil }
    if capacity - tail >= size { return tail }
    return head >= size ? 0 : nil
  }

  /// Enlarges an empty queue. Traps if the queue is not empty.
  mutating func grow(to size: Int) {
    precondition(isEmpty)
    unsafe memory?.deallocate()
    unsafe memory = .allocate(byteCount: size, alignment: 8)
    capacity = size
  }

  deinit { unsafe memory?.deallocate() }

  /// Appends a copy of the packet. Returns false if there is not enough free space.
  mutating func append(_ bytes: Span<UInt8>, flags: Int32) -> Bool {
    let size = Self.size(bytes.count)
    guard let place = place(for: size), let memory = unsafe memory else { return false }
    if isEmpty { head = 0 }
    if place < tail && !isEmpty && wrap == nil { wrap = tail }
    let header = Header(length: Int32(truncatingIfNeeded: bytes.count), flags: flags)
    unsafe memory.storeBytes(of: header, toByteOffset: place, as: Header.self)
    let target = unsafe memory + place + MemoryLayout<Header>.size
    unsafe bytes.withUnsafeBytes { source in
      if let start = source.baseAddress { unsafe target.copyMemory(from: start, byteCount: source.count) }
    }
    tail = place + size
    count += 1
    return true
  }

  /// The oldest packet; nil if the queue is empty. Its bytes stay at their address until the packet is removed.
  var first: (bytes: UnsafeRawBufferPointer, flags: Int32)? {
    guard !isEmpty, let memory = unsafe memory else { return nil }
    let header = unsafe memory.load(fromByteOffset: head, as: Header.self)
    let start = unsafe memory + head + MemoryLayout<Header>.size
    return unsafe (UnsafeRawBufferPointer(start: start, count: Int(header.length)), header.flags)
  }

  mutating func removeFirst() {
    guard let length = unsafe first?.bytes.count else { return }
    head += Self.size(length)
    count -= 1
    if head == wrap {
      head = 0
      wrap = nil
    }
  }

  mutating func removeAll() {
    head = 0
    tail = 0
    wrap = nil
    count = 0
  }
}
