public import SocketKitCore

/// A connected stream between two processes on one host (unix(7)).
///
/// ```swift
/// let listener = try UnixStreamSocket.listen(on: UnixAddress(path: "/run/demo.sock"))
/// let client = try UnixStreamSocket.connect(to: UnixAddress(path: "/run/demo.sock"), until: .after(.seconds(5)))
/// ```
/// Listening on a path creates a file, and closing the listener removes it; see ``UnixSocket`` for other rules about
/// paths. The socket can pass descriptors (``DescriptorPassing``) and reports its peer's identity
/// (``PeerIdentifying``). Reading without requesting descriptors discards those that arrive, so none is leaked.
@frozen
public struct UnixStreamSocket: ~Copyable, StreamSocket, ConnectionTransport, UnixSocket, DescriptorPassing,
  PeerIdentifying
{
  public typealias Address = UnixAddress

  @usableFromInline let owned: Descriptor

  @inlinable
  public init(owning descriptor: consuming Descriptor) { owned = descriptor }

  @inlinable public var descriptor: RawDescriptor { owned.raw }
  @inlinable
  public consuming func releaseDescriptor() -> Descriptor { owned }

  @inlinable public static var capabilities: SocketCapabilities { .halfClose }
  @inlinable public static var socketType: SocketType { .stream }

  @inlinable public static var descriptorsNeedBytes: Bool { true }
  @inlinable
  public static func isEnd(_ info: MessageInfo) -> Bool { info.length == 0 }

  @inlinable @inline(__always)
  public borrowing func attemptReceive(
    into buffer: inout MutableRawSpan, control: inout MutableRawSpan, flags: ReceiveFlags, _ info: inout MessageInfo
  ) -> IOResult {
    descriptor.attemptReceiveMessage(into: &buffer, control: &control, flags: flags, &info)
  }

  @inlinable @inline(__always)
  public borrowing func attemptSend(
    _ bytes: RawSpan, control: RawSpan, to address: RawSpan, flags: SendFlags
  ) -> IOResult {
    descriptor.attemptSendMessage(bytes, control: control, to: address, flags: flags)
  }
}
