internal import CSocketKit
public import SocketKitCore

/// The identity of a process, as verified by the kernel: struct ucred of unix(7).
@frozen
public struct ProcessCredentials: BitwiseCopyable, Hashable, Sendable {
  /// The process ID in the receiver's namespace; 0 if the process is not visible there. The kernel may since have
  /// assigned the ID to another process; only a pidfd always refers to the same process.
  public var pid: Int32
  /// The user ID.
  public var uid: UInt32
  /// The group ID.
  public var gid: UInt32

  /// Creates credentials to send with a message. The kernel checks that the process may use them.
  @inlinable
  public init(pid: Int32, uid: UInt32, gid: UInt32) {
    self.pid = pid
    self.uid = uid
    self.gid = gid
  }

  /// The credentials of this process, with its real user ID and group ID.
  public static var own: ProcessCredentials {
    ProcessCredentials(pid: csk_getpid(), uid: csk_getuid(), gid: csk_getgid())
  }
}

// The identity of the peer: the process that called connect(2), listen(2) or socketpair(2), at the time of that call.
// Another process may use the descriptor now.
extension KernelSocket where Self: ConnectedSocket & ~Copyable, Address == UnixAddress {
  /// Returns the process ID, user ID and group ID of the peer (SO_PEERCRED).
  /// - Throws: `.notConnected`, `.closed`.
  public borrowing func peerCredentials() throws(SocketError) -> ProcessCredentials {
    var value = ProcessCredentials(pid: 0, uid: .max, gid: .max)
    var length = UInt32(MemoryLayout<ProcessCredentials>.size)
    let result = IOResult(raw: csk_getsockopt(descriptor.value, CSK_SOL_SOCKET, CSK_SO_PEERCRED, &value, &length))
    if result.isFailure { throw SocketError(result, .getOption) }
    // The values that the kernel returns if there is no peer.
    if value.pid == 0 && value.uid == .max && value.gid == .max { throw SocketError(code: .notConnected, .getOption) }
    return value
  }

  /// Returns the peer's supplementary groups (SO_PEERGROUPS, Linux 4.13).
  /// - Throws: `.notConnected`, `.notSupported`, `.closed`.
  public borrowing func peerGroups() throws(SocketError) -> [UInt32] {
    var groups = [UInt32](repeating: 0, count: 32)
    while true {
      var length = UInt32(groups.count * 4)
      let result = IOResult(
        raw: csk_getsockopt(descriptor.value, CSK_SOL_SOCKET, CSK_SO_PEERGROUPS, &groups, &length))
      if !result.isFailure { return Array(groups.prefix(Int(length) / 4)) }
      // The buffer was too short; the kernel has written the required length.
      guard result.errno == CSK_ERANGE, Int(length) / 4 > groups.count else { throw peerFailure(result) }
      groups = [UInt32](repeating: 0, count: Int(length) / 4)
    }
  }

  /// Returns a descriptor that refers to the peer's process and to no later one (SO_PEERPIDFD, Linux 6.5). A poller
  /// reports it as readable when the process has ended. The descriptor is CLOEXEC.
  /// - Throws: `.notConnected`; `.notSupported` before Linux 6.5; ESRCH or EINVAL if the process has ended, before
  ///   Linux 6.16; `.tooManyDescriptors`, `.closed`.
  public borrowing func peerProcess() throws(SocketError) -> Descriptor {
    var number: Int32 = -1
    var length: UInt32 = 4
    let result = IOResult(raw: csk_getsockopt(descriptor.value, CSK_SOL_SOCKET, CSK_SO_PEERPIDFD, &number, &length))
    if result.isFailure { throw peerFailure(result) }
    return unsafe Descriptor(unsafeOwning: RawDescriptor(number))
  }

  private borrowing func peerFailure(_ result: IOResult) -> SocketError {
    result.errno == CSK_ENODATA
      ? SocketError(code: .notConnected, .getOption, errno: CSK_ENODATA) : SocketError(result, .getOption)
  }
}
