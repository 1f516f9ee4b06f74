internal import CSocketKit
public import SocketKitCore

/// A descriptor of a process, called a pidfd (pidfd_open(2)). It always refers to the same process, and never to a
/// later process with the same number.
///
/// ```swift
/// let child = try ProcessDescriptor(of: pid)
/// try child.send(signal: SIGTERM)
/// let exit = try child.waitForExit(until: .after(.seconds(5)))
/// ```
/// A poller reports the descriptor as readable when the process has ended, even if the process is not a child. To
/// register the descriptor, call `poller.register(child, for: .readable, token: token)`. The value owns the descriptor
/// and closes it when the value is destroyed. Closing the descriptor does not affect the process.
public struct ProcessDescriptor: ~Copyable, Sendable {
  private let owned: Descriptor

  /// Opens a descriptor of a running process, or of a child that has ended and for which this process has not waited
  /// yet (Linux 5.3).
  ///
  /// A process may end at any time, and the kernel may then reuse its process ID for another process. The kernel does
  /// not reuse the process ID of a child until the parent has waited for the child. For the peer of a Unix socket, pass
  /// the descriptor from `.peerProcess` or `takeProcess()` to ``init(adopting:)``.
  /// - Parameter process: the process ID, as seen in the PID namespace of the calling process. The call fails for the
  ///   number of a thread that is not a thread group leader.
  /// - Throws: `.noSuchProcess` (ESRCH), `.invalidArgument` for a number below 1 or the number of a thread,
  ///   `.tooManyDescriptors`, `.notSupported` before Linux 5.3.
  public init(of process: Int32) throws(SocketError) {
    let result = IOResult(raw: csk_pidfd_open(process))
    // For a thread that is not a thread group leader, the error is ENOENT since Linux 6.16 and EINVAL on earlier
    // kernels.
    if result.errno == CSK_ENOENT {
      throw SocketError(code: .invalidArgument, .controlProcess, errno: CSK_ENOENT)
    }
    if result.isFailure { throw SocketError(result, .controlProcess) }
    let raw = RawDescriptor(Int32(truncatingIfNeeded: result.raw))
    // The kernel has returned a new descriptor, which has no other owner.
    try self.init(adopting: unsafe Descriptor(unsafeOwning: raw))
  }

  /// Takes ownership of a process descriptor that another interface returned: a socket's `.peerProcess`, a message's
  /// `takeProcess()` or clone(2).
  /// - Throws: `.invalidArgument` if the descriptor does not refer to a process. If the initializer throws, it closes
  ///   the descriptor.
  public init(adopting descriptor: consuming Descriptor) throws(SocketError) {
    // Signal 0 sends no signal. Both calls fail with EBADF if and only if the descriptor does not refer to a process.
    // The check makes two calls, because a sandbox may refuse one of them.
    let number = descriptor.raw.value
    if csk_pidfd_send_signal(number, 0) == 0 - Int(CSK_EBADF) || csk_find_child(number) == 0 - Int(CSK_EBADF) {
      throw SocketError(code: .invalidArgument, .adopt, errno: CSK_EBADF)
    }
    try descriptor.raw.setBlocking(false)
    owned = descriptor
  }

  /// The descriptor. It is open while this value exists.
  public var descriptor: RawDescriptor { owned.raw }

  /// Returns the descriptor and transfers its ownership to the caller.
  public consuming func releaseDescriptor() -> Descriptor { owned }

  /// Sends a signal to the process (pidfd_send_signal(2), Linux 5.1).
  /// - Parameter signal: the number of the signal (signal(7)). 0 sends no signal and only checks for errors.
  /// - Throws: `.noSuchProcess` if the process has ended and its parent has waited for it; `.permissionDenied` as for
  ///   kill(2); `.invalidArgument` if `signal` is not a signal number; `.notSupported` before Linux 5.1.
  public borrowing func send(signal: Int32) throws(SocketError) {
    let result = IOResult(raw: csk_pidfd_send_signal(owned.raw.value, signal))
    if result.isFailure { throw SocketError(result, .controlProcess) }
  }

