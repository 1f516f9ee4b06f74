import Glibc
import SocketKit
import Synchronization

/// What a datagram of ``LoopbackAssociations`` is, by its first byte.
enum DatagramKind: UInt8 {
  case hello, data
  /// The sender shuts the association down; the receiver confirms it with `ended`.
  case goodbye, ended
  case abort
}

/// The associations of one socket. Its end closes the socket.
final class AssociationState<Base: DatagramSocket & ~Copyable, Fault: AssociationFault>: Sendable {
  let base: Base
  private let table = Mutex(Table())

  private struct Table {
    /// In the order of their beginning.
    var known: [Base.Address] = []
    /// Shut down by this end; the peer has not confirmed it.
    var closing: Set<Base.Address> = []
    var ended: Set<Base.Address> = []
    /// What a fault holds back.
    var held: [Base.Address: [UInt8]] = [:]

    mutating func remove(_ peer: Base.Address) {
      known.removeAll { $0 == peer }
      closing.remove(peer)
      ended.insert(peer)
    }
  }

  init(_ base: consuming Base) { self.base = base }

  deinit {
    if Fault.closesSilently { return }
    for peer in known() where isOpen(peer) { _ = send(.goodbye, to: peer) }
  }

  func known() -> [Base.Address] { table.withLock { $0.known } }
  func isKnown(_ peer: Base.Address) -> Bool { table.withLock { $0.known.contains(peer) } }
  func isOpen(_ peer: Base.Address) -> Bool {
    table.withLock { $0.known.contains(peer) && !$0.closing.contains(peer) }
  }

  func begin(_ peer: Base.Address) {
    table.withLock { table in
      if table.known.contains(peer) || (Fault.remembersEnded && table.ended.contains(peer)) { return }
      table.known.append(peer)
    }
  }

  /// Ends an association from this end.
  func close(_ peer: Base.Address, gracefully: Bool) {
    table.withLock { table in
      if gracefully { table.closing.insert(peer) } else { table.remove(peer) }
    }
  }

  /// Handles a datagram that is not a message. Returns what a receive reports, or nil.
  func end(_ kind: DatagramKind?, _ peer: Base.Address, isPeek: Bool) -> IOResult? {
    if kind == .hello { begin(peer) }
    guard isKnown(peer) else { return nil }
    switch kind {
    case .goodbye, .ended:
      if kind == .ended, isOpen(peer) { return nil }
      if !isPeek {
        table.withLock { $0.remove(peer) }
        if kind == .goodbye { _ = send(.ended, to: peer) }
      }
      return .zero
    case .abort:
      if !isPeek { table.withLock { $0.remove(peer) } }
      return .failure(errno: ECONNRESET)
    case .hello, .data, nil: return nil
    }
  }

  func pieces(_ message: [UInt8], for peer: Base.Address) -> [[UInt8]] {
    table.withLock { Fault.pieces(message, held: &$0.held[peer]) }
  }

  func send(_ kind: DatagramKind, to peer: Base.Address, _ bytes: [UInt8] = []) -> IOResult {
    let datagram = [kind.rawValue] + bytes
    return peer.withBytes { base.attemptSend(datagram.span, ancillary: RawSpan(), to: $0, flags: []) }
  }

  func receive(into datagram: inout [UInt8], _ info: inout MessageInfo, flags: ReceiveFlags) -> IOResult {
    var bytes = datagram.mutableSpan
    var none = MutableRawSpan()
    return base.attemptReceive(into: &bytes, ancillary: &none, flags: flags, &info)
  }
}
