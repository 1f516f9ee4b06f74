public import SocketKitCore

/// A byte stream between a virtual machine and its host, a sibling, or itself (vsock(7)).
///
/// ```swift
/// let listener = try VsockStreamSocket.listen(port: 1024)
/// let client = try VsockStreamSocket.connect(to: .host(port: 1024), until: .after(.seconds(5)))
/// ```
/// If nothing is listening at the address, connecting fails with `.connectionReset`, not `.connectionRefused`.
/// Connecting to an unknown context ID fails with `.protocolNotSupported` if no transport reaches the ID (ENODEV). With
/// virtio, connecting to an unknown context ID fails with `.timedOut`.
///
/// **Restoring or moving a machine** breaks its connections: reads and writes then fail with `.transportReset`. After a
/// reset by the peer, by contrast, reads return the end of the stream, and writes fail with `.brokenPipe`. The
/// hypervisor must notify the kernel (VIRTIO_VSOCK_EVENT_TRANSPORT_RESET). If it does not, the loss cannot be detected,
/// and a read call waits until its deadline. On the host, a connection to a machine that has disappeared ends like any
/// other connection. Listeners continue to work. Listen on ``VsockContextID/any``, because the machine's ID may change;
/// see ``VsockContextIDWatcher``.
@frozen
public struct VsockStreamSocket: ~Copyable, StreamSocket, KernelSocket, Transport, Acceptable {
  public typealias Address = VsockAddress
  public typealias Options = VsockSocketOptions

  @usableFromInline let owned: Descriptor

  @inlinable
  public init(owning descriptor: consuming Descriptor) { owned = descriptor }

  @inlinable public var descriptor: RawDescriptor { owned.raw }
  @inlinable
  public consuming func releaseDescriptor() -> Descriptor { owned }

  @inlinable public static var capabilities: SocketCapabilities { [.halfClose, .refusesByReset, .silentListeners] }
  /// `vsock`, as in `vsock://host:1024`.
  public static var endpointFormat: EndpointFormat<VsockAddress, VsockAddress> { .vsock(scheme: "vsock") }

  public static var kinds: [SocketKind] { [SocketKind(.vsock, .stream)] }

  @inlinable @inline(__always)
  public static func named(_ result: IOResult, on descriptor: RawDescriptor) -> IOResult {
    result.namingTransportReset(on: descriptor)
  }
}
