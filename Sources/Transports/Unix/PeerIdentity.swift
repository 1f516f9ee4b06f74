internal import CSocketKit
public import SocketKitCore

// These options identify the peer: the process that called connect(2), listen(2) or socketpair(2), as it was at the
// time of that call. Another process may use the peer's descriptor now.

extension ReadOnlySocketOption where Group == UnixSocketOptions, Value == ProcessCredentials {
  /// The process ID, user ID and group ID of the peer. The peer is the process that called connect(2), listen(2) or
  /// socketpair(2). Reading the option throws `.notConnected` if there is no peer, and `.closed`. The C name is
  /// `SO_PEERCRED`.
  public static var peerCredentials: Self {
    Self { (target: RawDescriptor) throws(SocketError) -> ProcessCredentials in
      var value = ProcessCredentials(pid: 0, uid: .max, gid: .max)
      var length = 0
      // The structure consists of integers.
      let result = unsafe target.readOption(CSK_SOL_SOCKET, CSK_SO_PEERCRED, intoStructure: &value, &length)
      if result.isFailure { throw SocketError(result, .getOption) }
      // The kernel returns these values if there is no peer.
      if value.pid == 0 && value.uid == .max && value.gid == .max { throw SocketError(code: .notConnected, .getOption) }
      return value
    }
  }
}

extension ReadOnlySocketOption where Group == UnixSocketOptions, Value == [UInt32] {
  /// The peer's supplementary groups. Reading the option throws `.notConnected` if there is no peer, `.notSupported`
  /// before Linux 4.13, and `.closed`. The C name is `SO_PEERGROUPS`.
  public static var peerGroups: Self {
    Self { (target: RawDescriptor) throws(SocketError) -> [UInt32] in
      var groups = [UInt32](repeating: 0, count: 32)
      while true {
        var length = UInt32(groups.count * 4)
        // The kernel writes at most `length` bytes, where `length` is the size of the array.
        let result = unsafe IOResult(
          raw: csk_getsockopt(target.value, CSK_SOL_SOCKET, CSK_SO_PEERGROUPS, &groups, &length))
        if !result.isFailure { return Array(groups.prefix(Int(length) / 4)) }
        // The buffer was too short; the kernel has written the required length.
        guard result.errno == CSK_ERANGE, Int(length) / 4 > groups.count else { throw result.peerFailure }
        groups = [UInt32](repeating: 0, count: Int(length) / 4)
      }
    }
  }
}

extension ReadOnlySocketOption where Group == UnixSocketOptions, Value: ~Copyable, Value == Descriptor {
  /// A new descriptor that refers to the peer's process, and never to a later process with the same ID. A poller
  /// reports the descriptor as readable when the process has ended; see `ProcessDescriptor`. The descriptor is CLOEXEC.
  /// Each read of the option opens another descriptor.
  ///
  /// Reading the option throws `.notConnected` if there is no peer; `.notSupported` before Linux 6.5; ESRCH or EINVAL
  /// on kernels before Linux 6.16 if the process has ended; `.tooManyDescriptors`; `.closed`. The C name is
  /// `SO_PEERPIDFD` (Linux 6.5).
  public static var peerProcess: Self {
    Self { (target: RawDescriptor) throws(SocketError) -> Descriptor in
      var number: Int32 = -1
      var length = 0
      let result = target.readOption(CSK_SOL_SOCKET, CSK_SO_PEERPIDFD, into: &number, &length)
      if result.isFailure { throw result.peerFailure }
      // The kernel has opened this descriptor for the caller.
      return unsafe Descriptor(unsafeOwning: RawDescriptor(number))
    }
  }
}

extension IOResult {
  /// The error of a call that reads an option about the peer.
  fileprivate var peerFailure: SocketError {
    errno == CSK_ENODATA
      ? SocketError(code: .notConnected, .getOption, errno: CSK_ENODATA) : SocketError(self, .getOption)
  }
}
