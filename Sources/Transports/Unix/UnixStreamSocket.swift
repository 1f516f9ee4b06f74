internal import CSocketKit
public import SocketKitCore

/// A connected stream between two processes of one host (unix(7)).
///
/// ```swift
/// let listener = try UnixStreamSocket.listen(on: UnixAddress(path: "/run/demo.sock"))
/// let client = try UnixStreamSocket.connect(to: UnixAddress(path: "/run/demo.sock"), until: .after(.seconds(5)))
/// ```
/// Listening on a path makes its file, and closing the listener removes it, provided that it still is the same file. A
/// path that a dead program left behind, where nobody listens, is cleaned; one where somebody listens is `.addressInUse`,
/// and so is any other file: nothing but a deserted socket is ever removed.
@frozen
public struct UnixStreamSocket: ~Copyable, StreamSocket, ConnectionTransport {
  public typealias Address = UnixAddress

  @usableFromInline let owned: Descriptor

  @inlinable
  public init(accepted descriptor: consuming Descriptor, context: borrowing Void) { owned = descriptor }

  @inlinable public var descriptor: RawDescriptor { owned.raw }
  @inlinable
  public consuming func releaseDescriptor() -> Descriptor { owned }

  @inlinable public static var capabilities: SocketCapabilities { .halfClose }

  public static func kind(for address: UnixAddress) -> SocketKind { SocketKind(.unix, .stream) }

  public static func accepts(_ kind: SocketKind) -> Bool { kind.family == .unix && kind.type == .stream }

  public static func clearedWay(for address: UnixAddress, after error: SocketError) -> Bool {
    guard error.code == .addressInUse, let path = address.path else { return false }
    return SocketFile.removeIfDeserted(path, address)
  }

  public static func cleanup(for address: UnixAddress) -> (@Sendable () -> Void)? {
    guard let path = address.path, let file = SocketFile(path) else { return nil }
    return { file.removeIfSame() }
  }

  /// Two sockets connected to each other (socketpair(2)), without a name.
  /// - Throws: `.tooManyDescriptors`.
  public static func pair() throws(SocketError) -> SocketPair<UnixStreamSocket> {
    var numbers: InlineArray<2, Int32> = [-1, -1]
    let result = withUnsafeMutableBytes(of: &numbers) {
      csk_socketpair(
        CSK_AF_UNIX, CSK_SOCK_STREAM | CSK_SOCK_NONBLOCK | CSK_SOCK_CLOEXEC, 0,
        $0.baseAddress?.assumingMemoryBound(to: Int32.self))
    }
    if result < 0 { throw SocketError(IOResult(raw: result), .pair) }
    return SocketPair(
      UnixStreamSocket(accepted: unsafe Descriptor(unsafeOwning: RawDescriptor(numbers[0])), context: ()),
      UnixStreamSocket(accepted: unsafe Descriptor(unsafeOwning: RawDescriptor(numbers[1])), context: ()))
  }
}
