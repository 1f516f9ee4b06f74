public import SocketKitCore

/// A socket for datagrams between processes on one host (unix(7), SOCK_DGRAM). Unlike UDP datagrams, they arrive
/// reliably and in order.
///
/// ```swift
/// let server = try UnixDatagramSocket.bind(to: UnixAddress(path: "/run/demo.sock"))
/// let client = try UnixDatagramSocket.connect(to: UnixAddress(path: "/run/demo.sock"), from: .unnamed)
/// ```
/// Binding to a path creates a file. The socket removes the file when it is closed or destroyed, unless its descriptor
/// was released. ``SocketKitUnix`` describes the other rules about paths. Binding to ``UnixAddress/unnamed``, as the
/// client in the example does, lets the kernel choose an abstract name. A socket that is not bound can send, but cannot
/// receive replies.
///
/// If a receiver does not read, sending would block after `net.unix.max_dgram_qlen` messages. A connected socket
/// becomes writable when the receiver has buffer space. For an unconnected socket the kernel does not report this, so a
/// blocking send to an address retries repeatedly. Connect the socket to avoid these retries.
@frozen
public struct UnixDatagramSocket: ~Copyable, DatagramSocket, KernelSocket, Transport {
  public typealias Address = UnixAddress
  public typealias Options = UnixSocketOptions

  // This property is declared first so that it is destroyed first: the path must be unlinked while the socket is still
  // bound to the path.
  @usableFromInline var path: BoundPath
  @usableFromInline let owned: Descriptor

  @inlinable
  public init(owning descriptor: consuming Descriptor) {
    path = BoundPath()
    owned = descriptor
  }

  @inlinable public var descriptor: RawDescriptor { owned.raw }

  /// Releases the descriptor; the path remains, because the socket remains open.
  @inlinable
  public consuming func releaseDescriptor() -> Descriptor {
    path.disarm()
    return owned
  }

  /// Removes the path that binding created, and closes the socket.
  @inlinable
  public consuming func attemptClose() -> IOResult {
    path.remove()
    return owned.attemptClose()
  }

  /// Binds this open socket, and makes the socket the owner of the file.
  public mutating func bind(to address: UnixAddress) throws(SocketError) {
    let file = SocketPath(address)
    try bind(to: address, replacingDesertedFileAt: file)
    path = BoundPath(file.flatMap { SocketFile($0) })
  }

  @inlinable public static var capabilities: SocketCapabilities { .emptyMessages }

  /// `unix-dgram`, as in `unix-dgram:/run/x.sock`.
  public static var endpointFormat: EndpointFormat<UnixAddress, UnixAddress> { .unix(scheme: "unix-dgram") }

  @inlinable public static var kinds: [SocketKind] { [SocketKind(.unix, .datagram)] }
}
