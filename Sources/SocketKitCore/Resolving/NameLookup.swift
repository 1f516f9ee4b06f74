internal import CSocketKit
internal import Glibc
internal import Synchronization

/// A name being looked up on a thread of its own (getaddrinfo(3)), so that the caller's loop never waits for a name
/// service.
///
/// Watch ``source`` with a poller for reading, or call ``wait(until:strategy:control:)``. Dropping the value abandons the
/// lookup: its thread ends by itself when the name service answers.
public struct NameLookup: ~Copyable, Sendable {
  /// Which addresses are asked for.
  public enum Version: Hashable, Sendable {
    case any
    case ipv4
    case ipv6
  }

  /// The name asked for.
  public let host: String
  private let shared: LookupState

  /// Begins to look a name up.
  ///
  /// - Parameters:
  ///   - host: a name, or a numeric address, which needs no name service. At most 255 bytes (RFC 1035).
  ///   - port: put into the resulting addresses.
  ///   - version: which addresses to ask for.
  /// - Throws: `.invalidAddress` for an empty name, one with a zero byte or one over 255 bytes; `.tooManyDescriptors`;
  ///   `.capacityExceeded` when ``maximumConcurrent`` lookups are under way, abandoned ones included; `.outOfMemory` when
  ///   no thread can be made.
  public init(_ host: String, port: UInt16, version: Version = .any) throws(EndpointError) {
    self.host = host
    shared = try Self.start(host, port, version)
  }

  private static func start(
    _ host: String, _ port: UInt16, _ version: Version
  ) throws(EndpointError) -> LookupState {
    guard (1...255).contains(host.utf8.count), !host.utf8.contains(0) else {
      throw EndpointError(SocketError(code: .invalidAddress, .resolve), address: "\"\(host)\"")
    }
    do throws(SocketError) {
      let state = try LookupState(host, port, version)
      try state.start()
      return state
    } catch {
      throw EndpointError(error, address: host)
    }
  }

  /// How many lookups may be under way at a time in a process: each has a thread.
  public static var maximumConcurrent: Int { 64 }

  /// Readable when the lookup has ended.
  public var source: RawDescriptor { shared.bell.source }

  /// Whether the lookup has ended.
  public var isFinished: Bool { shared.outcome.withLock { $0 != nil } }

  /// The addresses in the order of preference (RFC 6724), waiting for them on this thread.
  /// - Throws: `.nameNotFound`, `.resolverFailed` (it may work later), `.timedOut`, `.cancelled`, with the name.
  public borrowing func wait(
    until deadline: Deadline, strategy: some WaitStrategy = .park, control: WaitControl? = nil
  ) throws(EndpointError) -> [IPSocketAddress] {
    do throws(SocketError) {
      var wait = try WaitOperation(.resolve, until: deadline, strategy: strategy, control: control)
      while !isFinished { try wait.block(on: source, for: .readable) }
      switch shared.outcome.withLock({ $0 }) {
      case .addresses(let addresses): return addresses
      case .failed(let error): throw error
      case nil: return []
      }
    } catch {
      throw EndpointError(error, address: host)
    }
  }
}

private enum LookupOutcome: Sendable {
  case addresses([IPSocketAddress])
  case failed(SocketError)
}

/// What the lookup's thread and its owner share.
private final class LookupState: Sendable {
  static let running = Atomic<Int>(0)
  let host: String
  let port: UInt16
  let family: Int32
  let bell: WakerBell
  let outcome = Guarded<LookupOutcome?>(nil)

  init(_ host: String, _ port: UInt16, _ version: NameLookup.Version) throws(SocketError) {
    self.host = host
    self.port = port
    family =
      switch version {
      case .any: AddressFamily.unspecified.rawValue
      case .ipv4: AddressFamily.ipv4.rawValue
      case .ipv6: AddressFamily.ipv6.rawValue
      }
    bell = try WakerBell()
  }

  func start() throws(SocketError) {
    if Self.running.add(1, ordering: .relaxed).newValue > NameLookup.maximumConcurrent {
      Self.running.subtract(1, ordering: .relaxed)
      throw SocketError(code: .capacityExceeded, .resolve)
    }
    let reference = Unmanaged.passRetained(self)
    var thread = pthread_t()
    let failure = pthread_create(&thread, nil, { argument in runLookup(argument) }, reference.toOpaque())
    guard failure == 0 else {
      reference.release()
      Self.running.subtract(1, ordering: .relaxed)
      throw SocketError(code: .outOfMemory, .resolve, errno: failure)
    }
    pthread_detach(thread)
  }

  func run() {
    var hints = addrinfo()
    hints.ai_family = family
    hints.ai_socktype = Int32(SOCK_STREAM.rawValue)
    var list: UnsafeMutablePointer<addrinfo>?
    let status = getaddrinfo(host, nil, &hints, &list)
    let systemErrno = errno
    var addresses: [IPSocketAddress] = []
    var next = list
    while let entry = next {
      if let memory = entry.pointee.ai_addr {
        let bytes = UnsafeRawBufferPointer(start: memory, count: Int(entry.pointee.ai_addrlen)).bytes
        if let address = IPSocketAddress(sockaddr: bytes) { addresses.append(address.with(port: port)) }
      }
      next = entry.pointee.ai_next
    }
    if let list { freeaddrinfo(list) }
    outcome.withLock { $0 = status == 0 ? .addresses(addresses) : .failed(Self.error(status, systemErrno)) }
    bell.ring()
  }

  private static func error(_ status: Int32, _ systemErrno: Int32) -> SocketError {
    switch status {
    case EAI_NONAME, -5, -9: SocketError(code: .nameNotFound, .resolve)  // -5 EAI_NODATA, -9 EAI_ADDRFAMILY
    case EAI_MEMORY: SocketError(code: .outOfMemory, .resolve)
    case EAI_SYSTEM: SocketError(code: .resolverFailed, .resolve, errno: systemErrno)
    default: SocketError(code: .resolverFailed, .resolve)
    }
  }
}

private func runLookup(_ argument: UnsafeMutableRawPointer?) -> UnsafeMutableRawPointer? {
  guard let argument else { return nil }
  Unmanaged<LookupState>.fromOpaque(argument).takeRetainedValue().run()
  LookupState.running.subtract(1, ordering: .relaxed)
  return nil
}
