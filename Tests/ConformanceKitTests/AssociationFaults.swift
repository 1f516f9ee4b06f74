import Glibc
import SocketKit
import Synchronization

/// What a broken one-to-many socket does otherwise; everything not written is right.
protocol AssociationFault: Sendable {
  static var ignoresPeek: Bool { get }
  static var scribbles: Bool { get }
  static var swallowsEnds: Bool { get }
  static var swallowsLateSends: Bool { get }
  static var shutsDownInsteadOfAborting: Bool { get }
  static var remembersEnded: Bool { get }
  static var closesSilently: Bool { get }
  /// The error of a message without a destination.
  static var noDestination: Int32 { get }
  static func connected()
  /// The association that a message reports.
  static func reported<A>(_ association: A, _ known: [A]) -> A
  /// The peers that receive a message, and those whose associations end.
  static func receivers<A>(_ association: A, _ known: [A]) -> [A]
  static func ended<A>(_ association: A, _ known: [A]) -> [A]
  /// What is sent for a message, and what is held back for later.
  static func pieces(_ message: [UInt8], held: inout [UInt8]?) -> [[UInt8]]
  /// The result of a receive when nothing has arrived.
  static func nothing<A>(_ association: inout A?, _ known: [A], _ info: inout MessageInfo) -> IOResult
  /// The result of a send without buffer space.
  static func noRoom() -> IOResult
  /// The reported length of a sent message.
  static func reportedLength(_ length: Int) -> Int
}

extension AssociationFault {
  static var ignoresPeek: Bool { false }
  static var scribbles: Bool { false }
  static var swallowsEnds: Bool { false }
  static var swallowsLateSends: Bool { false }
  static var shutsDownInsteadOfAborting: Bool { false }
  static var remembersEnded: Bool { false }
  static var closesSilently: Bool { false }
  static var noDestination: Int32 { EDESTADDRREQ }
  static func connected() {}
  static func reported<A>(_ association: A, _ known: [A]) -> A { association }
  static func receivers<A>(_ association: A, _ known: [A]) -> [A] { [association] }
  static func ended<A>(_ association: A, _ known: [A]) -> [A] { [association] }
  static func pieces(_ message: [UInt8], held: inout [UInt8]?) -> [[UInt8]] { [message] }
  static func nothing<A>(_ association: inout A?, _ known: [A], _ info: inout MessageInfo) -> IOResult { .wouldBlock }
  static func noRoom() -> IOResult { .wouldBlock }
  static func reportedLength(_ length: Int) -> Int { length }
}

enum NoAssociationFault: AssociationFault {}

enum IgnoresAssociationPeek: AssociationFault {
  static var ignoresPeek: Bool { true }
}
enum ScribblesBehindAssociations: AssociationFault {
  static var scribbles: Bool { true }
}
enum SwallowsAssociationEnds: AssociationFault {
  static var swallowsEnds: Bool { true }
}
enum SwallowsLateSends: AssociationFault {
  static var swallowsLateSends: Bool { true }
}
enum ShutsDownInsteadOfAborting: AssociationFault {
  static var shutsDownInsteadOfAborting: Bool { true }
}
enum RemembersEndedAssociations: AssociationFault {
  static var remembersEnded: Bool { true }
}
enum ClosesSilently: AssociationFault {
  static var closesSilently: Bool { true }
}
enum MistakesNoDestination: AssociationFault {
  static var noDestination: Int32 { EPIPE }
}
enum LeaksAtConnect: AssociationFault {
  static func connected() { Leaks.add(dup(0)) }
}
enum ReportsTheFirstAssociation: AssociationFault {
  static func reported<A>(_ association: A, _ known: [A]) -> A { known.first ?? association }
}
enum AnswersEveryPeer: AssociationFault {
  static func receivers<A>(_ association: A, _ known: [A]) -> [A] { known }
}
enum EndsEveryAssociation: AssociationFault {
  static func ended<A>(_ association: A, _ known: [A]) -> [A] { known }
}

// The short messages at the beginning of a rule are sent as they are.

enum SwapsMessages: AssociationFault {
  static func pieces(_ message: [UInt8], held: inout [UInt8]?) -> [[UInt8]] {
    if message.count < 50 { return [message] }
    if let first = held.take() { return [message, first] }
    held = message
    return []
  }
}
enum HoldsTheLastMessage: AssociationFault {
  static func pieces(_ message: [UInt8], held: inout [UInt8]?) -> [[UInt8]] {
    if message.count < 50 { return [message] }
    let earlier = held.take()
    held = message
    return earlier.map { [$0] } ?? []
  }
}
enum SplitsLongMessages: AssociationFault {
  static func pieces(_ message: [UInt8], held: inout [UInt8]?) -> [[UInt8]] {
    if message.count < 1000 { return [message] }
    return [Array(message.prefix(1000)), Array(message.dropFirst(1000))]
  }
}

enum EndsWhenNothingArrives: AssociationFault {
  static func nothing<A>(_ association: inout A?, _ known: [A], _ info: inout MessageInfo) -> IOResult {
    guard let first = known.first else { return .wouldBlock }
    association = first
    info = MessageInfo()
    info.flags = .notification
    return .zero
  }
}
enum BlocksInAssociationTry: AssociationFault {
  static func nothing<A>(_ association: inout A?, _ known: [A], _ info: inout MessageInfo) -> IOResult {
    usleep(UInt32(tooLong / .microseconds(1)))
    return .wouldBlock
  }
  static func noRoom() -> IOResult {
    usleep(UInt32(tooLong / .microseconds(1)))
    return .wouldBlock
  }
}
enum AssociationReportsLess: AssociationFault {
  static func reportedLength(_ length: Int) -> Int { length - 1 }
}

/// Returns would-block as often as a rule needs to find that there is no buffer space, and an error in the wait.
enum AssociationWithoutRoomIsError: AssociationFault {
  private static let calls = Atomic<Int>(0)
  static func connected() { calls.store(0, ordering: .relaxed) }
  static func noRoom() -> IOResult {
    calls.add(1, ordering: .relaxed).newValue <= 2 ? .wouldBlock : .failure(errno: ENOBUFS)
  }
}
