/// A store of connections, or of anything that cannot be copied, found by ``Token``.
///
/// Fixed capacity, no allocation after it is made, and a generation in every token: a token whose element has been
/// removed finds nothing, even when the slot is in use again. Arrays and dictionaries cannot hold noncopyable values.
@frozen
public struct Slab<Element: ~Copyable>: ~Copyable {
  @usableFromInline let slots: UnsafeMutablePointer<Element?>
  @usableFromInline let generations: UnsafeMutablePointer<UInt32>
  @usableFromInline let links: UnsafeMutablePointer<UInt32>
  /// How many elements it can hold.
  public let capacity: Int
  /// How many it holds.
  @inlinable public var count: Int { used }
  @usableFromInline var used = 0
  @usableFromInline var free: UInt32 = 0

  /// - Parameter capacity: at most 2³² − 1; 24 bytes and the element's size are set aside for each.
  public init(capacity: Int) {
    precondition(capacity >= 0 && capacity < Int(UInt32.max), "a slab holds less than 2^32 elements")
    self.capacity = capacity
    slots = .allocate(capacity: capacity)
    generations = .allocate(capacity: capacity)
    links = .allocate(capacity: capacity)
    for index in 0..<capacity {
      (slots + index).initialize(to: nil)
      (generations + index).initialize(to: 0)
      (links + index).initialize(to: UInt32(index) &+ 1)
    }
  }

  deinit {
    slots.deinitialize(count: capacity)
    slots.deallocate()
    generations.deallocate()
    links.deallocate()
  }

  @inlinable public var isFull: Bool { used == capacity }
  @inlinable public var isEmpty: Bool { used == 0 }

  /// The token that the next ``insert(_:)`` will return, for registering first; nil when full.
  @inlinable public var nextToken: Token? {
    isFull ? nil : Token(index: free, generation: generations[Int(free)])
  }

  /// Stores an element. Traps when the slab is full: ask ``isFull`` first.
  @inlinable
  public mutating func insert(_ element: consuming Element) -> Token {
    precondition(!isFull, "the slab is full")
    let index = Int(free)
    free = links[index]
    used &+= 1
    slots[index] = consume element
    return Token(index: UInt32(truncatingIfNeeded: index), generation: generations[index])
  }

  @inlinable @inline(__always)
  func place(_ token: Token) -> Int? {
    let index = Int(token.index)
    return index < capacity && generations[index] == token.generation ? index : nil
  }

  /// Whether the token's element is still here.
  @inlinable
  public borrowing func contains(_ token: Token) -> Bool {
    guard let index = place(token) else { return false }
    switch slots[index] {
    case .some: return true
    case .none: return false
    }
  }

  /// Takes an element out; nil when the token is stale. The element closes when the result's life ends.
  @inlinable
  public mutating func remove(_ token: Token) -> Element? {
    guard let index = place(token), let element = slots[index].take() else { return nil }
    generations[index] = (generations[index] &+ 1) & 0x7fff_ffff
    links[index] = free
    free = UInt32(truncatingIfNeeded: index)
    used &-= 1
    return element
  }

  /// Takes out an element that must be there.
  /// - Throws: `.staleToken`.
  @inlinable
  public mutating func take(_ token: Token) throws(SocketError) -> Element {
    guard let element = remove(token) else { throw SocketError(code: .staleToken, .lookup) }
    return element
  }

  /// Lends an element; nil when the token is stale, which for an event means: drop it.
  @inlinable @inline(__always)
  public borrowing func withElement<R: ~Copyable, E: Error>(
    _ token: Token, _ body: (borrowing Element) throws(E) -> R
  ) throws(E) -> R? {
    guard let index = place(token) else { return nil }
    switch slots[index] {
    case .some(let element): return try body(element)
    case .none: return nil
    }
  }

  /// Lends an element for change; nil when the token is stale.
  @inlinable @inline(__always)
  public mutating func withMutableElement<R: ~Copyable, E: Error>(
    _ token: Token, _ body: (inout Element) throws(E) -> R
  ) throws(E) -> R? {
    guard let index = place(token), var element = slots[index].take() else { return nil }
    do throws(E) {
      let result = try body(&element)
      slots[index] = consume element
      return result
    } catch {
      slots[index] = consume element
      throw error
    }
  }
}

extension Slab: @unchecked Sendable where Element: Sendable & ~Copyable {}