  /// Duplicates a descriptor that is open in the other process. The result is a new descriptor in this process, and it
  /// refers to the same open file (pidfd_getfd(2), Linux 5.6).
  ///
  /// The new descriptor is CLOEXEC. It shares the non-blocking flag with the original descriptor in the other process,
  /// so `init(adopting:)` of a socket type makes both descriptors non-blocking.
  /// - Parameter descriptor: the number of the descriptor in the process.
  /// - Throws: `.permissionDenied` without permission to trace the process (ptrace(2), PTRACE_MODE_ATTACH_REALCREDS);
  ///   `.closed` if no descriptor of this number is open in the process; `.noSuchProcess` if the process has ended;
  ///   `.tooManyDescriptors`; `.notSupported` before Linux 5.6.
  public borrowing func duplicate(_ descriptor: RawDescriptor) throws(SocketError) -> Descriptor {
    let result = IOResult(raw: csk_pidfd_getfd(owned.raw.value, descriptor.value))
    if result.isFailure { throw SocketError(result, .controlProcess) }
    // The kernel has returned a new descriptor, which has no other owner.
    return unsafe Descriptor(unsafeOwning: RawDescriptor(Int32(truncatingIfNeeded: result.raw)))
  }

  /// Returns the way in which the process ended, or nil if the process is still running. Does not wait.
  ///
  /// The first call that returns a value removes the zombie of the child (waitid(2) with P_PIDFD, Linux 5.4), as
  /// waitpid(2) does. The kernel reports the status only once, so later calls return ``ProcessExit/unknown``.
  /// - Throws: `.notSupported` before Linux 5.4.
  public borrowing func takeExit() throws(SocketError) -> ProcessExit? {
    var state = csk_child_state()
    // The kernel writes the structure only during each call.
    var result = IOResult(raw: unsafe csk_collect_child(owned.raw.value, &state))
    while result.isInterrupted { result = IOResult(raw: unsafe csk_collect_child(owned.raw.value, &state)) }
    if result.errno == CSK_ECHILD { return hasEnded() ? .unknown : nil }
    // EINVAL means that the kernel does not support P_PIDFD.
    if result.errno == CSK_EINVAL { throw SocketError(code: .notSupported, .controlProcess, errno: CSK_EINVAL) }
    if result.isFailure { throw SocketError(result, .controlProcess) }
    if state.signal == 0 { return nil }
    switch state.code {
    case CSK_CLD_EXITED: return .exited(state.status)
    case CSK_CLD_KILLED: return .killed(signal: state.status, dumpedCore: false)
    case CSK_CLD_DUMPED: return .killed(signal: state.status, dumpedCore: true)
    default: return .unknown
    }
  }

  /// Blocks the calling thread until the process has ended, and returns the way in which the process ended.
  /// - Parameter limit: how long and in which way to wait (``/SocketKitCore/WaitLimit``).
  /// - Throws: `.timedOut`, `.cancelled`, and the errors of ``takeExit()``.
  public borrowing func waitForExit(
    until limit: some WaitLimit
  ) throws(SocketError) -> ProcessExit {
    try waiting(for: .readable, .controlProcess, until: limit) { (process) throws(SocketError) in
      try process.takeExit()
    }
  }

  /// Returns whether the descriptor is readable, which means that the process has ended.
  private borrowing func hasEnded() -> Bool {
    var watched = csk_pollfd(fd: owned.raw.value, events: Int16(CSK_POLLIN), revents: 0)
    var none = csk_timespec()
    // The kernel accesses only these two structures, and only during the call.
    return unsafe csk_ppoll(&watched, 1, &none) == 1
  }
}

extension ProcessDescriptor: Watchable {
  /// The descriptor, which is readable when the process has ended.
  public var readSource: RawDescriptor { owned.raw }
  public var writeSource: RawDescriptor { owned.raw }
}

/// The way in which a process ended (waitid(2)).
@frozen
public enum ProcessExit: BitwiseCopyable, Hashable, Sendable {
  /// The process called exit(3) or returned from `main`, with this status from 0 to 255.
  case exited(Int32)
  /// A signal terminated the process.
  case killed(signal: Int32, dumpedCore: Bool)
  /// The process ended, but the kernel does not report its status. This is the case if the process is not a child of
  /// this process, if a call has already waited for the process, or if this process ignores SIGCHLD.
  case unknown
}
