public import SocketKitCore
public import SocketKitIP

/// The addresses of one end of an association and their common port, as in `10.0.0.1,10.0.1.1:38412`.
public struct SCTPAddressList: Hashable, Sendable {
  /// The addresses: at least one, all with the same ``port``.
  public let addresses: [IPSocketAddress]
  /// The port, from 0 to 65535.
  public var port: UInt16 { addresses[0].port }

  /// Creates a list from addresses that have the same port.
  /// - Returns: nil if there is no address, or if the ports differ.
  public init?(_ addresses: [IPSocketAddress]) {
    guard let first = addresses.first, addresses.allSatisfy({ $0.port == first.port }) else { return nil }
    self.addresses = addresses
  }

  /// Parses addresses that are separated by `,` or `/`. The port follows the last address: `10.0.0.1,10.0.1.1:80`,
  /// `[fe80::1%eth0],127.0.0.1:80`, `127.0.0.1/[::1]:80`.
  /// - Throws: `.invalidAddress` or `.invalidPort`. The error contains the text.
  public init(parsing text: String) throws(SocketError) {
    let parts = Self.parts(of: text[...]) { $0 == "," || $0 == "/" }
    do throws(SocketError) {
      let last = try IPSocketAddress(parsing: String(parts[parts.count - 1]))
      var addresses: [IPSocketAddress] = []
      for part in parts.dropLast() { addresses.append(try IPSocketAddress(parsing: "\(part):\(last.port)")) }
      self.addresses = addresses + [last]
    } catch {
      throw error.with(address: "\"\(text)\"")
    }
  }

  /// Splits a text at its separators, except for separators in brackets, which belong to a zone.
  static func parts(of text: Substring, where separates: (Character) -> Bool) -> [Substring] {
    var isInside = false
    return text.split(omittingEmptySubsequences: false) { character in
      if character == "[" || character == "]" { isInside = character == "[" }
      return !isInside && separates(character)
    }
  }

  static func text(_ addresses: [IPSocketAddress]) -> String {
    SCTPAddressList(addresses)?.description ?? addresses.map { $0.description }.joined(separator: ",")
  }
}

extension SCTPAddressList: LosslessStringConvertible {
  /// Parses the text that ``init(parsing:)`` accepts. Returns nil for any other text.
  public init?(_ description: String) {
    do throws(SocketError) {
      self = try SCTPAddressList(parsing: description)
    } catch {
      return nil
    }
  }

  /// The addresses, separated by commas. The port follows the last address, as in `10.0.0.1,10.0.1.1:38412`.
  public var description: String {
    let suffix = ":\(port)"
    let names = addresses.map { $0.description.dropLast(suffix.count) }
    return names.joined(separator: ",") + suffix
  }
}
