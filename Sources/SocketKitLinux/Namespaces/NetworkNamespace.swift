internal import CSocketKit
public import SocketKitCore

/// A network namespace: a separate network stack with its own interfaces, ports and firewall rules
/// (network_namespaces(7)).
///
/// A socket always belongs to the namespace in which it was opened, so only the call that opens the socket must run
/// inside the namespace:
/// ```swift
/// let namespace = try NetworkNamespace(path: "/run/netns/blue")
/// let socket = try namespace.perform { try UDPSocket.bind(to: .loopback(port: 53)) }
/// ```
/// The value owns a descriptor, which keeps the namespace alive. It closes the descriptor when it is destroyed.
public struct NetworkNamespace: ~Copyable, Sendable {
  private let owned: Descriptor

  /// Opens a namespace by the path of its file: `/run/netns/NAME`, `/proc/self/ns/net`, `/proc/PID/ns/net`. Does not
  /// enter the namespace.
  /// - Throws: `.noSuchPath`, `.permissionDenied`, `.notANetworkNamespace`, `.invalidArgument` for a path with a zero
  ///   byte, `.tooManyDescriptors`. The error contains the path.
  public init(path: String) throws(SocketError) {
    do throws(SocketError) {
      try self.init(opening: path)
    } catch {
      throw error.with(address: path)
    }
  }

  /// Opens the namespace of the process that has this process ID.
  /// - Throws: the errors of ``init(path:)``. The error is `.noSuchPath` if the process does not exist, and
  ///   `.permissionDenied` if the process belongs to another user.
  public init(ofProcess process: Int32) throws(SocketError) { try self.init(path: "/proc/\(process)/ns/net") }

  /// Opens the namespace of the calling thread.
  /// - Throws: the errors of ``init(path:)``. The error is `.noSuchPath` if /proc is not mounted or the kernel does not
  ///   support network namespaces.
  public static func current() throws(SocketError) -> NetworkNamespace {
    try NetworkNamespace(path: "/proc/thread-self/ns/net")
  }

  /// Opens a namespace by duplicating a descriptor of the namespace's file. The caller keeps its descriptor.
  /// - Throws: `.closed`, `.notANetworkNamespace`, `.tooManyDescriptors`.
  public init(descriptor: RawDescriptor) throws(SocketError) {
    try descriptor.checkOpen()
    let result = IOResult(raw: csk_fcntl(descriptor.value, CSK_F_DUPFD_CLOEXEC, 0))
    if result.isFailure { throw SocketError(result, .enterNamespace) }
    // The kernel has returned a new descriptor, which has no other owner.
    try self.init(checking: unsafe Descriptor(unsafeOwning: RawDescriptor(Int32(truncatingIfNeeded: result.raw))))
  }

  private init(opening path: String) throws(SocketError) {
    if path.utf8.contains(0) { throw SocketError(code: .invalidArgument, .enterNamespace) }
    // The kernel reads the path only during the call.
    let result = IOResult(raw: unsafe path.withCString { unsafe csk_open_path($0) })
    if result.isFailure { throw SocketError(result, .enterNamespace) }
    // The kernel has returned a new descriptor, which has no other owner.
    try self.init(checking: unsafe Descriptor(unsafeOwning: RawDescriptor(Int32(truncatingIfNeeded: result.raw))))
  }

  /// Checks the type of the namespace (NS_GET_NSTYPE, Linux 4.11). The request fails if the file is not a namespace.
  private init(checking descriptor: consuming Descriptor) throws(SocketError) {
    guard csk_namespace_type(descriptor.raw.value) == Int(CSK_CLONE_NEWNET) else {
      throw SocketError(code: .notANetworkNamespace, .enterNamespace)
    }
    owned = descriptor
  }

  /// The descriptor of the namespace. It is open while this value exists.
  public var descriptor: RawDescriptor { owned.raw }

  /// Runs the body inside this namespace and waits until the body returns. Sockets that the body opens belong to this
  /// namespace, and every thread can use these sockets.
  ///
  /// The body runs on a new thread, which enters the namespace (setns(2)) and exits after the body. The calling thread
  /// never leaves its namespace, because a return to the original namespace could fail. Each call creates a thread,
  /// which takes some tens of microseconds. A new thread that the body creates belongs to the namespace. If some work
  /// must run inside the namespace, the body must not pass it to tasks or to existing threads, which run outside the
  /// namespace. The body must not use thread-local or task-local values.
  ///
  /// - Returns: the result of the body, such as a socket.
  /// - Throws: ``/SocketKitCore/SocketError`` with the operation
  ///   ``/SocketKitCore/SocketError/Operation/enterNamespace``: `.permissionDenied` unless the caller has CAP_SYS_ADMIN
  ///   both in its own user namespace and in the user namespace that owns this namespace; `.outOfMemory` if there is
  ///   too little memory for a thread or the limit on threads is reached; `.permissionDenied` if a system call filter
  ///   prevents the creation of a thread; and the errors of the body. If the thread cannot enter the namespace, the
  ///   body does not run.
  public borrowing func perform<R: ~Copyable & Sendable>(_ body: @Sendable () throws -> R) throws -> R {
    let number = owned.raw.value
    return try onThreadOfItsOwn { () throws -> R in
      let result = IOResult(raw: csk_enter_network_namespace(number))
      if result.isFailure { throw SocketError(result, .enterNamespace) }
      return try body()
    }
  }
}
