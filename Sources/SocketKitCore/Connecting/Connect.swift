internal import CSocketKit

extension Transport where Self: ConnectedSocket & ~Copyable {
  /// Connects, and blocks the calling thread until the connect succeeds or fails.
  ///
  /// - Parameters:
  ///   - address: the address of the peer.
  ///   - source: the local address, or nil to let the kernel choose. With port 0, the kernel chooses the port in
  ///     connect(2) and not in bind(2), so that connections to different peers can share a port
  ///     (IP_BIND_ADDRESS_NO_PORT, Linux 4.2).
  ///   - limit: how long and in which way to wait: ``WaitLimit``. If the deadline of the limit has already passed, the
  ///     call fails before it sends anything.
  ///   - configure: a closure that sets options on the socket before the socket connects.
  /// - Throws: `.connectionRefused`, `.connectionReset`, `.timedOut`, `.cancelled`, `.unreachable`, `.addressInUse` if
  ///   another socket uses the source, `.addressNotAvailable` if the source is not an address of this host or no port
  ///   is free, `.tooManyDescriptors`. The error contains the addresses.
  public static func connect(
    to address: Address, from source: Address? = nil, until limit: some WaitLimit,
    configure: (borrowing Self) throws -> Void = { _ in }
  ) throws(SocketError) -> Self {
    do throws(SocketError) {
      var wait = try WaitOperation(.connect, until: limit)
      try wait.check()
      let socket = try prepared(for: address, from: source, until: limit.deadline, configure: configure)
      try socket.connect(to: address, waiting: &wait)
      return socket
    } catch {
      throw error.with(address: address.description, localAddress: source?.description)
    }
  }

  @available(*, unavailable, message: "Connecting waits. Add until:, or call startConnecting(to:).")
  public static func connect(to address: Address) throws(SocketError) -> Self { fatalError() }

  /// Starts to connect and returns without waiting. This method is for event loops that watch the pending connection.
  ///
  /// - Returns: a pending connection. Watch it for writing: see ``PendingConnection``.
  /// - Throws: as `connect(to:until:)` if the connect fails immediately. If the backlog of a Unix listener is full, the
  ///   error is `.other` with errno EAGAIN. The kernel does not report when space becomes available, so try again
  ///   later.
  public static func startConnecting(
    to address: Address, from source: Address? = nil,
    configure: (borrowing Self) throws -> Void = { _ in }
  ) throws(SocketError) -> PendingConnection<Self> {
    do throws(SocketError) {
      let socket = try prepared(for: address, from: source, until: nil, configure: configure)
      if try socket.begin(address) == .blockedByBacklog { throw SocketError(.wouldBlock, .connect) }
      return PendingConnection(socket, address: address, source: source)
    } catch {
      throw error.with(address: address.description, localAddress: source?.description)
    }
  }

  private static func prepared(
    for address: Address, from source: Address?, until deadline: Deadline?,
    configure: (borrowing Self) throws -> Void
  ) throws(SocketError) -> Self {
    var socket = try open(for: address)
    if let deadline { try socket.configure(at: .connecting(until: deadline)) }
    try socket.configure(with: configure)
    if let source {
      if AnySocketAddress(source).ipPort == 0 { socket.descriptor.chooseNoPortYet() }
      try socket.bind(to: source)
    }
    return socket
  }

  borrowing func connect<Limit>(
    to address: Address, waiting wait: inout WaitOperation<Limit>
  ) throws(SocketError) {
    let progress = try begin(address)
    if progress == .blockedByBacklog {
      try descriptor.connectWhenBacklogAllows(to: address, until: wait.limit)
    }
    if progress == .pending {
      // The wait uses the descriptor and not the write source, because a socket that sends through a queue uses its
      // write source only for sending.
      try wait.block(on: descriptor, for: .writable)
      while try !isConnected() { try wait.block(on: descriptor, for: .writable) }
    }
    try confirm()
  }

  private borrowing func begin(_ address: Address) throws(SocketError) -> ConnectProgress {
    let result = descriptor.attemptConnect(to: address)
    if !result.isFailure { return .done }
    switch result.errno {
    // After EINTR, the kernel continues the connect (connect(2)).
    case CSK_EINPROGRESS, CSK_EINTR: return .pending
    case CSK_EAGAIN where kindIsUnix(address): return .blockedByBacklog
    default: throw SocketError(result, .connect)
    }
  }

  private borrowing func kindIsUnix(_ address: Address) -> Bool { address.family == .unix }

  /// Returns whether a pending connect has succeeded. This method first reads SO_ERROR and then calls getpeername(2),
  /// because a socket can be writable without being connected.
  borrowing func isConnected() throws(SocketError) -> Bool {
    if let error = try descriptor.connectFailure() {
      if error.errno == CSK_EINPROGRESS || error.errno == CSK_EALREADY { return false }
      throw error
    }
    do throws(SocketError) {
      _ = try descriptor.remoteAddress()
      return true
    } catch {
      guard error.errno == CSK_ENOTCONN else { throw error }
      return try descriptor.isConnectedWithoutPeer()
    }
  }

