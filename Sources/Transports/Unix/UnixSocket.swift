internal import CSocketKit
public import SocketKitCore

/// What the three kinds of Unix sockets share (unix(7)): addresses, options, pairs, and what happens to paths.
///
/// Binding to a path makes its file, and who bound it removes it: a ``Listener`` when it closes, a
/// ``UnixDatagramSocket`` likewise, provided that it still is the same file. A path that a dead program left behind is
/// cleaned when somebody binds there; one where a socket is bound, of whatever kind, is `.addressInUse`, and so is any
/// other file: nothing but a deserted socket is ever removed. When several servers start on a deserted path at the same
/// time, exactly one gets it. While a server cleans the path, a file `<path>.socketkit-lock` exists beside it. When
/// that file cannot be opened, because it belongs to another user for example, the path stays `.addressInUse`. The path
/// of a connecting stream or packet socket (`from:`) stays: remove it.
///
/// A path that does not fit an address (``UnixAddress/maximumPathLength``) is a ``UnixPath``.
public protocol UnixSocket: TransportSocket, KernelSocket, ~Copyable
where Address == UnixAddress, Options == UnixSocketOptions {
  /// Stream, sequenced packet or datagram.
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

  /// Two sockets connected to each other (socketpair(2)), without a name.
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
