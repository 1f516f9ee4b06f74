/// A fixed number of values, which need not be copyable.
@safe
struct Slots<Value: ~Copyable>: ~Copyable {
  // The initializer allocates the memory and initializes every value, and `deinit` destroys the values and frees the
  // memory. The spans check every index.
  private let memory: UnsafeMutableBufferPointer<Value>

  init(count: Int, _ value: () -> Value) {
    unsafe memory = .allocate(capacity: count)
    for index in 0..<count { unsafe memory.initializeElement(at: index, to: value()) }
  }

  deinit {
    unsafe memory.deinitialize()
    unsafe memory.deallocate()
  }

  /// Traps if the index is out of range.
  subscript(index: Int) -> Value {
    _read { yield unsafe memory.span[index] }
    _modify {
      var values = unsafe memory.mutableSpan
      yield &values[index]
    }
  }
}

// The values belong to the slots, as the elements of an array belong to the array.
extension Slots: @unchecked Sendable where Value: Sendable & ~Copyable {}
