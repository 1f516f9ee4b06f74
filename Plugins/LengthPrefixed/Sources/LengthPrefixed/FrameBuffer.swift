/// A byte buffer between a stream and its frames: filled at the end, emptied at the front, allocated once.
@frozen
@usableFromInline
struct FrameBuffer: ~Copyable, @unchecked Sendable {
  @usableFromInline let memory: UnsafeMutablePointer<UInt8>
  @usableFromInline let capacity: Int
  @usableFromInline var start = 0
  @usableFromInline var end = 0

  @inlinable
  init(capacity: Int) {
    self.capacity = capacity
    unsafe memory = .allocate(capacity: capacity)
  }

  @inlinable
  deinit { unsafe memory.deallocate() }

  @inlinable var count: Int { end &- start }
  @inlinable var isEmpty: Bool { end == start }

  /// The frame length at the front of the buffer, which must contain at least 4 bytes.
  @inlinable var length: Int {
    Int(UInt32(bigEndian: unsafe UnsafeRawPointer(memory + start).loadUnaligned(as: UInt32.self)))
  }

  /// Removes bytes from the front.
  @inlinable
  mutating func drop(_ count: Int) {
    start &+= count
    if start == end {
      start = 0
      end = 0
    }
  }

  /// Moves the remaining bytes to the front of the memory, unless there is already room for `count` bytes from
  /// ``start`` on.
  @inlinable
  mutating func makeRoom(for count: Int) {
    if start &+ count <= capacity { return }
    unsafe memory.update(from: memory + start, count: self.count)
    end = self.count
    start = 0
  }

  /// Appends a frame, which consists of its prefix and `bytes`, without its first `done` bytes. The caller guarantees
  /// that the appended bytes fit.
  @usableFromInline
  mutating func append(frame bytes: Span<UInt8>, after done: Int) {
    var prefix = UInt32(truncatingIfNeeded: bytes.count).bigEndian
    withUnsafeBytes(of: &prefix) { unsafe append($0.dropFirst(done)) }
    bytes.withUnsafeBytes { unsafe append($0.dropFirst(done < 4 ? 0 : done - 4)) }
  }

  private mutating func append(_ bytes: Slice<UnsafeRawBufferPointer>) {
    let source = unsafe UnsafeRawBufferPointer(rebasing: bytes)
    unsafe UnsafeMutableRawBufferPointer(start: memory + end, count: source.count).copyMemory(from: source)
    end += source.count
  }
}
