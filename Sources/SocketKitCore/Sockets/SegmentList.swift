/// The segments of a ``GatherList`` or a ``ScatterList``. Up to 8 segments are stored inline; more than 8 segments are
/// stored on the heap.
@frozen @safe
@usableFromInline
struct SegmentList: ~Copyable {
  @usableFromInline var few = InlineArray<8, IOSegment>(repeating: IOSegment())
  // `many` is nil, or points to memory for `capacity` segments. The first `end` segments are initialized. The list
  // allocates and deallocates this memory. In the methods of this type, every index is less than `end`, except in
  // `append`, which first makes space.
  /// The memory of the segments if there are more than 8.
  @usableFromInline var many: UnsafeMutablePointer<IOSegment>?
  @usableFromInline var capacity = 8
  /// The index of the first segment that is not transferred completely.
  @usableFromInline var start = 0
  /// The index after the last segment.
  @usableFromInline var end = 0
  @usableFromInline var byteCount = 0

  @inlinable
  init() {}

  @inlinable
  deinit { unsafe many?.deallocate() }

  /// Appends a segment. Omits an empty segment, because the kernel limits the number of segments.
  @inlinable
  mutating func append(_ segment: IOSegment) {
    if segment.count == 0 { return }
    if end == capacity { grow() }
    if let many = unsafe many { unsafe many[end] = segment } else { few[end] = segment }
    end &+= 1
    byteCount &+= segment.count
  }

  @usableFromInline
  mutating func grow() {
    let larger = UnsafeMutablePointer<IOSegment>.allocate(capacity: 2 * capacity)
    for index in 0..<end { unsafe (larger + index).initialize(to: self[index]) }
    unsafe many?.deallocate()
    unsafe many = larger
    capacity *= 2
  }

  @usableFromInline
  subscript(index: Int) -> IOSegment {
    get { if let many = unsafe many { unsafe many[index] } else { few[index] } }
    set { if let many = unsafe many { unsafe many[index] = newValue } else { few[index] = newValue } }
  }

  /// Removes bytes from the front of the list.
  /// - Parameter count: at most ``byteCount``. The method traps if the count is larger, because an incorrect
  ///   implementation of a socket may return such a count.
  @usableFromInline
  mutating func drop(_ count: Int) {
    precondition(count >= 0 && count <= byteCount, "the socket has transferred more bytes than the buffers contain")
    byteCount -= count
    var left = count
    while left > 0 {
      let segment = self[start]
      if left < segment.count {
        self[start] = unsafe IOSegment(segment.baseAddress.map { unsafe $0 + left }, segment.count - left)
        return
      }
      left -= segment.count
      start += 1
    }
  }

  /// Checks that one message can contain all segments that are left.
  /// - Throws: `.capacityExceeded` for more than 1024 segments (UIO_MAXIOV), because a message cannot be split.
  @inlinable
  borrowing func checkMessage(_ operation: SocketError.Operation) throws(SocketError) {
    if end &- start > 1024 { throw SocketError(code: .capacityExceeded, operation) }
  }

  @inlinable
  borrowing func withSegments<R>(_ body: (UnsafeBufferPointer<IOSegment>) -> R) -> R {
    if let many = unsafe many { return unsafe body(UnsafeBufferPointer(start: many + start, count: end &- start)) }
    return unsafe few.span.withUnsafeBufferPointer { unsafe body(UnsafeBufferPointer(rebasing: $0[start..<end])) }
  }
}

extension IOSegment {
  @inlinable
  init() {
    unsafe baseAddress = nil
    count = 0
  }

  @usableFromInline
  init(_ base: UnsafeMutableRawPointer?, _ count: Int) {
    unsafe baseAddress = base
    self.count = count
  }

  // The lifetime of a segment does not depend on the span: ``GatherList`` and ``ScatterList`` declare the lifetime
  // dependence.
  @inlinable
  init(of bytes: Span<UInt8>) { self = unsafe bytes.withUnsafeBytes { unsafe IOSegment($0) } }

  @inlinable
  init(of bytes: consuming MutableSpan<UInt8>) { self = unsafe bytes.withUnsafeMutableBytes { unsafe IOSegment($0) } }
}
