internal import CSocketKit
public import SocketKitCore

/// A socket of the Kernel Connection Multiplexer (KCM), which sends and receives messages over TCP connections. To
/// split the TCP streams into messages, the kernel runs a program that the caller provides
/// (Documentation/networking/kcm.rst, Linux 4.6).
///
/// ```swift
/// let multiplexer = try KCMSocket.open()
/// try multiplexer.attach(connection, parser: program)
/// _ = try multiplexer.send(message.span)
/// ```
/// A multiplexer has any number of sockets and any number of connections. ``clone()`` adds a socket, and
/// ``attach(_:parser:)`` adds a connection. The kernel sends each outgoing message over one of the connections. It
/// delivers each message that arrives on a connection to one of the sockets. Each message that a program sends must
/// include its header, and must be a message that the parser accepts.
///
/// KCM sockets have no addresses, and a receive call never returns the end of the stream. When a peer closes its
/// connection, the kernel removes the connection from the multiplexer and does not notify the KCM sockets. A poller
/// reports the connection's own socket as readable. A message longer than the buffer is reported as truncated, without
/// its full length. `localAddress()`, `remoteAddress()` and `shutdown(_:)` fail with `.notSupported`.
@frozen
public struct KCMSocket: ~Copyable, DatagramSocket, KernelSocket {
  public typealias Options = SocketLevelOptions
  public typealias Address = AnySocketAddress

  @usableFromInline let owned: Descriptor

  /// Takes ownership of a descriptor without checking it. The descriptor must refer to a KCM socket, and must be
  /// CLOEXEC and non-blocking.
  @inlinable
  public init(owning descriptor: consuming Descriptor) { owned = descriptor }

  @inlinable public var descriptor: RawDescriptor { owned.raw }
  @inlinable
  public consuming func releaseDescriptor() -> Descriptor { owned }

  /// No capabilities, because a message has at least one byte.
  @inlinable public static var capabilities: SocketCapabilities { [] }
  @inlinable public var mayReceiveDescriptors: Bool { false }

  private static var kind: SocketKind { SocketKind(AddressFamily(rawValue: CSK_AF_KCM), .datagram) }

  /// Opens a new multiplexer and returns its first socket.
  /// - Throws: `.protocolNotSupported` if the kernel does not support KCM, `.tooManyDescriptors`.
  public static func open() throws(SocketError) -> KCMSocket {
    KCMSocket(owning: try RawDescriptor.open(kind))
  }

  /// Takes ownership of an open KCM socket, and makes it CLOEXEC and non-blocking.
  /// - Throws: `.closed`, `.notASocket`, or `.wrongSocketKind`. The descriptor is closed on failure.
  public init(adopting descriptor: consuming Descriptor) throws(SocketError) {
    let raw = descriptor.raw
    try raw.checkOpen()
    guard try raw.socketKind() == Self.kind else { throw SocketError(code: .wrongSocketKind, .adopt) }
    try raw.setBlocking(false)
    try raw.setCloseOnExec(true)
    self.init(owning: descriptor)
  }

  /// Adds a TCP connection to the multiplexer (SIOCKCMATTACH).
  ///
  /// The kernel also parses the bytes that the connection has already received. After this call, the multiplexer reads
  /// and writes the connection. It keeps the connection open even if the caller closes the connection's own socket. Use
  /// that socket only for ``detach(_:)``.
  /// - Parameters:
  ///   - connection: an established TCP connection; the caller keeps ownership.
  ///   - parser: a descriptor of an eBPF program of type BPF_PROG_TYPE_SOCKET_FILTER (bpf(2)); the caller keeps
  ///     ownership. The program receives the bytes from the beginning of a message. It returns the message's length in
  ///     bytes, 0 if it needs more bytes, or a negative number if the stream is invalid. A negative number ends the
  ///     connection.
  /// - Throws: `.notSupported` if the connection is not TCP or is not established; EALREADY (`.other`) if the
  ///   connection is already attached; `.closed` if the program is not open; `.invalidArgument` if the program has
  ///   another type.
  public borrowing func attach(
    _ connection: borrowing some StreamSocket & KernelSocket & ~Copyable, parser: RawDescriptor
  ) throws(SocketError) {
    var request = csk_kcm_attach(fd: connection.descriptor.value, program: parser.value)
    try control(CSK_SIOCKCMATTACH, &request, .setOption)
  }

  /// Removes a TCP connection from the multiplexer (SIOCKCMUNATTACH). After this call, the connection's own socket can
  /// read and write again. The call drops a partially received message. It resets the connection if a message is being
  /// sent on the connection.
  /// - Throws: `.notRegistered` if the connection is not attached to this multiplexer.
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

  /// Opens another socket of the same multiplexer (SIOCKCMCLONE), for example for another thread.
  ///
  /// The kernel creates the socket without CLOEXEC, and this call sets the flag afterwards. A process that another
  /// thread starts in the meantime inherits the descriptor.
  /// - Throws: `.tooManyDescriptors`, `.outOfMemory`.
  public borrowing func clone() throws(SocketError) -> KCMSocket {
    var request = csk_kcm_attach()
    try control(CSK_SIOCKCMCLONE, &request, .open)
    // The kernel has opened this descriptor for the caller.
    let owned = unsafe Descriptor(unsafeOwning: RawDescriptor(request.fd))
    try owned.raw.setBlocking(false)
    try owned.raw.setCloseOnExec(true)
    return KCMSocket(owning: owned)
  }

  private borrowing func control(
    _ request: Int32, _ value: inout csk_kcm_attach, _ operation: SocketError.Operation
  ) throws(SocketError) {
    // The kernel reads and writes at most the eight bytes of the structure.
    let result = IOResult(raw: unsafe csk_ioctl(descriptor.value, UInt(bitPattern: Int(request)), &value))
    if result.isFailure { throw SocketError(result, operation) }
  }
}
