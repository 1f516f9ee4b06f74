internal import CSocketKit
public import SocketKitCore

/// Who a process is, as the kernel vouches for it: struct ucred of unix(7).
@frozen
public struct ProcessCredentials: BitwiseCopyable, Hashable, Sendable {
  /// Process number, in the receiver's namespace; 0 when it is not visible there. It may have been given to another
  /// process since: only a pidfd stays what it is.
  public var pid: Int32
  /// User number.
  public var uid: UInt32
  /// Group number.
  public var gid: UInt32

  @inlinable
  public init(pid: Int32, uid: UInt32, gid: UInt32) {
    self.pid = pid
    self.uid = uid
    self.gid = gid
  }

  /// This process, with its real user and group.
  public static var own: ProcessCredentials {
    ProcessCredentials(pid: csk_getpid(), uid: csk_getuid(), gid: csk_getgid())
  }
}

/// A connected socket that knows who is at the other end: who called connect(2), listen(2) or socketpair(2) there, at that
/// time. Whoever uses the descriptor now may be another process.
public protocol PeerIdentifying: KernelSocket, ~Copyable {}

extension PeerIdentifying where Self: ~Copyable {
  /// The peer's process, user and group (SO_PEERCRED).
  /// - Throws: `.notConnected`, `.closed`.
  public borrowing func peerCredentials() throws(SocketError) -> ProcessCredentials {
    var value = ProcessCredentials(pid: 0, uid: .max, gid: .max)
    var length = UInt32(MemoryLayout<ProcessCredentials>.size)
    let result = IOResult(raw: csk_getsockopt(descriptor.value, CSK_SOL_SOCKET, CSK_SO_PEERCRED, &value, &length))
    if result.isFailure { throw SocketError(result, .getOption) }
    // What the kernel says of no peer.
    if value.pid == 0 && value.uid == .max && value.gid == .max { throw SocketError(code: .notConnected, .getOption) }
    return value
  }

  /// The peer's supplementary groups (SO_PEERGROUPS, Linux 4.13).
  /// - Throws: `.notConnected`, `.notSupported`, `.closed`.
  public borrowing func peerGroups() throws(SocketError) -> [UInt32] {
    var groups = [UInt32](repeating: 0, count: 32)
    while true {
      var length = UInt32(groups.count * 4)
      let result = IOResult(
        raw: csk_getsockopt(descriptor.value, CSK_SOL_SOCKET, CSK_SO_PEERGROUPS, &groups, &length))
      if !result.isFailure { return Array(groups.prefix(Int(length) / 4)) }
      // Too short: the kernel has written how long it must be.
      guard result.errno == CSK_ERANGE, Int(length) / 4 > groups.count else { throw peerFailure(result) }
      groups = [UInt32](repeating: 0, count: Int(length) / 4)
    }
  }

  /// A descriptor of the peer's process, which names it and no later one (SO_PEERPIDFD, Linux 6.5): a poller reports it
  /// readable when the process has ended. CLOEXEC.
  /// - Throws: `.notConnected`; `.notSupported` before 6.5; ESRCH or EINVAL when the process has ended, before 6.16;
  ///   `.tooManyDescriptors`, `.closed`.
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
