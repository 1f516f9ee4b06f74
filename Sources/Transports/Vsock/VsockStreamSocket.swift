public import SocketKitCore

/// A byte stream between a virtual machine and its host, its sibling, or itself (vsock(7)).
///
/// ```swift
/// let listener = try VsockStreamSocket.listen(port: 1024)
/// let client = try VsockStreamSocket.connect(to: .host(port: 1024), until: .after(.seconds(5)))
/// ```
/// Where nobody listens, the kernel says `.connectionReset`, not `.connectionRefused`; an unknown context ID is
/// `.protocolNotSupported` (no transport leads there: ENODEV) or, behind virtio, `.timedOut`.
///
/// **A restored or moved machine** loses its connections: reading and writing them is `.transportReset` then, while a
/// peer's reset is the end of the stream and `.brokenPipe`. The kernel must be told by the hypervisor
/// (VIRTIO_VSOCK_EVENT_TRANSPORT_RESET): where it is not, a read waits until its deadline, and nobody can know. On the host a
/// machine that is gone is an end like any other. Listeners live on: listen at any context ID, because the machine's may
/// be another then; see ``VsockContextIDWatcher``.
@frozen
public struct VsockStreamSocket: ~Copyable, StreamSocket, KernelSocket, ConnectionTransport, VsockSocket {
  public typealias Address = VsockAddress

  @usableFromInline let owned: Descriptor

  @inlinable
  public init(owning descriptor: consuming Descriptor) { owned = descriptor }

  @inlinable public var descriptor: RawDescriptor { owned.raw }
  @inlinable
  public consuming func releaseDescriptor() -> Descriptor { owned }

  @inlinable public static var capabilities: SocketCapabilities { [.halfClose, .refusesByReset, .silentListeners] }
  @inlinable public static var socketType: SocketType { .stream }

  @inlinable @inline(__always)
  public static func named(_ result: IOResult, on descriptor: RawDescriptor) -> IOResult {
    result.namingTransportReset(on: descriptor)
  }
}
