/// A lookup of a name on a thread of its own (getaddrinfo(3)), so that the caller's loop never waits for a name
/// service.
///
/// Watch it with a poller for reading, or call ``wait(until:)``. Dropping the value abandons
/// the lookup: nothing can end getaddrinfo(3), so its thread ends when the name service answers. Until then it holds no
/// descriptor of this library.
///
/// A process looks up ``maximumConcurrent`` names at a time. A further lookup waits for its turn; that time counts
/// towards the deadline of a call that waits for it. Up to ``maximumAbandoned`` abandoned lookups take no turn. Numeric
/// addresses need no name service and never wait, and `localhost` has turns of its own.
public struct NameLookup: ~Copyable, Sendable {
  /// Which addresses are asked for.
  public enum Version: Hashable, Sendable {
    case any
    case ipv4
    case ipv6
  }

  /// The name asked for.
  public let host: String
  private let bell: WakerBell
  private let shared: LookupState

  /// Begins to look a name up. The thread belongs to the network namespace of the calling thread.
  ///
  /// - Parameters:
  ///   - host: a name, or a numeric address in any form that inet_aton(3) or inet_pton(3) reads. At most 255 bytes
  ///     (RFC 1035).
  ///   - port: put into the resulting addresses.
  ///   - version: which addresses to ask for.
  /// - Throws: `.invalidAddress` for an empty name, one with a zero byte or one over 255 bytes; `.tooManyDescriptors`;
  ///   when no thread can be made, `.outOfMemory` (too little memory, or a limit on threads) or `.permissionDenied` (a
  ///   filter of system calls).
  public init(_ host: String, port: UInt16, version: Version = .any) throws(EndpointError) {
    self.host = host
    (bell, shared) = try Self.start(host, port, version)
  }

  private static func start(
    _ host: String, _ port: UInt16, _ version: Version
  ) throws(EndpointError) -> (WakerBell, LookupState) {
    guard (1...255).contains(host.utf8.count), !host.utf8.contains(0) else {
      throw EndpointError(SocketError(code: .invalidAddress, .resolve), address: "\"\(host)\"")
    }
    do throws(SocketError) {
      let bell = try WakerBell()
      let state = LookupState(host, port, version, bell)
      if !state.finishNumeric() { try state.start() }
      return (bell, state)
    } catch {
      throw EndpointError(error, address: host)
    }
  }

  deinit { shared.abandon() }

  /// How many names a process looks up at a time; `localhost` is counted separately.
  public static var maximumConcurrent: Int { 64 }

  /// How many abandoned lookups may be in progress in a process without taking a turn: nothing can end their threads.
  public static var maximumAbandoned: Int { 192 }

  /// Whether the lookup has ended.
  public var isFinished: Bool { shared.outcome != nil }

  /// The addresses in the order of preference (RFC 6724), at least one, waiting for them on this thread.
  /// - Throws: `.nameNotFound`, `.resolverFailed` (it may work later), `.timedOut`, `.cancelled`, with the name.
  public borrowing func wait(
    until limit: some WaitLimit
  ) throws(EndpointError) -> [IPSocketAddress] {
    do throws(SocketError) {
      return try waiting(for: .readable, .resolve, until: limit) { (lookup) throws(SocketError) in
        switch lookup.shared.outcome {
        case .addresses(let addresses): addresses
        case .failed(let error): throw error
        case nil: nil
        }
      }
    } catch {
      throw EndpointError(error, address: host)
    }
  }
}

extension NameLookup: Watchable {
  /// Readable when the lookup has ended.
  public var readSource: RawDescriptor { bell.source }
  public var writeSource: RawDescriptor { bell.source }
}
