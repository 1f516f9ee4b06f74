/// An address of any transport in a list, with one text form for all transports.
///
/// ```
/// tcp://127.0.0.1:80  tcp://[fe80::1%eth0]:80  tcp://localhost:80  tcp://*:80    udp://…
/// vsock://host:1024   vsock://3:5000   vsock://any:1024           vsock-seqpacket://…  vsock-dgram://…
/// sctp://10.0.0.1,10.0.1.1:38412       sctp://localhost:80
/// unix:/run/x.sock    unix:relative  unix:@abstract  unix:@    unix-seqpacket:…  unix-dgram:…
/// ```
/// Each value has one canonical text, ``description``, and parsing this text returns an equal value. If the text
/// contains the name of a host, the value contains the name and not the host's addresses. Connecting looks up the name.
/// In `SocketKit`, `AnyEndpoint` supports all transports of the library. ``TransportList`` describes how a program adds
/// its own transports.
///
/// An ``EndpointVisitor`` connects to the address, listens on the address, or uses the address in another way.
@frozen
public struct Endpoint<List: TransportList>: Hashable, Sendable {
  @usableFromInline let value: List.Value

  /// Reads an address from its text.
  /// - Throws: `.invalidAddress`, `.invalidPort` or `.addressTooLong`. The error contains the text, and its explanation
  ///   states what is wrong with the text.
  public init(parsing text: String) throws(SocketError) {
    do throws(SocketError) {
      let parts = try EndpointText(parsing: text)
      guard let value = try List.value(of: parts) else {
        let known = List.schemes.joined(separator: ", ")
        throw SocketError.malformed("There is no transport \"\(parts.scheme)\". The transports are \(known).")
      }
      self.value = value
    } catch {
      throw error.about(text)
    }
  }

  /// The name of the transport, such as `tcp`.
  public var scheme: String { List.text(of: value).scheme }

  /// Calls the visitor's method for the kind of transport, and passes the transport's type.
  /// - Throws: the errors of the visitor; `.wrongSocketKind`, with the address, if the visitor has no method for this
  ///   kind of transport.
  @inlinable
  public func visit<V: EndpointVisitor>(with visitor: inout V) throws(V.Failure) -> V.Outcome {
    try List.visit(value, with: &visitor)
  }
}

extension Endpoint: LosslessStringConvertible {
  /// Reads an address from its text, as ``init(parsing:)`` does. Returns nil if the text is not such an address.
  public init?(_ description: String) {
    do throws(SocketError) {
      self = try Endpoint(parsing: description)
    } catch {
      return nil
    }
  }

  /// The canonical text.
  public var description: String { List.text(of: value).description }
}
