internal import CSocketKit

/// A network namespace: a network stack of its own, with its own interfaces, ports and rules (network_namespaces(7)).
///
/// A socket belongs for life to the namespace in which it was made, so it is enough to make it inside:
/// ```swift
/// let namespace = try NetworkNamespace(path: "/run/netns/blue")
/// let socket = try namespace.perform { try UDPSocket.bind(to: .loopback(port: 53)) }
/// ```
/// The value owns a descriptor, which keeps the namespace alive, and closes it with its life.
public struct NetworkNamespace: ~Copyable, Sendable {
  private let owned: Descriptor

  /// A namespace by the path of its file: `/run/netns/NAME`, `/proc/self/ns/net`, `/proc/PID/ns/net`. Does not enter
  /// it.
  /// - Throws: `.noSuchPath`, `.permissionDenied`, `.notANetworkNamespace`, `.invalidArgument` for a path with a zero
  ///   byte, `.tooManyDescriptors`, with the path.
  public init(path: String) throws(EndpointError) {
    do throws(SocketError) {
      try self.init(opening: path)
    } catch {
      throw EndpointError(error, address: path)
    }
  }

  /// The namespace of a process, by its number.
  /// - Throws: as ``init(path:)``: `.noSuchPath` when there is no such process, `.permissionDenied` when it is another
  ///   user's.
  public init(ofProcess process: Int32) throws(EndpointError) { try self.init(path: "/proc/\(process)/ns/net") }

  /// The namespace that the calling thread is in.
  /// - Throws: as ``init(path:)``: `.noSuchPath` where /proc is not mounted or the kernel has no network namespaces.
  public static func current() throws(EndpointError) -> NetworkNamespace {
    try NetworkNamespace(path: "/proc/thread-self/ns/net")
  }

  /// A namespace by a descriptor of its file, which stays the caller's: it is duplicated.
  /// - Throws: `.closed`, `.notANetworkNamespace`, `.tooManyDescriptors`.
  public init(descriptor: RawDescriptor) throws(SocketError) {
    try descriptor.checkOpen()
    let result = IOResult(raw: csk_fcntl(descriptor.value, 1030, 0))
    if result.isFailure { throw SocketError(result, .enterNamespace) }
    try self.init(checking: unsafe Descriptor(unsafeOwning: RawDescriptor(Int32(truncatingIfNeeded: result.raw))))
  }

  private init(opening path: String) throws(SocketError) {
    if path.utf8.contains(0) { throw SocketError(code: .invalidArgument, .enterNamespace) }
    let result = IOResult(raw: path.withCString { csk_open_path($0) })
    if result.isFailure { throw SocketError(result, .enterNamespace) }
    try self.init(checking: unsafe Descriptor(unsafeOwning: RawDescriptor(Int32(truncatingIfNeeded: result.raw))))
  }

  /// Asks for the kind of namespace (NS_GET_NSTYPE, Linux 4.11): any other file answers with an error.
  private init(checking descriptor: consuming Descriptor) throws(SocketError) {
    guard csk_namespace_type(descriptor.raw.value) == Int(CSK_CLONE_NEWNET) else {
      throw SocketError(code: .notANetworkNamespace, .enterNamespace)
    }
    owned = descriptor
  }

  /// The namespace's descriptor, while this value lives.
  public var descriptor: RawDescriptor { owned.raw }

  /// Runs the body inside this namespace, and waits for it: sockets that it makes belong there and work everywhere.
  ///
  /// The body runs on a thread of its own, which enters the namespace (setns(2)) and ends with the body. The calling
  /// thread never leaves its own namespace, so there is nothing to restore, and nothing can fail to be restored: a
  /// thread that could not go back would have to be ended anyway, which must not happen to the caller's. The price is a
  /// thread for each call, some tens of microseconds. The body must not leave work behind that needs the namespace, nor
  /// rely on thread-local or task-local values; what it starts on other threads or tasks runs outside.
  ///
  /// - Returns: what the body returns, such as a socket.
  /// - Throws: ``SocketError`` of operation ``SocketError/Operation/enterNamespace``: `.permissionDenied` without
  ///   CAP_SYS_ADMIN (here and in the user namespace that owns this one), `.outOfMemory` or
  ///   `.permissionDenied` (a filter of system calls) when no thread can be made; and what the body throws. When
  ///   entering fails the body is not run.
  public borrowing func perform<R: ~Copyable & Sendable>(_ body: @Sendable () throws -> R) throws -> R {
    let number = owned.raw.value
    return try onThreadOfItsOwn { () throws -> R in
      let result = IOResult(raw: csk_enter_network_namespace(number))
      if result.isFailure { throw SocketError(result, .enterNamespace) }
      return try body()
    }
  }
}
