public import SocketKitCore

/// Datagrams between processes of one host (unix(7), SOCK_DGRAM): reliable and in order, unlike those of UDP.
///
/// ```swift
/// let server = try UnixDatagramSocket.bind(to: UnixAddress(path: "/run/demo.sock"))
/// let client = try UnixDatagramSocket.connect(to: UnixAddress(path: "/run/demo.sock"), from: .unnamed)
/// ```
/// Binding to a path makes its file, and the socket removes it when it closes or its life ends, unless its descriptor was
/// released: ``UnixSocket`` says what else happens to paths. Binding to ``UnixAddress/unnamed``, as the client here does,
/// lets the kernel choose an abstract name; a socket that is not bound can send, but nobody can answer it.
///
/// A receiver that does not read makes sending would-block after `net.unix.max_dgram_qlen` messages. A connected socket
/// becomes writable when there is room; for one that is not connected the kernel reports nothing, so that a waiting send to
/// an address tries again and again: connect where that matters.
@frozen
public struct UnixDatagramSocket: ~Copyable, DatagramSocket, UnixSocket, DescriptorPassing {
  public typealias Address = UnixAddress

  // Declared first, so that it goes first: the path must be unlinked while the socket still holds it.
  @usableFromInline var path: BoundPath
  @usableFromInline let owned: Descriptor

  @inlinable
  public init(owning descriptor: consuming Descriptor) {
    path = BoundPath()
    owned = descriptor
  }

  @inlinable public var descriptor: RawDescriptor { owned.raw }

  /// Gives the descriptor away; the path stays, because the socket does.
  @inlinable
  public consuming func releaseDescriptor() -> Descriptor {
    path.disarm()
    return owned
  }

  /// Removes the path that binding made, and closes.
  @inlinable
  public consuming func attemptClose() -> IOResult {
    path.remove()
    return owned.attemptClose()
  }

  public mutating func didBind(to address: UnixAddress) {
    path = BoundPath(SocketPath(address).flatMap { SocketFile($0) })
  }

  @inlinable public static var capabilities: SocketCapabilities { .emptyMessages }
  @inlinable public static var socketType: SocketType { .datagram }

  @inlinable
  public static func isEnd(_ info: MessageInfo) -> Bool { false }
}
