/// What a poller can watch and a thread can wait for: a socket, a listener, a connect in progress, a name lookup.
///
/// All of ours conform, and so does a third party's type that has something to wait for. Pollers register any of them,
/// and `waiting(for:until:)` gives every call that can block a form that waits.
public protocol Watchable: ~Copyable {
  /// The descriptor to watch for reading: the socket's own for a kernel socket.
  var readSource: RawDescriptor { get }
  /// The descriptor to watch for writing: the same as ``readSource`` for a kernel socket.
  var writeSource: RawDescriptor { get }
}

extension Watchable where Self: ~Copyable {
  /// Tries, and waits on this thread between the tries, until `attempt` returns something or throws.
  ///
  /// Every waiting call of one step is this over its form that tries:
  /// ```swift
  /// func accept(until limit: some WaitLimit) throws(SocketError) -> S {
  ///   try waiting(for: .readable, .accept, until: limit) { (listener) throws(SocketError) in try listener.accept() }
  /// }
  /// ```
  /// It returns and throws what `attempt` does, and reads no clock when the first try returns something.
  /// - Parameters:
  ///   - interest: the direction that the call waits for, `.readable` or `.writable`.
  ///   - operation: what errors name as the operation.
  ///   - limit: how long to wait, and how: ``WaitLimit``.
  ///   - end: the result when this side has shut down the receiving direction and the kernel reports no end for it; nil
  ///     throws `.shutDown` then.
  ///   - attempt: tries once, without waiting; returns nil when it would block.
  /// - Throws: `.timedOut`, `.cancelled`; `.shutDown` as described for `end`; `.tooManyDescriptors` when a control
  ///   needs a wake-up descriptor and there is none; and what `attempt` throws.
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
