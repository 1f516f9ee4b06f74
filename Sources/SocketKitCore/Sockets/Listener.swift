public import CSocketKit

/// A listening socket that makes sockets of type `S`.
///
/// It owns its descriptor, and whatever its transport must clean up (a Unix socket's path). Accepting borrows it, so
/// several threads may accept from one listener.
@frozen
public struct Listener<S: Acceptable & ~Copyable>: ~Copyable, Sendable {
  // Declared first, so that it goes first: the path must be unlinked while the socket still holds it.
  @usableFromInline var cleanup: ListenerCleanup
  @usableFromInline let owned: Descriptor
  @usableFromInline let mark: ShutdownMark
  @usableFromInline let context: S.AcceptContext

  /// Makes a listener of a listening descriptor.
  /// - Parameters:
  ///   - descriptor: listens already, non-blocking.
  ///   - context: handed to every accepted socket.
  ///   - cleanup: called once, when the listener closes or its life ends, before its descriptor closes; not when it is
  ///     released.
  @inlinable
  public init(
    _ descriptor: consuming Descriptor, context: S.AcceptContext, cleanup: (@Sendable () -> Void)? = nil
  ) {
    self.cleanup = ListenerCleanup(cleanup)
    owned = descriptor
    mark = ShutdownMark()
    self.context = context
  }

  /// The listening descriptor: what a poller watches for reading.
  @inlinable public var descriptor: RawDescriptor { owned.raw }

  /// Takes one connection, without waiting; nil when there is none.
  ///
  /// Connections that failed before they could be taken are skipped, as accept(2) advises.
  /// - Throws: `.tooManyDescriptors` (the listener stays as it is: the connection is still there for a later call; stop
  ///   watching the listener meanwhile, or the poller reports it again and again), `.outOfMemory`,
  ///   `.permissionDenied` (a firewall); `.shutDown` after ``shutdown()``, errno 0, or when the socket does not listen,
  ///   errno EINVAL.
  @inlinable @inline(__always)
  public borrowing func accept() throws(SocketError) -> S? {
    let number = owned.raw.value
    if mark.isSet { throw SocketError(code: .shutDown, .accept) }
    while true {
      let result = IOResult(raw: csk_accept(number, nil, nil))
      if result.raw >= 0 { return make(result) }
      if result.isWouldBlock { return nil }
      if !isPassing(result) { throw result.acceptFailure }
    }
  }

  /// Takes one connection, without waiting, and reports who it is from.
  /// - Parameter peer: receives the peer's address when the result is not nil.
  /// - Throws: as ``accept()``.
  @inlinable
  public borrowing func accept(reporting peer: inout AnySocketAddress) throws(SocketError) -> S? {
    let number = owned.raw.value
    if mark.isSet { throw SocketError(code: .shutDown, .accept) }
    while true {
      let result = peer.fill { address, length in
        IOResult(raw: csk_accept(number, address, &length))
      }
      if result.raw >= 0 { return make(result) }
      if result.isWouldBlock { return nil }
      if !isPassing(result) { throw result.acceptFailure }
    }
  }

  /// Takes one connection, waiting on this thread until there is one.
  /// - Throws: `.shutDown` when ``shutdown()`` is called, before or while it waits; `.timedOut`, `.cancelled`, and as
  ///   ``accept()``.
  @inlinable
  public borrowing func accept(until limit: some WaitLimit) throws(SocketError) -> S {
    try waiting(for: .readable, .accept, until: limit) { (listener) throws(SocketError) in try listener.accept() }
  }

  @inlinable
  func make(_ result: IOResult) -> S {
    S(
      accepted: unsafe Descriptor(unsafeOwning: RawDescriptor(Int32(truncatingIfNeeded: result.raw))),
      context: context)
  }

