public import SocketKitCore

/// Datagrams between virtual machines (vsock(7), SOCK_DGRAM), where the kernel has them.
///
/// Only VMware's transport does: loopback, virtio and Hyper-V have none, and there making the socket is
/// `.protocolNotSupported` (ENODEV).
@frozen
public struct VsockDatagramSocket: ~Copyable, DatagramSocket, VsockSocket {
  public typealias Address = VsockAddress

  @usableFromInline let owned: Descriptor

  @inlinable
  public init(owning descriptor: consuming Descriptor) { owned = descriptor }

  @inlinable public var descriptor: RawDescriptor { owned.raw }
  @inlinable
  public consuming func releaseDescriptor() -> Descriptor { owned }

  /// None promised: nobody here has tried empty ones.
  @inlinable public static var capabilities: SocketCapabilities { [] }
  @inlinable public static var socketType: SocketType { .datagram }
}
