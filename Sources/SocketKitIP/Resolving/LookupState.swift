internal import CSocketKit
internal import Glibc
internal import SocketKitCore

enum LookupOutcome: Sendable {
  case addresses([IPSocketAddress])
  case failed(SocketError)
}

/// The state that the thread and the owner of a lookup share.
final class LookupState: Sendable {
  private struct Progress {
    var outcome: LookupOutcome?
    /// The event descriptor that is signalled at the end of the lookup. It is nil after the lookup has ended or the
    /// owner has abandoned the lookup.
    var bell: WakerBell?
  }
  private let host: String
  private let port: UInt16
  private let family: Int32
  private let turns: LookupTurns
  private let ticket: LookupTurns.Ticket
  private let progress: Guarded<Progress>

  init(_ host: String, _ port: UInt16, _ version: NameLookup.Version, _ bell: WakerBell) {
    self.host = host
    self.port = port
    family =
      switch version {
      case .any: AddressFamily.unspecified.rawValue
      case .ipv4: AddressFamily.ipv4.rawValue
      case .ipv6: AddressFamily.ipv6.rawValue
      }
    turns = Self.isLocal(host) ? .local : .all
    ticket = LookupTurns.Ticket()
    progress = Guarded(Progress(outcome: nil, bell: bell))
  }

  var outcome: LookupOutcome? { progress.withLock { $0.outcome } }

  /// Returns whether the name is `localhost` or ends in `.localhost` (RFC 6761, 6.3).
  private static func isLocal(_ host: String) -> Bool {
    var labels = host.lowercased().utf8.split(separator: UInt8(ascii: "."), omittingEmptySubsequences: false)
    if labels.last?.isEmpty == true { labels.removeLast() }
    return labels.last.map { $0.elementsEqual("localhost".utf8) } ?? false
  }

  /// Ends the lookup if the host is a numeric address, which requires no name service and no thread.
  func finishNumeric() -> Bool {
    // Every form of a numeric address begins with a digit or contains a colon.
    guard let first = host.utf8.first, (48...57).contains(first) || host.utf8.contains(UInt8(ascii: ":")),
      let outcome = ask(flags: AI_NUMERICHOST)
    else { return false }
    finish(outcome)
    return true
  }

  func start() throws(SocketError) {
    // The new thread takes over the reference. If there is no new thread, this function releases it.
    let reference = unsafe Unmanaged.passRetained(self)
    var thread = pthread_t()
    let failure = unsafe pthread_create(
      &thread, nil, { argument in unsafe runLookup(argument) }, reference.toOpaque())
    guard failure == 0 else {
      unsafe reference.release()
      throw SocketError(threadFailure: failure, .resolve)
    }
    pthread_detach(thread)
  }

  /// Abandons the lookup. The owner calls this method when it is destroyed.
  func abandon() {
    progress.withLock { $0.bell = nil }
    turns.abandon(ticket)
  }

  fileprivate func run() {
    guard turns.take(ticket) else { return }
    let outcome = ask(flags: 0)
    turns.giveBack(ticket)
    finish(outcome ?? .failed(SocketError(code: .nameNotFound, .resolve)))
  }

  private func finish(_ outcome: LookupOutcome) {
    let bell = progress.withLock { progress in
      progress.outcome = outcome
      return progress.bell.take()
    }
    bell?.ring()
  }

  /// Calls getaddrinfo(3).
  /// - Returns: the outcome, or nil if the host is not a numeric address and the flags allow only numeric addresses.
  private func ask(flags: Int32) -> LookupOutcome? {
    var hints = unsafe addrinfo(
      ai_flags: flags, ai_family: family, ai_socktype: Int32(SOCK_STREAM.rawValue), ai_protocol: 0, ai_addrlen: 0,
      ai_addr: nil, ai_canonname: nil, ai_next: nil)
    // getaddrinfo(3) allocates the list. The entries and their addresses exist until freeaddrinfo(3) is called.
    var list: UnsafeMutablePointer<addrinfo>?
    let status = unsafe getaddrinfo(host, nil, &hints, &list)
    let systemErrno = errno
    defer { if let list = unsafe list { unsafe freeaddrinfo(list) } }
    if status == EAI_NONAME && flags & AI_NUMERICHOST != 0 { return nil }
    if status != 0 { return .failed(Self.error(status, systemErrno)) }
    var addresses: [IPSocketAddress] = []
    var next = unsafe list
    while let entry = unsafe next {
      if let memory = unsafe entry.pointee.ai_addr {
        let bytes = unsafe UnsafeRawBufferPointer(start: memory, count: Int(entry.pointee.ai_addrlen)).bytes
        if let address = IPSocketAddress(sockaddr: bytes) { addresses.append(address.with(port: port)) }
      }
      unsafe next = entry.pointee.ai_next
    }
    return addresses.isEmpty ? .failed(SocketError(code: .nameNotFound, .resolve)) : .addresses(addresses)
  }

  private static func error(_ status: Int32, _ systemErrno: Int32) -> SocketError {
    switch status {
    case EAI_NONAME, CSK_EAI_NODATA, CSK_EAI_ADDRFAMILY: SocketError(code: .nameNotFound, .resolve)
    case EAI_MEMORY: SocketError(code: .outOfMemory, .resolve)
    case EAI_SYSTEM: SocketError(code: .resolverFailed, .resolve, errno: systemErrno)
    default: SocketError(code: .resolverFailed, .resolve)
    }
  }
}

private func runLookup(_ argument: UnsafeMutableRawPointer?) -> UnsafeMutableRawPointer? {
  // The argument is the reference that `start` has retained.
  guard let argument = unsafe argument else { return nil }
  unsafe Unmanaged<LookupState>.fromOpaque(argument).takeRetainedValue().run()
  return nil
}
