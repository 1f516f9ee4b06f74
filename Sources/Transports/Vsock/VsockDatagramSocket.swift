public import SocketKitCore

/// A datagram socket between virtual machines (vsock(7), SOCK_DGRAM), for transports that support datagrams.
///
/// Only VMware's transport supports them. With loopback, virtio and Hyper-V, opening the socket fails with
/// `.protocolNotSupported` (ENODEV).
@frozen
public struct VsockDatagramSocket: ~Copyable, DatagramSocket, KernelSocket, Transport {
  public typealias Address = VsockAddress
  public typealias Options = VsockSocketOptions

  @usableFromInline let owned: Descriptor

  @inlinable
  public init(owning descriptor: consuming Descriptor) { owned = descriptor }

  @inlinable public var descriptor: RawDescriptor { owned.raw }
  @inlinable
  public consuming func releaseDescriptor() -> Descriptor { owned }

  /// No capabilities: empty datagrams have not been tested.
  @inlinable public static var capabilities: SocketCapabilities { [] }
  /// `vsock-dgram`, as in `vsock-dgram://host:1024`.
  public static var endpointFormat: EndpointFormat<VsockAddress, VsockAddress> { .vsock(scheme: "vsock-dgram") }

  public static var kinds: [SocketKind] { [SocketKind(.vsock, .datagram)] }
}
