public import SocketKitCore

/// A byte stream between a virtual machine and its host, its sibling, or itself (vsock(7)).
///
/// ```swift
/// let listener = try VsockStreamSocket.listen(port: 1024)
/// let client = try VsockStreamSocket.connect(to: .host(port: 1024), until: .after(.seconds(5)))
/// ```
/// Where nobody listens, the kernel says `.connectionReset`, not `.connectionRefused`; an unknown context ID is
/// `.protocolNotSupported` (no transport leads there: ENODEV) or, behind virtio, `.timedOut`.
@frozen
public struct VsockStreamSocket: ~Copyable, StreamSocket, ConnectionTransport, VsockSocket {
  public typealias Address = VsockAddress

  @usableFromInline let owned: Descriptor

  @inlinable
  public init(accepted descriptor: consuming Descriptor, context: borrowing Void) { owned = descriptor }

  @inlinable public var descriptor: RawDescriptor { owned.raw }
  @inlinable
  public consuming func releaseDescriptor() -> Descriptor { owned }

  @inlinable public static var capabilities: SocketCapabilities { .halfClose }
  @inlinable public static var socketType: SocketType { .stream }
}
