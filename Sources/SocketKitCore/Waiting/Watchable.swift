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

  /// The directions in which a call can proceed although the kernel reports nothing, because this value already holds
  /// what it needs. Empty by default, and for all kernel sockets.
  ///
  /// A wrapper that reads ahead, such as TLS, holds bytes that no poller reports: ``readSource`` is not readable when
  /// the wrapper has taken everything from the kernel. It contains `.readable` here while a read would return bytes,
  /// the end of the stream or an error without a call to the kernel, and `.writable` while a write would.
  ///
  /// Waiting calls do not sleep while this contains their direction. A program with a poller calls again, and does not
  /// wait for an event: see ``Poller``. A call in that direction may still return nil once, for example where the held
  /// bytes were a record without data; but a value that is never empty keeps programs busy.
  var pending: Readiness { get }

  /// Returns what to watch, on ``readSource`` and ``writeSource``, for progress in the given directions. The default
  /// returns the interest, which is right for all kernel sockets.
  ///
  /// A wrapper may need the other direction: TLS must sometimes write before it can read on, and then returns
  /// `.writable` for `.readable`. A wrapper with unsent bytes adds `.writable` to every result, also for an empty
  /// interest. The result for two directions covers the results for each. It is valid until the next call on this
  /// value.
  ///
  /// If several threads may use the value at once, and a call of one can change what another waits for, the result
  /// contains ``Interest/changes``, and the call that makes a change calls ``announceChanges()``. Bytes that a read has
  /// left behind are such a change: a second reader may be asleep already.
  ///
  /// A wrapper over any base starts from the results of its base, for `pending` too.
  /// - Parameter interest: what the caller wants to do.
  borrowing func sources(for interest: Interest) -> Interest
}

extension Watchable where Self: ~Copyable {
  @inlinable public var pending: Readiness { [] }

  @inlinable
  public borrowing func sources(for interest: Interest) -> Interest { interest }

  /// For implementers of sockets that hold bytes: makes the threads that wait for this socket try again. Call it after
  /// a call has changed ``pending`` or ``sources(for:)`` and no lock of the wrapper is held any more.
  ///
  /// A thread that has waited for less than 20 milliseconds tries again at the end of that time. Takes a lock; one call
  /// for each read from the kernel costs little. Does nothing for threads whose ``sources(for:)`` lacks
  /// ``Interest/changes``.
  public borrowing func announceChanges() {
    WaitNotices.announceChange(of: readSource)
    if writeSource != readSource { WaitNotices.announceChange(of: writeSource) }
  }

  /// Calls `attempt` until it returns a value or throws, and waits on this thread between the tries.
  ///
  /// A waiting call of one step passes its form that does not wait:
  /// ```swift
  /// func accept(until limit: some WaitLimit) throws(SocketError) -> S {
  ///   try waiting(for: .readable, .accept, until: limit) { (listener) throws(SocketError) in try listener.accept() }
  /// }
  /// ```
  /// Does not sleep while ``pending`` contains the direction, and otherwise sleeps until what ``sources(for:)`` names
  /// is ready. Returns and throws what `attempt` does. Does not read the clock when the first try returns a value,
  /// unless the limit's control has a deadline.
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
        try wait.block(on: self, for: interest)
      } catch {
        if error.code == .shutDown, let result = end() { return result }
        throw error
      }
    }
  }
}
