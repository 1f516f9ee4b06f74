/// The text of an error: its addresses, the errors of its attempts, and its explanation.
///
/// A global table stores the text, and the error contains the number of the text, so that ``SocketError`` stays
/// trivial.
struct ErrorDetails: Hashable, Sendable {
  var address: String?
  var localAddress: String?
  var attempts: [SocketError] = []
  var explanation: String?

  /// The texts of the latest errors. The text with number n is at index n modulo ``most``.
  private struct Table: Sendable {
    var entries: [ErrorDetails] = []
    var latest: UInt32 = 0
  }
  private static let most: UInt32 = 1024
  private static let table = Guarded(Table())

  /// Stores a text and returns its number, which is not 0.
  static func keep(_ details: ErrorDetails) -> UInt32 {
    table.withLock { table in
      // The number 0 means no text, so the first number is 1. After `UInt32.max`, the next number is `most`, whose
      // index is 0.
      table.latest = table.latest == .max ? most : table.latest + 1
      let index = Int(table.latest % most)
      while table.entries.count <= index { table.entries.append(ErrorDetails()) }
      table.entries[index] = details
      return table.latest
    }
  }

  /// Returns the text of an error. Returns an empty text if the error has none, or if the table has reused its slot.
  static func of(_ error: SocketError) -> ErrorDetails {
    let number = error.details
    if number == 0 { return ErrorDetails() }
    return table.withLock { table in
      let age = table.latest &- number
      return age < most ? table.entries[Int(number % most)] : ErrorDetails()
    }
  }
}

extension SocketError {
  /// The address of the operation as text. If parsing failed, this property is the text that was parsed. It is nil if
  /// the error has no address.
  public var address: String? { ErrorDetails.of(self).address }
  /// The local address of the operation: the requested local address of a connect, or the local address of a
  /// connection. It is nil if the error has no local address.
  public var localAddress: String? { ErrorDetails.of(self).localAddress }
  /// The errors of the attempts, if a connect tried several addresses.
  public var attempts: [SocketError] { ErrorDetails.of(self).attempts }
  /// One or two sentences about the cause of this error, or nil if there is nothing to add to ``code``.
  public var explanation: String? { ErrorDetails.of(self).explanation }

  /// Returns the same error with more text. If a parameter is nil or an empty array, the error keeps its existing
  /// value.
  ///
  /// A transport uses this method for errors of an operation on an address. A program uses this method to print an
  /// error together with both addresses of the connection:
  /// ```swift
  /// do throws(SocketError) {
  ///   …
  /// } catch {
  ///   print(error.with(address: "\(peer)", localAddress: "\(local)"))
  /// }
  /// ```
  /// - Parameters:
  ///   - address: the address of the operation.
  ///   - localAddress: the local address of the connection.
  ///   - attempts: the errors of the attempts.
  ///   - explanation: one or two sentences that state what is wrong and then what to do about the error. The
  ///     explanation replaces the remedy.
  public func with(
    address: String? = nil, localAddress: String? = nil, attempts: [SocketError] = [], explanation: String? = nil
  ) -> SocketError {
    var details = ErrorDetails.of(self)
    if let address { details.address = address }
    if let localAddress { details.localAddress = localAddress }
    if !attempts.isEmpty { details.attempts = attempts }
    if let explanation { details.explanation = explanation }
    return SocketError(number, ownCode, operation, transferred, details: ErrorDetails.keep(details))
  }
}
