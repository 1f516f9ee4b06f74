import Glibc
import SocketKit
import SocketKitConformance
import TestSupport

/// Every rule of the kit, and what is known to break it: `Tests/Rules.md`.
enum RuleTable {
  /// A conformer of each kind, with all that a rule may ask for.
  static let suites: [any ConformanceSuite] = {
    let traits: MessageTraits = [.connected, .lossless, .refusals, .delayedErrors, .descriptors, .timestamps]
    let datagrams = DatagramSuite("datagrams", traits) { try UnixDatagramSocket.pair() }
    let packets = SequencedPacketSuite("packets", traits) { try UnixSequencedPacketSocket.pair() }
    let emptyPackets = SequencedPacketSuite("empty packets", traits) { try FaultyPacketSocket<NoMessageFault>.pair() }
    let continuedPackets = SequencedPacketSuite("continued packets", traits) {
      try ContinuingPacketSocket<NoContinuationFault>.pair()
    }
    let listeners = ListenerSuite<TCPSocket>("listeners") {
      try TCPSocket.listen(on: .loopback(port: 0))
    } connect: {
      try TCPSocket.connect(to: $0, until: .after(.seconds(1)))
    }
    let associations = associations(NoAssociationFault.self)
    return [
      StreamSocketSuite("streams") { try UnixStreamSocket.pair() }, listeners,
      SocketAddressSuite<UnixAddress>("addresses", samples: []),
      EndpointSuite<TCPSocket>("endpoints", samples: [], addresses: []), datagrams, packets, emptyPackets,
      continuedPackets,
      PollerSuite<EpollPoller>("pollers"),
      PollerOverStreamSuite<EpollPoller, TCPSocket>("pollers over streams") { .loopback(port: 0) },
      PollerOverMessageSuite<EpollPoller, UnixDatagramSocket>("pollers over datagrams", of: datagrams),
      PollerOverMessageSuite<EpollPoller, UnixSequencedPacketSocket>("pollers over packets", of: packets),
      PollerOverMessageSuite<EpollPoller, ContinuingPacketSocket<NoContinuationFault>>(
        "pollers over continued packets", of: continuedPackets),
      losslessAssociations(NoAssociationFault.self), associations,
      PollerOverOneToManySuite<EpollPoller, LoopbackAssociations<UDPSocket, NoAssociationFault>>(
        "pollers over associations", of: associations),
    ]
  }()

  /// Each id once, in the order of the suites.
  static let rules: [ConformanceRule] = {
    var seen: Set<String> = []
    return suites.flatMap(\.rules).filter { seen.insert($0.id).inserted }
  }()

  static let saboteurs: [Saboteur] =
    StreamSaboteurTests.saboteurs + WrapperSaboteurTests.saboteurs + HeldByteTests.saboteurs
    + ListenerSaboteurTests.saboteurs + AddressSaboteurTests.saboteurs + EndpointSaboteurTests.saboteurs
    + MessageSaboteurTests.saboteurs + PollerSaboteurTests.saboteurs + PolledStreamSaboteurs.all
    + AssociationSaboteurTests.saboteurs

  /// What breaks a rule: broken conformers, and lines of SocketKit itself, where a conformer inherits what the rule
  /// tries.
  static func breakers(of id: String) -> [String] {
    saboteurs.filter { $0.rule == id }.map(\.crime)
      + mutations.filter { $0.rule == id }.map { "mutation `\($0.title)`" }
  }

  static var text: String {
    var lines = [
      "# The rules of the conformance kit", "",
      "The requirement of each rule, and the broken conformers in `ConformanceKitTests` that the rule detects. If a",
      "conformer inherits the code that a rule tests, a mutation of SocketKit's own sources breaks the rule",
      "(`Tests/Long/run mutants`). A test compares this table with the sources. To update the table, run",
      "`SOCKETKIT_WRITE_RULES=1 swift test --filter RuleTableTests`.",
    ]
    var section = ""
    for rule in rules {
      let family = rule.id.prefix { $0 != "." }
      if family != section {
        section = String(family)
        lines += ["", "## \(section)", "", "| rule | requirement | broken by |", "|---|---|---|"]
      }
      let strength = rule.strength == .required ? "" : " (\(rule.strength.rawValue))"
      lines.append(
        "| `\(rule.id)`\(strength) | \(rule.summary) | \(breakers(of: rule.id).joined(separator: "; ")) |")
    }
    return lines.joined(separator: "\n") + "\n"
  }

  /// The stanzas of `Tests/Long/mutants` that name a rule.
  private static let mutations: [(rule: String, title: String)] = {
    let folder = root + "/Tests/Long/mutants"
    var found: [(String, String)] = []
    for name in entries(of: folder).sorted() where name.hasSuffix(".txt") {
      var title = ""
      for line in read(folder + "/" + name).split(separator: "\n") {
        if line.hasPrefix("# ") { title = String(line.dropFirst(2)) }
        if line.hasPrefix("rule: ") { found.append((String(line.dropFirst(6)), title)) }
      }
    }
    return found
  }()

  static let path = root + "/Tests/Rules.md"
  private static let root = #filePath.split(separator: "/").dropLast(3).reduce("") { "\($0)/\($1)" }

  static func read(_ path: String) -> String { String(decoding: contents(ofFile: path) ?? [], as: UTF8.self) }

  static func write(_ text: String, to path: String) {
    // The file is open between these calls, and the text outlives the second one.
    guard let file = unsafe fopen(path, "w") else { return }
    unsafe fputs(text, file)
    unsafe fclose(file)
  }
}
