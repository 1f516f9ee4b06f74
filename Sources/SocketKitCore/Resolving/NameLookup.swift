/// A lookup of a name on a separate thread (getaddrinfo(3)), so that the caller's event loop does not wait for a name
/// service.
///
/// Watch it with a poller for reading, or call ``wait(until:)``. Dropping the value abandons the lookup. A call of
/// getaddrinfo(3) cannot be cancelled, so the thread exits when the name service answers. Until then the thread holds
/// no descriptor of this library.
///
/// A process looks up at most ``maximumConcurrent`` names at the same time. A further lookup waits for its turn, and
/// this time counts towards the deadline of a call that waits for the lookup. Up to ``maximumAbandoned`` abandoned
/// lookups take no turn. Numeric addresses need no name service and never wait. `localhost` has separate turns.
public struct NameLookup: ~Copyable, Sendable {
  /// The version of the requested addresses.
  public enum Version: Hashable, Sendable {
    /// IPv4 and IPv6 addresses.
    case any
    /// IPv4 addresses only.
    case ipv4
    /// IPv6 addresses only.
    case ipv6
  }

  /// The requested name.
  public let host: String
  private let bell: WakerBell
  private let shared: LookupState

  /// Starts to look up a name. The thread belongs to the network namespace of the calling thread.
  ///
  /// - Parameters:
  ///   - host: a name, or a numeric address in any form that inet_aton(3) or inet_pton(3) reads. At most 255 bytes
  ///     (RFC 1035).
  ///   - port: the port of the resulting addresses.
  ///   - version: the version of the addresses to look up.
  /// - Throws: `.invalidAddress` for an empty name, a name with a zero byte or a name over 255 bytes;
  ///   `.tooManyDescriptors`; when the thread cannot be created, `.outOfMemory` (too little memory, or a limit on
  ///   threads) or `.permissionDenied` (a system call filter).
  public init(_ host: String, port: UInt16, version: Version = .any) throws(SocketError) {
    self.host = host
    (bell, shared) = try Self.start(host, port, version)
  }

  private static func start(
    _ host: String, _ port: UInt16, _ version: Version
  ) throws(SocketError) -> (WakerBell, LookupState) {
    guard (1...255).contains(host.utf8.count), !host.utf8.contains(0) else {
      throw SocketError(code: .invalidAddress, .resolve).with(address: "\"\(host)\"")
    }
    do throws(SocketError) {
      let bell = try WakerBell()
      let state = LookupState(host, port, version, bell)
      if !state.finishNumeric() { try state.start() }
      return (bell, state)
    } catch {
      throw error.with(address: host)
    }
  }

  deinit { shared.abandon() }

  /// The maximum number of names that a process looks up at the same time. `localhost` is counted separately.
  public static var maximumConcurrent: Int { 64 }

  /// The maximum number of abandoned lookups that are in progress in a process without a turn. Their threads cannot be
  /// ended.
  public static var maximumAbandoned: Int { 192 }

  /// Whether the lookup has ended.
  public var isFinished: Bool { shared.outcome != nil }

  /// Blocks the calling thread until the lookup has ended, and returns at least one address, in order of preference
  /// (RFC 6724).
  /// - Throws: `.nameNotFound`, `.resolverFailed` (a later lookup may succeed), `.timedOut`, `.cancelled`. The error
  ///   contains the name.
  public borrowing func wait(
    until limit: some WaitLimit
  ) throws(SocketError) -> [IPSocketAddress] {
    do throws(SocketError) {
      return try waiting(for: .readable, .resolve, until: limit) { (lookup) throws(SocketError) in
        switch lookup.shared.outcome {
        case .addresses(let addresses): addresses
        case .failed(let error): throw error
        case nil: nil
        }
      }
    } catch {
      throw error.with(address: host)
    }
  }
}

extension NameLookup: Watchable {
  /// The descriptor of the lookup, which is readable when the lookup has ended.
  public var readSource: RawDescriptor { bell.source }
  public var writeSource: RawDescriptor { bell.source }
}
