internal import CSocketKit
public import SocketKitCore

/// A socket of the Kernel Connection Multiplexer: messages over TCP connections, which the kernel takes apart by a program
/// of the caller's (Documentation/networking/kcm.rst, Linux 4.6).
///
/// ```swift
/// let multiplexer = try KCMSocket.open()
/// try multiplexer.attach(connection, parser: program)
/// _ = try multiplexer.send(message.span)
/// ```
/// A multiplexer has any number of sockets, made by ``clone()``, and any number of connections, made by
/// ``attach(_:parser:)``. A message that is sent goes whole over one of the connections; a message that comes over any of
/// them goes to one of the sockets. What is sent must be a message as the parser understands it, header included.
///
/// There are no addresses and there is no end: when a peer closes, its connection leaves the multiplexer in silence, and is
/// readable, by its own socket, for a poller. A message cut by a short buffer is reported as truncated, but not how long
/// it was. `localAddress()`, `remoteAddress()` and `shutdown(_:)` are `.notSupported`.
@frozen
public struct KCMSocket: ~Copyable, DatagramSocket, KernelSocket {
  public typealias Address = AnySocketAddress

  @usableFromInline let owned: Descriptor

  @inlinable
  public init(accepted descriptor: consuming Descriptor, context: borrowing Void) { owned = descriptor }

  @inlinable public var descriptor: RawDescriptor { owned.raw }
  @inlinable
  public consuming func releaseDescriptor() -> Descriptor { owned }

  /// None: a message has at least one byte.
  @inlinable public static var capabilities: SocketCapabilities { [] }
  @inlinable public var mayReceiveDescriptors: Bool { false }

  private static var kind: SocketKind { SocketKind(AddressFamily(rawValue: CSK_AF_KCM), .datagram) }

  /// A new multiplexer, and the first socket of it.
  /// - Throws: `.protocolNotSupported` where the kernel has no KCM, `.tooManyDescriptors`.
  public static func open() throws(SocketError) -> KCMSocket {
    KCMSocket(accepted: try RawDescriptor.open(kind), context: ())
  }

  /// Takes over an open KCM socket, and makes it CLOEXEC and non-blocking.
  /// - Throws: `.closed`, `.notASocket`, or `.wrongSocketKind`. The descriptor then is as it was, and still the caller's.
  public init(adopting raw: RawDescriptor) throws(SocketError) {
    try raw.checkOpen()
    guard try raw.socketKind() == Self.kind else { throw SocketError(code: .wrongSocketKind, .adopt) }
    self.init(accepted: try Descriptor(adopting: raw), context: ())
  }

  /// Adds a TCP connection to the multiplexer (SIOCKCMATTACH). Bytes that it has received already are parsed too.
  ///
  /// The multiplexer reads and writes the connection from then on, and keeps it open when the caller closes its socket: use
  /// that for nothing but ``detach(_:)``.
  /// - Parameters:
  ///   - connection: an established TCP connection; it stays the caller's.
  ///   - parser: a descriptor of an eBPF program of type BPF_PROG_TYPE_SOCKET_FILTER (bpf(2)), which stays the caller's. It
  ///     sees the bytes from the beginning of a message, and returns the message's length in bytes, 0 when it must see
  ///     more, or a negative number for a broken stream, which ends the connection.
  /// - Throws: `.notSupported` when the connection is not TCP, or not established; EALREADY (`.other`) when it is
  ///   attached already; `.closed` when the program is not open; `.invalidArgument` when it is no such program.
  public borrowing func attach(
    _ connection: borrowing some StreamSocket & KernelSocket & ~Copyable, parser: RawDescriptor
  ) throws(SocketError) {
    var request = csk_kcm_attach(fd: connection.descriptor.value, program: parser.value)
    try control(CSK_SIOCKCMATTACH, &request, .setOption)
  }

  /// Takes a TCP connection out of the multiplexer (SIOCKCMUNATTACH): its socket reads and writes it again. A message that
  /// has come in part is dropped. A connection over which a message goes out just now is reset.
  /// - Throws: `.notRegistered` when it is not attached to this multiplexer.
  public borrowing func detach(
    _ connection: borrowing some StreamSocket & KernelSocket & ~Copyable
  ) throws(SocketError) {
    var request = csk_kcm_attach(fd: connection.descriptor.value, program: 0)
    do throws(SocketError) {
      try control(CSK_SIOCKCMUNATTACH, &request, .setOption)
    } catch {
      if error.errno != CSK_ENOENT { throw error }
      throw SocketError(code: .notRegistered, .setOption, errno: CSK_ENOENT)
    }
  }

  /// One more socket of the same multiplexer (SIOCKCMCLONE), for another thread, say.
  ///
  /// The kernel makes it without CLOEXEC, which is set right after: a process that another thread starts in between
  /// inherits it.
  /// - Throws: `.tooManyDescriptors`, `.outOfMemory`.
  public borrowing func clone() throws(SocketError) -> KCMSocket {
    var request = csk_kcm_attach()
    try control(CSK_SIOCKCMCLONE, &request, .open)
    let owned = unsafe Descriptor(unsafeOwning: RawDescriptor(request.fd))
    return KCMSocket(accepted: try Descriptor(adopting: owned.release()), context: ())
  }

  private borrowing func control(
    _ request: Int32, _ value: inout csk_kcm_attach, _ operation: SocketError.Operation
  ) throws(SocketError) {
    let result = IOResult(raw: csk_ioctl(descriptor.value, UInt(bitPattern: Int(request)), &value))
    if result.isFailure { throw SocketError(result, operation) }
  }
}
