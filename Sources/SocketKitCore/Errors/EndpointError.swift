/// A failure that concerns an address: thrown by connect, bind, listen, name resolution and address parsing.
///
/// These are cold paths, so unlike ``SocketError`` it may hold text.
public struct EndpointError: Error, Hashable, Sendable {
  /// What failed, and how.
  public let reason: SocketError
  /// The address as text: the one connected to or listened on, or the text that was to become one.
  public let address: String
  /// The local address asked for, where a connect was to come from a chosen one.
  public let localAddress: String?
  /// The single attempts, where several addresses were tried for one name.
  public let attempts: [EndpointError]

  public init(_ reason: SocketError, address: String, localAddress: String? = nil, attempts: [EndpointError] = []) {
    self.reason = reason
    self.address = address
    self.localAddress = localAddress
    self.attempts = attempts
  }

  /// The classification of ``reason``.
  public var code: SocketError.Code { reason.code }
  /// What was being done.
  public var operation: SocketError.Operation { reason.operation }
  /// The kernel's error number, or 0.
  public var errno: Int32 { reason.errno }
  /// What a person can do about it, where that is known.
  public var remedy: String? { reason.remedy }
}

extension EndpointError: CustomStringConvertible {
  /// Operation, address, what happened, errno and remedy; each attempt on a line of its own.
  public var description: String {
    var text = reason.text(subject: localAddress.map { "\(address) from \($0)" } ?? address)
    for attempt in attempts { text += "\n  \(attempt)" }
    return text
  }
}
