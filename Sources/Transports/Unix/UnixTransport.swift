internal import CSocketKit
public import SocketKitCore

// All Unix sockets share the following members (unix(7)): pairs, and the handling of paths.
//
// Binding to a path creates a file. A `Listener` or a `UnixDatagramSocket` removes its file when it is closed, if the
// path still refers to the same file. The path of a connecting stream or packet socket (`from:`) is not removed; the
// program must remove it.
//
// If a terminated program left its socket file behind, binding to the path removes that file first. Only such stale
// socket files are removed: if a socket of any kind is bound to the path, or if the path refers to any other file,
// binding fails with `.addressInUse`. If several servers bind to a stale path at the same time, exactly one succeeds.
// While a server removes a stale file, a file `<path>.socketkit-lock` exists in the same directory. If that file
// cannot be opened, for example because it belongs to another user, binding fails with `.addressInUse`.
//
// For a path that does not fit in an address (`UnixAddress.maximumPathLength`), use `UnixPath`.

extension Transport where Self: ~Copyable, Address == UnixAddress {
  /// Binds this open socket. Removes a socket file that a terminated program left at the path, and no other file.
  public mutating func bind(to address: UnixAddress) throws(SocketError) {
    try bind(to: address, replacingDesertedFileAt: SocketPath(address))
  }

  /// Binds the socket. If a terminated program left its file at the path, removes the file and tries again.
  borrowing func bind(to address: UnixAddress, replacingDesertedFileAt path: SocketPath?) throws(SocketError) {
    do throws(SocketError) {
      try descriptor.bind(to: address)
    } catch {
      guard error.code == .addressInUse, let path, path.clearIfDeserted(address) else { throw error }
      try descriptor.bind(to: address)
    }
  }

  /// A function that removes the socket's file; nil if the socket is not bound to a path.
  public var listenerCleanup: (@Sendable () -> Void)? {
    guard let address = try? localAddress(), let path = SocketPath(address), let file = SocketFile(path) else {
      return nil
    }
    return { file.removeIfSame() }
  }

  /// Creates two unnamed sockets that are connected to each other (socketpair(2)).
  /// - Throws: `.tooManyDescriptors`.
  public static func pair() throws(SocketError) -> SocketPair<Self> {
    var numbers: InlineArray<2, Int32> = [-1, -1]
    let type = kinds[0].type.rawValue | CSK_SOCK_NONBLOCK | CSK_SOCK_CLOEXEC
    var places = numbers.mutableSpan
    // The kernel writes two numbers only during the call, and the array has two elements.
    let result = unsafe places.withUnsafeMutableBufferPointer {
      unsafe csk_socketpair(CSK_AF_UNIX, type, 0, $0.baseAddress)
    }
    if result < 0 { throw SocketError(IOResult(raw: result), .pair) }
    // The kernel has opened both descriptors for the caller.
    return SocketPair(
      Self(owning: unsafe Descriptor(unsafeOwning: RawDescriptor(numbers[0]))),
      Self(owning: unsafe Descriptor(unsafeOwning: RawDescriptor(numbers[1]))))
  }
}
