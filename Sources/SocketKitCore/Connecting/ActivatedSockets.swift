internal import Glibc

/// The sockets that a service manager opened for this process: socket activation, as sd_listen_fds(3) describes it.
///
/// ```swift
/// var activated = try ActivatedSockets()
/// let web = try activated.takeListener(TCPSocket.self, named: "web")
/// let control = try activated.takeListener(VsockStreamSocket.self, named: "control")
/// ```
/// The descriptors 3, 4, … belong to it from its making: each can be taken once, and those that are left close with its
/// life. Make one only, early, before anything else may have taken those numbers.
public struct ActivatedSockets: ~Copyable, Sendable {
  private struct Entry: Sendable {
    let descriptor: RawDescriptor
    let name: String
  }
  private var entries: [Entry] = []

  /// Takes what the variables LISTEN_PID, LISTEN_FDS and LISTEN_FDNAMES tell of, and makes it CLOEXEC and non-blocking.
  ///
  /// - Parameter unsettingEnvironment: removes the variables, so that neither this process nor those that it starts
  ///   look at them again. Environments are shared by all threads: only while no other thread reads or changes it.
  /// - Throws: `.nameNotFound` when LISTEN_PID or LISTEN_FDS is not set, or LISTEN_PID is another process's: then
  ///   nothing was passed; `.invalidArgument` for a variable that is no number, or names that are not as many as the
  ///   descriptors;
  ///   `.closed` when one of the descriptors is not open. Nothing is taken or closed then, and the variables stay.
  public init(unsettingEnvironment: Bool = false) throws(SocketError) {
    guard let process = Self.variable("LISTEN_PID"), let count = Self.variable("LISTEN_FDS") else {
      throw SocketError(code: .nameNotFound, .activate)
    }
    guard let process = Int32(process), process > 0, let count = Int32(count), count >= 0, count < Int32.max - 3 else {
      throw SocketError(code: .invalidArgument, .activate)
    }
    guard process == getpid() else { throw SocketError(code: .nameNotFound, .activate) }
    // Checked before anything is allocated: LISTEN_FDS may hold any number, and the check stops at the first descriptor
    // that is not open.
    for number in 3..<3 + count { try Self.check(RawDescriptor(number)) }
    // What has no name is "unknown", as with systemd.
    let names = try Self.names(of: Int(count), in: Self.variable("LISTEN_FDNAMES"))
    let found = names.enumerated().map { Entry(descriptor: RawDescriptor(3 + Int32($0)), name: $1) }
    for entry in found { try entry.descriptor.makeNonBlockingAndCloseOnExec() }
    // Set last: `deinit` closes these descriptors, also after a failure of this initializer.
    entries = found
    if unsettingEnvironment {
      for name in ["LISTEN_PID", "LISTEN_FDS", "LISTEN_FDNAMES", "LISTEN_PIDFDID"] { unsetenv(name) }
    }
  }

  deinit {
    for entry in entries { _ = unsafe Descriptor(unsafeOwning: entry.descriptor) }
  }

  /// The names of those that have not been taken, in the order they were passed. Several may have the same name.
  public var names: [String] { entries.map(\.name) }

  /// Takes a listening socket.
  ///
  /// - Parameters:
  ///   - type: the transport that it must be of.
  ///   - name: its name; nil for the first that is left. Of several with one name the first that is left is taken.
  /// - Throws: `.nameNotFound`; `.wrongSocketKind` for another transport or a socket that does not listen,
  ///   `.notASocket`: it stays here then.
  public mutating func takeListener<S: ConnectionTransport & ~Copyable>(
    _ type: S.Type = S.self, named name: String? = nil
  ) throws(SocketError) -> Listener<S> {
    let index = try index(of: name)
    // Checked before it is taken: adopting closes what it refuses.
    try S.check(entries[index].descriptor, listening: true)
    return try Listener<S>(adopting: unsafe Descriptor(unsafeOwning: entries.remove(at: index).descriptor))
  }

  /// Takes a socket that does not listen: a connection (`Accept=yes`), or one that receives datagrams.
  ///
  /// - Parameters:
  ///   - type: the transport that it must be of.
  ///   - name: its name; nil for the first that is left.
  /// - Throws: `.nameNotFound`; `.wrongSocketKind` for another transport or a socket that listens, `.notASocket`: it
  ///   stays here then.
  public mutating func takeSocket<S: TransportSocket & ~Copyable>(
    _ type: S.Type = S.self, named name: String? = nil
  ) throws(SocketError) -> S {
    let index = try index(of: name)
    try S.check(entries[index].descriptor, listening: false)
    return try S(adopting: unsafe Descriptor(unsafeOwning: entries.remove(at: index).descriptor))
  }

  /// Takes a descriptor of any kind, a FIFO or a file say. Sockets whose type is no ``TransportSocket`` are made of it:
  /// `try SCTPEndpoint(adopting: activated.takeDescriptor(named: "sctp"))`.
  /// - Parameter name: its name; nil for the first that is left.
  /// - Throws: `.nameNotFound`.
  public mutating func takeDescriptor(named name: String? = nil) throws(SocketError) -> Descriptor {
    let index = try index(of: name)
    return unsafe Descriptor(unsafeOwning: entries.remove(at: index).descriptor)
  }

  private borrowing func index(of name: String?) throws(SocketError) -> Int {
    guard let index = entries.firstIndex(where: { name == nil || $0.name == name }) else {
      throw SocketError(code: .nameNotFound, .activate)
    }
    return index
  }

  private static func variable(_ name: String) -> String? { getenv(name).map { String(cString: $0) } }

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
