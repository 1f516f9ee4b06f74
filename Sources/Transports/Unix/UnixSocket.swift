internal import CSocketKit
public import SocketKitCore

/// The features that all Unix sockets share (unix(7)): addresses, options, pairs, and the handling of paths.
///
/// Binding to a path creates a file. A ``Listener`` removes its file when it is closed, and so does a
/// ``UnixDatagramSocket``, provided that the path still refers to the same file. The path of a connecting stream or
/// packet socket (`from:`) is not removed; the program must remove it.
///
/// If a terminated program left its socket file behind, binding to the path removes that file first. Only such stale
/// socket files are removed: if a socket of any kind is bound to the path, or if the path refers to any other file,
/// binding fails with `.addressInUse`. If several servers bind to a stale path at the same time, exactly one succeeds.
/// While a server removes a stale file, a file `<path>.socketkit-lock` exists in the same directory. If that file
/// cannot be opened, for example because it belongs to another user, binding fails with `.addressInUse`.
///
/// For a path that does not fit in an address (``UnixAddress/maximumPathLength``), use ``UnixPath``.
public protocol UnixSocket: TransportSocket, KernelSocket, ~Copyable
where Address == UnixAddress, Options == UnixSocketOptions {
  /// The type of the socket: stream, sequenced packet or datagram.
  static var socketType: SocketType { get }
}

extension UnixSocket where Self: ~Copyable {
  public static func kind(for address: UnixAddress) -> SocketKind { SocketKind(.unix, socketType) }

  public static func accepts(_ kind: SocketKind) -> Bool { kind.family == .unix && kind.type == socketType }

  public static func clearedWay(for address: UnixAddress, after error: SocketError) -> Bool {
    guard error.code == .addressInUse, let path = SocketPath(address) else { return false }
    return path.clearIfDeserted(address)
  }

  public static func cleanup(for address: UnixAddress) -> (@Sendable () -> Void)? {
    guard let path = SocketPath(address), let file = SocketFile(path) else { return nil }
    return { file.removeIfSame() }
  }

  /// Creates two unnamed sockets that are connected to each other (socketpair(2)).
  /// - Throws: `.tooManyDescriptors`.
  public static func pair() throws(SocketError) -> SocketPair<Self> {
    var numbers: InlineArray<2, Int32> = [-1, -1]
    let type = socketType.rawValue | CSK_SOCK_NONBLOCK | CSK_SOCK_CLOEXEC
    let result = withUnsafeMutableBytes(of: &numbers) {
      csk_socketpair(CSK_AF_UNIX, type, 0, $0.baseAddress?.assumingMemoryBound(to: Int32.self))
    }
    if result < 0 { throw SocketError(IOResult(raw: result), .pair) }
    return SocketPair(
      Self(owning: unsafe Descriptor(unsafeOwning: RawDescriptor(numbers[0]))),
      Self(owning: unsafe Descriptor(unsafeOwning: RawDescriptor(numbers[1]))))
  }
}
