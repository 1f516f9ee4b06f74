/// A value that a poller can watch and a thread can wait for: a socket, a listener, a connect in progress or a name
/// lookup.
///
/// All such types of this library conform, and types of other packages may conform. Pollers can register values of
/// every conforming type. `waiting(for:until:)` makes the waiting form of any call that returns nil instead of
/// blocking.
public protocol Watchable: ~Copyable {
  /// The descriptor to watch for reading. For a kernel socket, this is the descriptor of the socket.
  var readSource: RawDescriptor { get }
  /// The descriptor to watch for writing. For a kernel socket, this is the same as ``readSource``.
  var writeSource: RawDescriptor { get }

  /// The directions in which a call can proceed because this value buffers data itself, although the kernel reports no
  /// event. This set is empty by default and for all kernel sockets.
  ///
  /// A wrapper that reads ahead, such as TLS, buffers bytes that a poller cannot report, because ``readSource`` is not
  /// readable after the wrapper has read all bytes from the kernel. While a read would succeed or fail without a system
  /// call, this property of the wrapper must contain `.readable`. The end of the stream counts as success. While a
  /// write would succeed or fail without a system call, this property must contain `.writable`.
  ///
  /// Waiting calls do not sleep while this property contains their direction. While this property contains a direction,
  /// a program with a poller must repeat its call for that direction and must not wait for an event: see ``Poller``.
  /// This call may still return nil once, for example if the buffered bytes were a record without data. However, if
  /// this property never becomes empty, it causes busy loops.
  var pending: Readiness { get }

  /// Returns the events to watch, on ``readSource`` and ``writeSource``, in order to proceed in the given directions.
  /// The default implementation returns the interest, which is correct for all kernel sockets.
  ///
  /// A wrapper may need events of the other direction. For example, TLS must sometimes write before it can continue to
  /// read; this method then returns `.writable` for the interest `.readable`. A wrapper with unsent bytes adds
  /// `.writable` to every result, even for an empty interest. The result for two directions must contain the results
  /// for each direction. The result is valid until the next call on this value.
  ///
  /// If several threads use the value at the same time, a call of one thread may change the condition that another
  /// thread waits for. In this case, every result must contain ``Interest/changes``, even for an empty interest, and
  /// the call that makes the change must call ``RawDescriptor/announceChanges()``. For example, a read may leave bytes
  /// in the buffer of the wrapper while another reader is already asleep.
  ///
  /// A wrapper must call this method on the socket that it wraps, and combine that result with its own. The same
  /// applies to `pending`.
  /// - Parameter interest: the directions in which the caller wants to proceed.
  borrowing func sources(for interest: Interest) -> Interest
}

extension Watchable where Self: ~Copyable {
  @inlinable public var pending: Readiness { [] }

  @inlinable
  public borrowing func sources(for interest: Interest) -> Interest { interest }

  /// Calls `attempt` until it returns a value or throws, and blocks the calling thread between the attempts.
  ///
  /// A waiting call that consists of one operation passes its non-waiting form as `attempt`:
  /// ```swift
  /// func accept(until limit: some WaitLimit) throws(SocketError) -> S {
  ///   try waiting(for: .readable, .accept, until: limit) { (listener) throws(SocketError) in try listener.accept() }
  /// }
  /// ```
  /// While ``pending`` contains the direction, this method does not sleep. Otherwise, it sleeps until one of the
  /// events from ``sources(for:)`` occurs. It returns the value of `attempt` or throws its error. If the first attempt
  /// returns a value, the method does not read the clock, unless the limit's control has a deadline.
  /// - Parameters:
  ///   - interest: the direction that the call waits for, `.readable` or `.writable`.
  ///   - operation: the operation that errors contain.
  ///   - limit: how long and in which way to wait: ``WaitLimit``.
  ///   - end: the result if this side has shut down the receiving direction and the kernel does not report the end. If
  ///     this parameter is nil, the call throws `.shutDown`.
  ///   - attempt: a closure that tries once without waiting, and returns nil if it would block.
  /// - Throws: `.timedOut`, `.cancelled`; `.shutDown` as described for `end`; `.tooManyDescriptors` if a control needs
  ///   a wake-up descriptor and no descriptor is free; and the errors of `attempt`.
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
