internal import SocketKit

/// The options on the command line of vscp.
struct VscpOptions {
  enum Role: String { case send, receive }

  /// How the connection is established, and how messages show its address.
  enum Meeting: Equatable {
    case listen(AnyEndpoint, shown: String)
    case connect(AnyEndpoint, shown: String)
  }

  var role: Role
  var meeting: Meeting
  /// Whether the address is given by -c and -p; if so, messages show addresses as mdlayher's vscp does.
  var isClassic: Bool
  var files: [Word]
  var isVerbose = false
  var showsChecksum = false
  var verifies = false
  var acceptsHidden = false
  /// The time limit for the whole transfer, starting when the connection is established.
  var timeout: Duration?
  /// The time limit for a period in which no byte is transferred.
  var idleTimeout: Duration?
  var connectTimeout: Duration = .seconds(10)

  /// The reason why there is no transfer to run.
  enum Ending: Error, Equatable {
    /// Print the flags, and exit successfully.
    case defaults
    /// Log a line and exit with status 1, where mdlayher's vscp calls log.Fatalf.
    case fatal(String)
    /// An invalid flag: print Go's message and the flags, and exit with status 2.
    case wrong(String)
    /// An error that mdlayher's vscp does not report, such as an invalid combination of flags that includes a flag
    /// added by this implementation: print the error, and exit with status 2.
    case usage(String)
  }

  /// The flags of mdlayher's vscp.
  static let classicFlags: [GoFlags.Flag] = [
    .init(name: "r", kind: .boolean, usage: "receive files from another instance of vscp"),
    .init(name: "s", kind: .boolean, usage: "send files to another instance of vscp"),
    .init(name: "c", kind: .unsigned, usage: "send only: context ID of the remote VM socket"),
    .init(
      name: "p", kind: .unsigned,
      usage: "- receive: port ID to listen on (random port by default)\n\t- send: port ID to connect to"),
    .init(name: "v", kind: .boolean, usage: "enable verbose logging to stderr"),
    .init(
      name: "h", kind: .boolean,
      usage: "display a checksum hash of the input or output data after transfer completes"),
    .init(
      name: "t", kind: .duration, usage: "receive only: timeout for read operations (default: no timeout)"),
  ]

  static let ownFlags: [GoFlags.Flag] = [
    .init(name: "to", kind: .text, usage: ""), .init(name: "listen", kind: .text, usage: ""),
    .init(name: "verify", kind: .boolean, usage: ""), .init(name: "hidden", kind: .boolean, usage: ""),
    .init(name: "idle-timeout", kind: .duration, usage: ""), .init(name: "connect-timeout", kind: .duration, usage: ""),
  ]

  init(_ words: [String]) throws(Ending) { try self.init(words.map { Word($0) }) }

  init(_ words: [Word]) throws(Ending) {
    let flags: GoFlags
    do throws(GoFlags.Wrong) {
      flags = try GoFlags(words, flags: Self.classicFlags + Self.ownFlags)
    } catch {
      throw .wrong(error.text)
    }
    let (to, listen) = (flags.texts["to"]?.addressText, flags.texts["listen"]?.addressText)
    let (receives, sends) = (flags.booleans["r"] ?? false, flags.booleans["s"] ?? false)
    if receives && sends { throw .fatal("vscp: specify only one of \"-r\" for receive or \"-s\" for send") }
    if !receives && !sends && to == nil && listen == nil { throw .defaults }
    role = receives ? .receive : sends ? .send : listen == nil ? .send : .receive
    let contextID = flags.numbers["c"] ?? 0
    if role == .receive && contextID != 0 {
      throw .fatal("vscp: context ID flag \"-c\" not valid for receive operation")
    }
    if to != nil && listen != nil { throw .usage("--to and --listen cannot be combined") }
    let hasNumbers = flags.numbers["c"] != nil || flags.numbers["p"] != nil
    if to != nil || listen != nil, hasNumbers {
      throw .usage("-c and -p cannot be combined with --to or --listen")
    }
    isClassic = to == nil && listen == nil
    meeting = try Self.meeting(role, to: to, listen: listen, contextID: contextID, port: flags.numbers["p"] ?? 0)
    files = flags.operands
    isVerbose = flags.booleans["v"] ?? false
    showsChecksum = flags.booleans["h"] ?? false
    verifies = flags.booleans["verify"] ?? false
    acceptsHidden = flags.booleans["hidden"] ?? false
    let timeout = try Self.positive(flags.durations["t"], "-t")
    // The sender of mdlayher's vscp ignores this flag.
    self.timeout = isClassic && role == .send ? nil : timeout
    idleTimeout = try Self.positive(flags.durations["idle-timeout"], "--idle-timeout")
    connectTimeout = try Self.positive(flags.durations["connect-timeout"], "--connect-timeout") ?? .seconds(10)
    if acceptsHidden && (!verifies || role == .send) {
      throw .usage("--hidden is valid only for receiving with --verify")
    }
    if files.count > 1 && !(verifies && role == .send) {
      throw .usage(
        role == .receive
          ? "a receiver accepts only one FILE or directory"
          : "sending several files requires --verify; without it a connection transfers one file"
      )
    }
  }

  private static func meeting(
    _ role: Role, to: String?, listen: String?, contextID: UInt64, port: UInt64
  ) throws(Ending) -> Meeting {
    if let to {
      let endpoint = try endpoint(to)
      return .connect(endpoint, shown: endpoint.description)
    }
    if let listen {
      let endpoint = try endpoint(listen)
      return .listen(endpoint, shown: endpoint.description)
    }
    for (name, number) in [("c", contextID), ("p", port)] where number > UInt64(UInt32.max) {
      throw .wrong("invalid value \"\(number)\" for flag -\(name): value out of range")
    }
    // Listen on any context ID; mdlayher's vscp listens on the machine's own context ID. In both programs port 0 means
    // any port.
    return role == .receive
      ? .listen(try endpoint("vsock://any:\(port == 0 ? "*" : "\(port)")"), shown: "\(port)")
      : .connect(try endpoint("vsock://\(contextID):\(port)"), shown: "\(contextID).\(port)")
  }

  private static func endpoint(_ text: String) throws(Ending) -> AnyEndpoint {
    do throws(SocketError) {
      return try AnyEndpoint(parsing: text)
    } catch {
      throw .usage("\(error)")
    }
  }

  private static func positive(_ duration: Duration?, _ name: String) throws(Ending) -> Duration? {
    guard let duration, duration != .zero else { return nil }
    if duration < .zero { throw .usage("\(name) is negative") }
    return duration
  }
}
