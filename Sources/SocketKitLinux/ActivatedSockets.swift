internal import Glibc
public import SocketKitCore

/// The sockets that a service manager opened for this process and passed to it (socket activation, sd_listen_fds(3)).
///
/// ```swift
/// var activated = try ActivatedSockets()
/// let web = try activated.takeListener(TCPSocket.self, named: "web")
/// let control = try activated.takeListener(VsockStreamSocket.self, named: "control")
/// ```
/// After its initialization, the value owns the descriptors 3, 4, …. Each descriptor can be taken once. When the value
/// is destroyed, it closes the descriptors that were not taken. Make only one value, at the start of the program,
/// before other code can use these numbers.
public struct ActivatedSockets: ~Copyable, Sendable {
  private struct Entry: Sendable {
    let descriptor: RawDescriptor
    let name: String
  }
  private var entries: [Entry] = []

  /// Takes ownership of the descriptors that the environment variables LISTEN_PID, LISTEN_FDS and LISTEN_FDNAMES
  /// describe, and makes the descriptors CLOEXEC and non-blocking.
  ///
  /// - Parameter unsettingEnvironment: whether to remove these variables and LISTEN_PIDFDID, so that neither this
  ///   process nor its child processes can read them again. All threads share the environment, so pass true only while
  ///   no other thread reads or changes it.
  /// - Throws: `.nameNotFound` if LISTEN_PID or LISTEN_FDS is not set, or if LISTEN_PID is the number of another
  ///   process (in these cases, the service manager passed no sockets to this process); `.invalidArgument` if a
  ///   variable is not a number, or if the number of names differs from the number of descriptors; `.closed` if one of
  ///   the descriptors is not open. If the initializer throws, it takes and closes no descriptors and does not remove
  ///   the variables.
  public init(unsettingEnvironment: Bool = false) throws(SocketError) {
    guard let process = Self.variable("LISTEN_PID"), let count = Self.variable("LISTEN_FDS") else {
      throw SocketError(code: .nameNotFound, .activate)
    }
    guard let process = Int32(process), process > 0, let count = Int32(count), count >= 0, count < Int32.max - 3 else {
      throw SocketError(code: .invalidArgument, .activate)
    }
    guard process == getpid() else { throw SocketError(code: .nameNotFound, .activate) }
    // Check the descriptors before allocating memory for them: LISTEN_FDS can be any number, and the check stops at the
    // first descriptor that is not open.
    for number in 3..<3 + count { try Self.check(RawDescriptor(number)) }
    // A descriptor without a name gets the name "unknown", as in systemd.
    let names = try Self.names(of: Int(count), in: Self.variable("LISTEN_FDNAMES"))
    let found = names.enumerated().map { Entry(descriptor: RawDescriptor(3 + Int32($0)), name: $1) }
    for entry in found { try entry.descriptor.makeNonBlockingAndCloseOnExec() }
    // This assignment follows all calls that can throw, because `deinit` runs even if the initializer throws, and would
    // then close the descriptors already assigned to `entries`.
    entries = found
    if unsettingEnvironment {
      // The caller guarantees that no other thread uses the environment.
      for name in ["LISTEN_PID", "LISTEN_FDS", "LISTEN_FDNAMES", "LISTEN_PIDFDID"] { unsafe unsetenv(name) }
    }
  }

  deinit {
    // An entry is the only owner of its descriptor.
    for entry in entries { _ = unsafe Descriptor(unsafeOwning: entry.descriptor) }
  }

  /// The names of the descriptors that have not been taken, in the order in which the service manager passed them.
  /// Several descriptors may have the same name.
  public var names: [String] { entries.map(\.name) }

  /// Takes a listening socket.
  ///
  /// - Parameters:
  ///   - type: the transport that the socket must have.
  ///   - name: the name of the socket, or nil for the first remaining descriptor. If several descriptors have this
  ///     name, the method takes the first remaining descriptor with this name.
  /// - Throws: `.nameNotFound`; `.wrongSocketKind` for another transport or a socket that does not listen;
  ///   `.notASocket`. If the method throws, this value still owns the descriptor.
  public mutating func takeListener<S: Transport & Acceptable<Void> & ~Copyable>(
    _ type: S.Type = S.self, named name: String? = nil
  ) throws(SocketError) -> Listener<S> {
    let index = try index(of: name)
    // The check precedes the removal of the descriptor, because `init(adopting:)` closes a descriptor that it refuses.
    try S.check(entries[index].descriptor, listening: true)
    // Each entry is the only owner of its descriptor, and this call removes the entry.
    return try Listener<S>(adopting: unsafe Descriptor(unsafeOwning: entries.remove(at: index).descriptor))
  }

  /// Takes a socket that does not listen: a connection (`Accept=yes`) or a datagram socket.
  ///
  /// - Parameters:
  ///   - type: the transport that the socket must have.
  ///   - name: the name of the socket, or nil for the first remaining descriptor.
  /// - Throws: `.nameNotFound`; `.wrongSocketKind` for another transport or a socket that listens; `.notASocket`. If
  ///   the method throws, this value still owns the descriptor.
  public mutating func takeSocket<S: Transport & ~Copyable>(
    _ type: S.Type = S.self, named name: String? = nil
  ) throws(SocketError) -> S {
    let index = try index(of: name)
    try S.check(entries[index].descriptor, listening: false)
    // Each entry is the only owner of its descriptor, and this call removes the entry.
    return try S(adopting: unsafe Descriptor(unsafeOwning: entries.remove(at: index).descriptor))
  }

  /// Takes a descriptor of any kind, such as a FIFO or a file. For a socket type that is not a
  /// ``/SocketKitCore/Transport``, pass the descriptor to the initializer of the type, as in
  /// `try SCTPOneToManySocket(adopting: activated.takeDescriptor(named: "sctp"))`.
  /// - Parameter name: the name of the descriptor, or nil for the first remaining descriptor.
  /// - Throws: `.nameNotFound`.
  public mutating func takeDescriptor(named name: String? = nil) throws(SocketError) -> Descriptor {
    let index = try index(of: name)
    // Each entry is the only owner of its descriptor, and this call removes the entry.
    return unsafe Descriptor(unsafeOwning: entries.remove(at: index).descriptor)
  }

  private borrowing func index(of name: String?) throws(SocketError) -> Int {
    guard let index = entries.firstIndex(where: { name == nil || $0.name == name }) else {
      throw SocketError(code: .nameNotFound, .activate)
    }
    return index
  }

  /// Returns a copy of the value of an environment variable; nil if the variable is not set. The string that getenv(3)
  /// returns ends with a zero byte, and it is valid until a thread changes the environment.
  private static func variable(_ name: String) -> String? {
    guard let value = unsafe getenv(name) else { return nil }
    return unsafe String(cString: value)
  }

  private static func check(_ descriptor: RawDescriptor) throws(SocketError) {
    do throws(SocketError) {
      try descriptor.checkOpen()
    } catch {
      throw SocketError(code: error.code, .activate, errno: error.errno)
    }
  }

  private static func names(of count: Int, in list: String?) throws(SocketError) -> [String] {
    guard let list, !(list.isEmpty && count == 0) else { return Array(repeating: "unknown", count: count) }
    let names = list.split(separator: ":", omittingEmptySubsequences: false).map(String.init)
    guard names.count == count else { throw SocketError(code: .invalidArgument, .activate) }
    return names
  }
}
