public import SocketKitCore

extension VsockAddress: CustomStringConvertible {
  /// The address in readable form: `host(2):1024`, `local(1):5000`, `hypervisor(0):1`, `vm(3):5000`, `any:*`. Flags
  /// follow as in ``addressText``.
  public var description: String { "\(contextID):\(port)\(flagText)" }

  /// The address in the form for commands and files: `vsock://host:1024`, `vsock://local:5000`, `vsock://hypervisor:1`,
  /// `vsock://3:5000`, `vsock://any:*`.
  ///
  /// A flag follows a question mark: `vsock://3:5000?to-host`. If ``flags`` has any other value, the text is `?flags=`
  /// followed by the number.
  public var addressText: String {
    let machine =
      switch contextID {
      case .any: "any"
      case .hypervisor: "hypervisor"
      case .local: "local"
      case .host: "host"
      default: "\(contextID.rawValue)"
      }
    return "vsock://\(machine):\(port)\(flagText)"
  }

  private var flagText: String {
    if flags.isEmpty { return "" }
    return flags == .toHost ? "?to-host" : "?flags=\(flags.rawValue)"
  }

  /// Parses ``addressText``, with or without `vsock://`, and ``description``.
  ///
  /// Numbers are decimal without leading zeros. A context ID is a number, a name, or both, as in `host(2)`.
  /// - Throws: `.invalidPort` if the text after the colon is not a port, otherwise `.invalidAddress`. The error
  ///   contains the text.
  public init(_ text: String) throws(SocketError) {
    func failure(_ code: SocketError.Code) -> SocketError {
      SocketError(code: code, .parse).with(address: "\"\(text)\"")
    }
    var rest = Substring(text)
    if rest.hasPrefix("vsock://") { rest = rest.dropFirst(8) }
    guard let colon = rest.firstIndex(of: ":"), let machine = Self.machine(rest[..<colon]) else {
      throw failure(.invalidAddress)
    }
    rest = rest[colon...].dropFirst()
    var flags: Flags = []
    if let mark = rest.firstIndex(of: "?") {
      guard let read = Self.flags(rest[mark...].dropFirst()) else { throw failure(.invalidAddress) }
      flags = read
      rest = rest[..<mark]
    }
    guard let port = rest == "*" ? .max : Self.number(rest) else { throw failure(.invalidPort) }
    self.init(contextID: machine, port: VsockPort(rawValue: port), flags: flags)
  }

  private static func machine(_ text: Substring) -> VsockContextID? {
    switch text {
    case "any": return .any
    case "hypervisor", "hypervisor(0)": return .hypervisor
    case "local", "local(1)": return .local
    case "host", "host(2)": return .host
    default:
      if text.hasPrefix("vm("), text.hasSuffix(")") {
        return number(text.dropFirst(3).dropLast()).map(VsockContextID.init(rawValue:))
      }
      return number(text).map(VsockContextID.init(rawValue:))
    }
  }

  private static func flags(_ text: Substring) -> Flags? {
    if text == "to-host" { return .toHost }
    guard text.hasPrefix("flags="), let number = number(text.dropFirst(6)) else { return nil }
    return UInt8(exactly: number).map(Flags.init(rawValue:))
  }

  private static func number(_ text: Substring) -> UInt32? {
    guard !text.isEmpty, text.utf8.allSatisfy({ $0 >= 48 && $0 <= 57 }), text == "0" || text.first != "0" else {
      return nil
    }
    return UInt32(text)
  }
}
