/// Packets in the order they came, each in one piece of memory, so that it can be sent from where it lies.
///
/// The memory is a ring; a packet that does not fit behind the last one begins at the front.
struct PacketQueue {
  private var memory: UnsafeMutableRawPointer?
  private var capacity = 0
  /// Where the oldest packet is, and where the next one goes.
  private var head = 0
  private var tail = 0
  /// Where the packets behind the head end, while those after them are at the front.
  private var wrap: Int?
  private(set) var count = 0

  private struct Header {
    var length: Int32
    var flags: Int32
  }

  /// What a packet needs of the ring.
  static func size(_ length: Int) -> Int { MemoryLayout<Header>.size + (length + 7) & ~7 }

  var isEmpty: Bool { count == 0 }

  func hasRoom(for size: Int) -> Bool { place(for: size) != nil }

  private func place(for size: Int) -> Int? {
    if isEmpty { return size <= capacity ? 0 : nil }
    if wrap != nil { return head - tail >= size ? tail : nil }
    if capacity - tail >= size { return tail }
    return head >= size ? 0 : nil
  }

  /// Makes an empty queue larger.
  mutating func grow(to size: Int) {
    memory?.deallocate()
    memory = .allocate(byteCount: size, alignment: 8)
    capacity = size
  }

  /// Adds a copy of the packet; false when there is no room.
  mutating func append(_ bytes: RawSpan, flags: Int32) -> Bool {
    let size = Self.size(bytes.byteCount)
    guard let place = place(for: size), let memory else { return false }
    if isEmpty { head = 0 }
    if place < tail && !isEmpty && wrap == nil { wrap = tail }
    let header = Header(length: Int32(truncatingIfNeeded: bytes.byteCount), flags: flags)
    memory.storeBytes(of: header, toByteOffset: place, as: Header.self)
    let target = memory + place + MemoryLayout<Header>.size
    bytes.withUnsafeBytes { source in
      if let start = source.baseAddress { target.copyMemory(from: start, byteCount: source.count) }
    }
    tail = place + size
    count += 1
    return true
  }

  /// The oldest packet, which stays where it is until it is removed; nil when there is none.
  var first: (bytes: UnsafeRawBufferPointer, flags: Int32)? {
    guard !isEmpty, let memory else { return nil }
    let header = memory.load(fromByteOffset: head, as: Header.self)
    let start = memory + head + MemoryLayout<Header>.size
    return (UnsafeRawBufferPointer(start: start, count: Int(header.length)), header.flags)
  }

  mutating func removeFirst() {
    guard let first else { return }
    head += Self.size(first.bytes.count)
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

  /// Gives the memory back.
  mutating func destroy() {
    memory?.deallocate()
    memory = nil
    capacity = 0
    removeAll()
  }
}
