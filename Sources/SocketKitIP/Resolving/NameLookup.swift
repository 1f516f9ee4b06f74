public import SocketKitCore

/// A lookup of a name on a separate thread (getaddrinfo(3)), so that the caller's event loop does not wait for a name
/// service.
///
/// Watch this value for reading with a poller, or call ``wait(until:)``. If the value is destroyed, the lookup is
/// abandoned. A call of getaddrinfo(3) cannot be cancelled, so the thread of an abandoned lookup exits when the name
/// service answers. Until then, the thread holds no descriptor of this library.
///
/// A process looks up at most ``maximumConcurrent`` names at the same time. A further lookup waits for its turn. If a
/// call waits for the lookup until a deadline, the deadline includes this waiting time. Abandoned lookups hold no turn
/// as long as no more than ``maximumAbandoned`` of them are in progress. A lookup of a numeric address requires no name
/// service and never waits for other lookups. Lookups of `localhost` wait only for each other.
public struct NameLookup: ~Copyable, Sendable {
  /// The IP version of the requested addresses.
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
  ///   - host: a name, or a numeric address in any form that inet_aton(3) or inet_pton(3) reads. The maximum length is
  ///     255 bytes (RFC 1035).
  ///   - port: the port of the resulting addresses.
  ///   - version: the version of the addresses to look up.
  /// - Throws: `.invalidAddress` for an empty name, a name with a zero byte or a name of more than 255 bytes;
  ///   `.tooManyDescriptors`; `.outOfMemory` if there is too little memory for a thread or the limit on threads is
  ///   reached; `.permissionDenied` if a system call filter prevents the creation of a thread.
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

  /// The maximum number of names that a process looks up at the same time. Lookups of `localhost` have a separate
  /// limit.
  public static var maximumConcurrent: Int { 64 }

  /// The maximum number of abandoned lookups that a process has in progress without a turn. Lookups of `localhost` have
  /// a separate limit. The process cannot end the threads of these lookups.
  public static var maximumAbandoned: Int { 192 }

  /// Whether the lookup has ended.
  public var isFinished: Bool { shared.outcome != nil }

  /// Blocks the calling thread until the lookup has ended. Returns the addresses, at least one, in order of preference
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