  /// Calls the transport's ``Transport/configure(at:)`` for a connected socket.
  borrowing func confirm() throws(SocketError) {
    do throws(SocketError) {
      try configure(at: .connected)
    } catch {
      // ENOTCONN has two causes: the peer has reset the connection since the connect succeeded, or TCP delays its SYN
      // until the program sends the first bytes (TCP_FASTOPEN_CONNECT).
      guard error.errno == CSK_ENOTCONN else { throw error }
      guard try descriptor.isConnectedWithoutPeer() else { throw error }
    }
  }
}

private enum ConnectProgress { case done, pending, blockedByBacklog }

extension RawDescriptor {
  /// Returns the error of a failed connect, or nil. The kernel reports the error once.
  fileprivate func connectFailure() throws(SocketError) -> SocketError? {
    guard let error = try takePendingError(.connect) else { return nil }
    // EPIPE means that the peer sent a FIN and then a reset (tcp_reset in net/ipv4/tcp_input.c).
    return error.errno == CSK_EPIPE ? SocketError(code: .connectionReset, .connect, errno: CSK_EPIPE) : error
  }

  /// Checks a socket for which getpeername(2) returned ENOTCONN. Returns false while the connect is in progress.
  /// Returns true if the connect has succeeded since getpeername(2) was called, or if TCP waits for the first bytes in
  /// order to send them with its SYN (TCP_FASTOPEN_CONNECT).
  /// - Throws: the error that ended the connect or the connection; `.notConnected` if the kernel has already reported
  ///   this error.
  fileprivate func isConnectedWithoutPeer() throws(SocketError) -> Bool {
    if let error = try connectFailure() { throw error }
    var watched = csk_pollfd(fd: value, events: Int16(CSK_POLLOUT), revents: 0)
    var now = csk_timespec()
    // The kernel accesses only these two structures, and only during the call.
    let result = IOResult(raw: unsafe csk_ppoll(&watched, 1, &now))
    if result.isFailure && !result.isInterrupted { throw SocketError(result, .connect) }
    let seen = Int32(watched.revents)
    if seen & (CSK_POLLHUP | CSK_POLLOUT) == 0 { return false }
    if seen & CSK_POLLHUP == 0, (try? integerOption(CSK_IPPROTO_TCP, CSK_TCP_FASTOPEN_CONNECT)) == 1 { return true }
    // The connect has succeeded or failed, possibly after the calls of getpeername(2) and `connectFailure()`: repeat
    // both.
    do throws(SocketError) {
      _ = try remoteAddress()
      return true
    } catch {
      throw try connectFailure() ?? SocketError(.failure(errno: error.errno), .connect)
    }
  }

  /// Sets IP_BIND_ADDRESS_NO_PORT, so that connect(2) and not bind(2) chooses the port. On a kernel without this
  /// option, bind(2) reserves a port.
  fileprivate func chooseNoPortYet() {
    _ = writeOption(CSK_IPPROTO_IP, CSK_IP_BIND_ADDRESS_NO_PORT, 1 as Int32)
  }

  /// Connects to a Unix listener whose backlog is full.
  ///
  /// If the backlog is full, a non-blocking connect(2) fails with EAGAIN, and the kernel reports no event when the
  /// backlog has space. A blocking connect(2) sleeps until the backlog has space (unix(7)). Therefore, this method
  /// makes blocking calls of at most 5 ms each, and checks the deadline and the control between these calls. It
  /// connects as soon as the backlog has space, and a cancel takes effect within 5 ms.
  func connectWhenBacklogAllows(
    to address: some SocketAddress, until limit: some WaitLimit
  ) throws(SocketError) {
    let slice = 5_000_000 as Int64
    var before = csk_timeval()
    var length = 0
    // The structure consists of integers.
    let read = unsafe readOption(CSK_SOL_SOCKET, CSK_SO_SNDTIMEO, intoStructure: &before, &length)
    if read.isFailure { throw SocketError(read, .connect) }
    try setBlocking(true)
    defer {
      // The result needs no check, because the kernel accepts a time that getsockopt(2) returned.
      _ = writeOption(CSK_SOL_SOCKET, CSK_SO_SNDTIMEO, before)
      try? setBlocking(false)
    }
    while true {
      try limit.check(.connect)
      let left = min(limit.deadline, limit.control?.deadline ?? .never).remainingNanoseconds
      let sleep = left < 0 ? slice : max(1000, min(slice, left))
      let time = csk_timeval(tv_sec: 0, tv_usec: Int(sleep / 1000))
      let set = writeOption(CSK_SOL_SOCKET, CSK_SO_SNDTIMEO, time)
      if set.isFailure { throw SocketError(set, .connect) }
      let result = attemptConnect(to: address)
      if !result.isFailure || result.errno == CSK_EISCONN { break }
      if !result.isWouldBlock && !result.isInterrupted { throw SocketError(result, .connect) }
    }
  }
}
