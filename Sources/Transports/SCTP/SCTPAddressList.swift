public import SocketKitCore

/// The addresses of one end of an association, with the port that they share: `10.0.0.1,10.0.1.1:38412`.
public struct SCTPAddressList: Hashable, Sendable {
  /// At least one, all with ``port``.
  public let addresses: [IPSocketAddress]
  /// From 0 to 65535.
  public var port: UInt16 { addresses[0].port }

  /// - Returns: nil for no address, or for different ports.
  public init?(_ addresses: [IPSocketAddress]) {
    guard let first = addresses.first, addresses.allSatisfy({ $0.port == first.port }) else { return nil }
    self.addresses = addresses
  }

  /// Reads addresses separated by `,` or `/`, the last with the port: `10.0.0.1,10.0.1.1:80`,
  /// `[fe80::1%eth0],127.0.0.1:80`, `127.0.0.1/[::1]:80`.
  /// - Throws: `.invalidAddress` or `.invalidPort`, with the text.
  public init(parsing text: String) throws(EndpointError) {
    let parts = Self.parts(of: text[...]) { $0 == "," || $0 == "/" }
    do throws(EndpointError) {
      let last = try IPSocketAddress(parsing: String(parts[parts.count - 1]))
      var addresses: [IPSocketAddress] = []
      for part in parts.dropLast() { addresses.append(try IPSocketAddress(parsing: "\(part):\(last.port)")) }
      self.addresses = addresses + [last]
    } catch {
      throw EndpointError(error.reason, address: "\"\(text)\"")
    }
  }

  /// What stands between separators; those in brackets belong to a zone.
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
  /// Reads what ``init(parsing:)`` reads; nil for anything else.
  public init?(_ description: String) {
    do throws(EndpointError) {
      self = try SCTPAddressList(parsing: description)
    } catch {
      return nil
    }
  }

  /// The addresses with commas between them, the port after the last: `10.0.0.1,10.0.1.1:38412`.
  public var description: String {
    let suffix = ":\(port)"
    let names = addresses.map { $0.description.dropLast(suffix.count) }
    return names.joined(separator: ",") + suffix
  }
}
