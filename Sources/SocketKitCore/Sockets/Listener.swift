public import CSocketKit

/// A listening socket that makes sockets of type `S`.
///
/// It owns its descriptor and all resources that its transport must clean up (the path of a Unix socket). Accepting
/// borrows it, so several threads may accept from one listener.
@frozen
public struct Listener<S: Acceptable & ~Copyable>: ~Copyable, Sendable {
  // Declared first, so that it is destroyed first: the path must be unlinked before the socket closes.
  @usableFromInline var cleanup: ListenerCleanup
  @usableFromInline let owned: Descriptor
  @usableFromInline let mark: ShutdownMark
  @usableFromInline let context: S.AcceptContext

  /// Makes a listener from a listening descriptor.
  /// - Parameters:
  ///   - descriptor: a non-blocking descriptor that already listens.
  ///   - context: the value that the listener passes to every accepted socket.
  ///   - cleanup: called once, when the listener closes or its life ends, before its descriptor closes. ``release()``
  ///     does not call it.
  @inlinable
  public init(
    _ descriptor: consuming Descriptor, context: S.AcceptContext, cleanup: (@Sendable () -> Void)? = nil
  ) {
    self.cleanup = ListenerCleanup(cleanup)
    owned = descriptor
    mark = ShutdownMark()
    self.context = context
  }

  /// The listening descriptor, which a poller watches for reading.
  @inlinable public var descriptor: RawDescriptor { owned.raw }

  /// Accepts one connection, without waiting; returns nil when there is none.
  ///
  /// Skips connections that failed before they were accepted, as accept(2) advises.
  /// - Throws: `.tooManyDescriptors`; `.outOfMemory`; `.permissionDenied` (a firewall); `.shutDown` after
  ///   ``shutdown()``, with errno 0, or when the socket does not listen, with errno EINVAL. After `.tooManyDescriptors`
  ///   the connection stays in the queue for a later call. Stop watching the listener until a descriptor is free;
  ///   otherwise the poller reports it again and again.
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

  /// Accepts one connection, without waiting, and reports the address of the peer.
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

  /// Accepts one connection, and waits on this thread until there is one.
  /// - Throws: `.shutDown` when ``shutdown()`` was called before the call or is called during its wait; `.timedOut`,
  ///   `.cancelled`, and as ``accept()``.
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

  /// Returns whether the failure is one of the connection, not of the listener: accept(2), "Error handling".
  @inlinable
  func isPassing(_ result: IOResult) -> Bool {
    switch Int32(truncatingIfNeeded: 0 &- result.raw) {
    case CSK_EINTR, CSK_ECONNABORTED, CSK_EPROTO, CSK_ENETDOWN, CSK_ENOPROTOOPT, CSK_EHOSTDOWN, CSK_EHOSTUNREACH,
      CSK_ENETUNREACH:
      true
    default: false
    }
  }

  /// Returns the address that the listener is bound to, with the port that the kernel chose.
  /// - Throws: `.invalidAddress` when it is not one of this transport's addresses.
  public borrowing func localAddress() throws(SocketError) -> S.Address {
    guard let address = S.Address(try owned.raw.localAddress()) else {
      throw SocketError(code: .invalidAddress, .localAddress)
    }
    return address
  }

  /// Stops accepting. Calls of ``accept(until:)`` that wait in other threads end with `.shutDown`, and so does every
  /// later accept. Pollers report the listener as ready. For a vsock listener the kernel reports nothing: wake the
  /// poller with its ``Poller/waker``.
  ///
  /// The descriptor stays open, and the address stays in use, until the listener's life ends. TCP immediately resets
  /// connections that wait to be accepted; other transports end them when the listener closes. After this call the
  /// kernel refuses new connections over Unix sockets, TCP and SCTP. Over vsock it still accepts them, up to the
  /// backlog, until the listener closes.
  /// - Throws: `.closed`.
  public borrowing func shutdown() throws(SocketError) {
    mark.set()
    let result = owned.raw.attemptShutdownOfListener()
    if result.isFailure { throw SocketError(result, .shutdown) }
  }

  /// Closes the listener now. Connections that wait to be accepted are reset; accepted connections stay open.
  /// - Throws: the error of close(2). The listener is closed in every case.
  public consuming func close() throws(SocketError) {
    cleanup.run()
    try takeDescriptor().close()
  }

  /// Returns the listening descriptor and gives up its ownership without cleaning up, for example to pass a live
  /// listener to another process.
  public consuming func release() -> Descriptor {
    cleanup.disarm()
    return takeDescriptor()
  }

  private consuming func takeDescriptor() -> Descriptor { owned }

  /// Returns a listener on the same socket that makes sockets of another type. Wrapper transports accept in this way.
  /// - Parameters:
  ///   - type: the wrapper, whose `init(accepted:context:)` makes a socket from a descriptor.
  ///   - context: the value that the listener passes to every accepted socket.
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

/// The action that a listener performs once, when it closes or its life ends.
@frozen
@usableFromInline
struct ListenerCleanup: ~Copyable, Sendable {
  @usableFromInline var action: (@Sendable () -> Void)?

  @inlinable
  init(_ action: (@Sendable () -> Void)?) { self.action = action }

  // Inlinable like every deinit of a frozen type here, because the optimizer fails an assertion when it inlines an
  // opaque one.
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

// Outside the generic type, because the compiler would merge the equal functions of several listeners into one with an
// indirect call.
extension IOResult {
  /// The error of a failed accept. accept(2) returns EINVAL for a socket that does not listen or has stopped listening.
  @inlinable var acceptFailure: SocketError {
    errno == CSK_EINVAL ? SocketError(code: .shutDown, .accept, errno: CSK_EINVAL) : SocketError(self, .accept)
  }
}
