/// Something that a poller can watch and a thread can wait for: a socket, a listener, a connect in progress, a name
/// lookup.
///
/// All such types of this library conform, and types of other packages may conform. Pollers register any of them, and
/// `waiting(for:until:)` makes the waiting form of a call that returns nil when it would block.
public protocol Watchable: ~Copyable {
  /// The descriptor to watch for reading. For a kernel socket this is the socket's own.
  var readSource: RawDescriptor { get }
  /// The descriptor to watch for writing. For a kernel socket this is the same as ``readSource``.
  var writeSource: RawDescriptor { get }
}

extension Watchable where Self: ~Copyable {
  /// Calls `attempt` until it returns a value or throws, and waits on this thread between the tries.
  ///
  /// A waiting call of one step passes its form that does not wait:
  /// ```swift
  /// func accept(until limit: some WaitLimit) throws(SocketError) -> S {
  ///   try waiting(for: .readable, .accept, until: limit) { (listener) throws(SocketError) in try listener.accept() }
  /// }
  /// ```
  /// Returns and throws what `attempt` does. Does not read the clock when the first try returns a value, unless the
  /// limit's control has a deadline.
  /// - Parameters:
  ///   - interest: the direction that the call waits for, `.readable` or `.writable`.
  ///   - operation: the operation that errors name.
  ///   - limit: how long to wait, and how: ``WaitLimit``.
  ///   - end: the result when this side has shut down the receiving direction and the kernel does not report the end.
  ///     If it is nil, the call throws `.shutDown`.
  ///   - attempt: tries once, without waiting; returns nil when it would block.
  /// - Throws: `.timedOut`, `.cancelled`; `.shutDown` as described for `end`; `.tooManyDescriptors` when a control
  ///   needs a wake-up descriptor and no descriptor is free; and what `attempt` throws.
  @inlinable @inline(__always)
  public borrowing func waiting<Result: ~Copyable, Limit: WaitLimit>(
    for interest: Interest, _ operation: SocketError.Operation = .wait, until limit: Limit,
    atEnd end: @autoclosure () -> Result? = nil,
    _ attempt: (borrowing Self) throws(SocketError) -> Result?
  ) throws(SocketError) -> Result {
    var wait = try WaitOperation(operation, until: limit)
    while true {
      if let result = try attempt(self) { return result }
      do throws(SocketError) {
        try wait.block(on: interest.contains(.writable) ? writeSource : readSource, for: interest)
      } catch {
        if error.code == .shutDown, let result = end() { return result }
        throw error
      }
    }
  }
}
