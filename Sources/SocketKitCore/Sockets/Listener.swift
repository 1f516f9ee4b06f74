public import CSocketKit

/// A listening socket that makes sockets of type `S`.
///
/// A listener owns its descriptor and all resources that its transport must clean up (the path of a Unix socket).
/// `accept` borrows the listener, so several threads may accept from the same listener.
@frozen
public struct Listener<S: Acceptable & ~Copyable>: ~Copyable, Sendable {
  // This property is declared first so that it is destroyed first: the cleanup must remove the path before the socket
  // is closed.
  @usableFromInline var cleanup: ListenerCleanup
  @usableFromInline let owned: Descriptor
  @usableFromInline let mark: ShutdownMark
  /// The value that the listener passes to every accepted socket. If a descriptor was accepted by other means, such as
  /// io_uring or another process, `S(accepted: descriptor, context: listener.context)` makes a socket from it.
  public let context: S.AcceptContext

  /// Makes a listener from a listening descriptor.
  /// - Parameters:
  ///   - descriptor: a non-blocking descriptor that already listens.
  ///   - context: the value that the listener passes to every accepted socket.
  ///   - cleanup: a function that the listener calls once, when the listener is closed or destroyed, before it closes
  ///     the descriptor. ``release()`` does not call this function.
  @inlinable
  public init(
    _ descriptor: consuming Descriptor, context: S.AcceptContext, cleanup: (@Sendable () -> Void)? = nil
  ) {
    self.cleanup = ListenerCleanup(cleanup)
    owned = descriptor
    mark = ShutdownMark()
    self.context = context
  }

  /// The listening descriptor. A poller watches it for reading.
  @inlinable public var descriptor: RawDescriptor { owned.raw }

  /// Accepts one connection without waiting. Returns nil if no connection waits to be accepted.
  ///
  /// As accept(2) advises, this method skips connections that failed before they were accepted.
  /// - Throws: `.tooManyDescriptors`; `.outOfMemory`; `.permissionDenied` (a firewall); `.shutDown` with errno 0 after
  ///   ``shutdown()``, or with errno EINVAL if the socket does not listen. After `.tooManyDescriptors`, the connection
  ///   stays in the queue for a later call. Stop watching the listener until a descriptor is free; otherwise, every
  ///   wait of the poller reports the listener.
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

  /// Accepts one connection without waiting, and returns the address of the peer in `peer`.
  /// - Parameter peer: set to the peer's address if the result is not nil.
  /// - Throws: as ``accept()``.
  @inlinable
  public borrowing func accept(reporting peer: inout AnySocketAddress) throws(SocketError) -> S? {
    let number = owned.raw.value
    if mark.isSet { throw SocketError(code: .shutDown, .accept) }
    while true {
      // The kernel writes at most `length` bytes.
      let result = unsafe peer.fill { address, length in
        unsafe IOResult(raw: csk_accept(number, address, &length))
      }
      if result.raw >= 0 { return make(result) }
      if result.isWouldBlock { return nil }
      if !isPassing(result) { throw result.acceptFailure }
    }
  }

  /// Accepts one connection, and blocks the calling thread until there is a connection.
  /// - Throws: `.shutDown` if ``shutdown()`` was called before this call or is called while this call waits;
  ///   `.timedOut`; `.cancelled`; and the errors of ``accept()``.
  @inlinable
  public borrowing func accept(until limit: some WaitLimit) throws(SocketError) -> S {
    try waiting(for: .readable, .accept, until: limit) { (listener) throws(SocketError) in try listener.accept() }
  }

  @inlinable
  func make(_ result: IOResult) -> S {
    S(
      // The kernel has returned a new descriptor, which has no other owner.
      accepted: unsafe Descriptor(unsafeOwning: RawDescriptor(Int32(truncatingIfNeeded: result.raw))),
      context: context)
  }

  /// Returns whether to call accept(2) again. The result is true if a signal interrupted the call, or if the cause of
  /// the failure is the connection and not the listener (accept(2), "Error handling").
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
  /// - Throws: `.invalidAddress` if the address is not of the type ``Socket/Address``.
  public borrowing func localAddress() throws(SocketError) -> S.Address {
    guard let address = S.Address(try owned.raw.localAddress()) else {
      throw SocketError(code: .invalidAddress, .localAddress)
    }
    return address
  }

  /// Stops accepting connections. A call of ``accept(until:)`` that waits in another thread throws `.shutDown`, and so
  /// does every later accept. Pollers then report the listener as ready, unless it is a vsock listener. For a vsock
  /// listener, wake the poller with its ``Poller/waker``.
  ///
  /// The descriptor stays open, and the address stays in use, until the listener is destroyed. TCP immediately resets
  /// connections that wait to be accepted; other transports end such connections when the listener is closed. After
  /// this call, the kernel refuses new connections over Unix sockets, TCP and SCTP. For vsock, the kernel still queues
  /// new connections, up to the backlog, until the listener is closed.
  /// - Throws: `.closed`.
  public borrowing func shutdown() throws(SocketError) {
    mark.set()
    let result = owned.raw.attemptShutdownOfListener()
    if result.isFailure { throw SocketError(result, .shutdown) }
  }

  /// Closes the listener. Connections that wait to be accepted are reset. Accepted connections stay open.
  /// - Throws: the error of close(2). The listener is closed even if this call throws.
  public consuming func close() throws(SocketError) {
    cleanup.run()
    try takeDescriptor().close()
  }

  /// Returns the listening descriptor and transfers its ownership to the caller. The cleanup function is not called.
  /// Use this method, for example, to pass a listener to another process.
  public consuming func release() -> Descriptor {
    cleanup.disarm()
    return takeDescriptor()
  }

  private consuming func takeDescriptor() -> Descriptor { owned }

  /// Returns a listener that uses the same listening socket but makes sockets of another type, such as a wrapper.
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

/// The action that a listener performs once, when it is closed or destroyed.
@frozen
@usableFromInline
struct ListenerCleanup: ~Copyable, Sendable {
  @usableFromInline var action: (@Sendable () -> Void)?

  @inlinable
  init(_ action: (@Sendable () -> Void)?) { self.action = action }

  // This deinit is inlinable, because the optimizer fails an assertion if a deinit of a frozen type is opaque.
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

// This property is outside the generic type, because the compiler would otherwise merge the identical functions of
// several listeners into one function with an indirect call.
extension IOResult {
  /// The error of a failed accept. accept(2) fails with EINVAL if the socket does not listen or has stopped listening.
  @inlinable var acceptFailure: SocketError {
    errno == CSK_EINVAL ? SocketError(code: .shutDown, .accept, errno: CSK_EINVAL) : SocketError(self, .accept)
  }
}