  /// Failures of a connection, not of the listener: accept(2), "Error handling".
  @inlinable
  func isPassing(_ result: IOResult) -> Bool {
    switch Int32(truncatingIfNeeded: 0 &- result.raw) {
    case CSK_EINTR, CSK_ECONNABORTED, CSK_EPROTO, CSK_ENETDOWN, CSK_ENOPROTOOPT, CSK_EHOSTDOWN, CSK_EHOSTUNREACH,
      CSK_ENETUNREACH:
      true
    default: false
    }
  }

  /// The address that is listened on, with the port that the kernel chose.
  /// - Throws: `.invalidAddress` when it is none of this transport's.
  public borrowing func localAddress() throws(SocketError) -> S.Address {
    guard let address = S.Address(try owned.raw.localAddress()) else {
      throw SocketError(code: .invalidAddress, .localAddress)
    }
    return address
  }

  /// Stops accepting: calls of ``accept(until:)`` that wait in other threads end with `.shutDown`, and
  /// so does every later accept. Pollers report the listener as ready. For a vsock listener the kernel reports nothing:
  /// wake the poller with its ``Poller/waker``.
  ///
  /// The descriptor stays open and the address taken until the listener's life ends. What becomes of connections that
  /// wait to be accepted differs by transport: TCP resets them now, others end them when the listener closes. From now
  /// on the kernel refuses new connections over Unix sockets, TCP and SCTP; over vsock it still takes them, up to the
  /// backlog, until the listener closes.
  /// - Throws: `.closed`.
  public borrowing func shutdown() throws(SocketError) {
    mark.set()
    let result = owned.raw.attemptShutdownOfListener()
    if result.isFailure { throw SocketError(result, .shutdown) }
  }

  /// Stops listening now: connections that wait to be accepted are reset, accepted ones stay.
  /// - Throws: what close(2) reports. The listener is gone in every case.
  public consuming func close() throws(SocketError) {
    cleanup.run()
    try takeDescriptor().close()
  }

  /// Gives the listening descriptor away without cleaning up: to hand a live listener to another process, say.
  public consuming func release() -> Descriptor {
    cleanup.disarm()
    return takeDescriptor()
  }

  private consuming func takeDescriptor() -> Descriptor { owned }

  /// The same listening socket, making sockets of another type: how a wrapper transport accepts.
  /// - Parameters:
  ///   - type: the wrapper, whose `init(accepted:context:)` makes it of a descriptor.
  ///   - context: handed to every accepted socket.
  public consuming func accepting<W: Acceptable & ~Copyable>(
    _ type: W.Type = W.self, context: W.AcceptContext
  ) -> Listener<W> {
    let action = cleanup.take()
    let wasShutDown = mark.isSet
    let listener = Listener<W>(takeDescriptor(), context: context, cleanup: action)
    if wasShutDown { listener.mark.set() }
    return listener
  }
}

/// What a listener does when it goes, once.
@frozen
@usableFromInline
struct ListenerCleanup: ~Copyable, Sendable {
  @usableFromInline var action: (@Sendable () -> Void)?

  @inlinable
  init(_ action: (@Sendable () -> Void)?) { self.action = action }

  // Inlinable as every deinit of a frozen type here: the optimizer asserts on inlining an opaque one.
  @inlinable
  deinit { action?() }

  mutating func run() {
    action?()
    action = nil
  }
  mutating func disarm() { action = nil }
  mutating func take() -> (@Sendable () -> Void)? {
    let taken = action
    action = nil
    return taken
  }
}

extension Listener: Watchable where S: ~Copyable {
  @inlinable public var readSource: RawDescriptor { owned.raw }
  @inlinable public var writeSource: RawDescriptor { owned.raw }
}

extension Listener: OptionTarget where S: OptionTarget & ~Copyable {
  public typealias Options = S.Options
}

// Not in the generic type, because the compiler would merge the equal functions of several listeners into one with an
// indirect call.
extension IOResult {
  /// accept(2) returns EINVAL for a socket that does not listen, or no longer does.
  @inlinable var acceptFailure: SocketError {
    errno == CSK_EINVAL ? SocketError(code: .shutDown, .accept, errno: CSK_EINVAL) : SocketError(self, .accept)
  }
}
