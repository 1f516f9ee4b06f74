internal import CSocketKit

/// The identity of a process, as verified by the kernel: struct ucred of unix(7).
@frozen
public struct ProcessCredentials: BitwiseCopyable, Hashable, Sendable {
  /// The process ID in the receiver's namespace; 0 if the process is not visible there. The kernel may have assigned
  /// the ID to another process in the meantime. Only a pidfd always refers to the same process.
  public var pid: Int32
  /// The user ID.
  public var uid: UInt32
  /// The group ID.
  public var gid: UInt32

  /// Creates credentials to send with a message. The kernel checks that the process may use these credentials.
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
