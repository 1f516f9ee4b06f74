/// An address of any transport of a list: the one text form for all of them.
///
/// ```
/// tcp://127.0.0.1:80  tcp://[fe80::1%eth0]:80  tcp://localhost:80  tcp://*:80    udp://…
/// vsock://host:1024   vsock://3:5000   vsock://any:1024           vsock-seqpacket://…  vsock-dgram://…
/// sctp://10.0.0.1,10.0.1.1:38412       sctp://localhost:80
/// unix:/run/x.sock    unix:relative  unix:@abstract  unix:@    unix-seqpacket:…  unix-dgram:…
/// ```
/// What is read has one canonical text, ``description``, and reading that gives an equal value. Names of hosts are
/// kept, and looked up at connect. With `SocketKit`, `AnyEndpoint` knows all of its transports; ``TransportList`` says
/// how a program adds its own.
///
/// What to do there is an ``EndpointVisitor``.
@frozen
public struct Endpoint<List: TransportList>: Hashable, Sendable {
  @usableFromInline let value: List.Value

  /// Reads an address.
  /// - Throws: `.invalidAddress`, `.invalidPort` or `.addressTooLong`, with the text and an explanation of what is
  ///   wrong with it.
  public init(parsing text: String) throws(EndpointError) {
    do throws(EndpointError) {
      let parts = try EndpointText(parsing: text)
      guard let value = try List.value(of: parts) else {
        let known = List.schemes.joined(separator: ", ")
        throw EndpointError.malformed("No transport is called \"\(parts.scheme)\"; there are \(known).")
      }
      self.value = value
    } catch {
      throw error.about(text)
    }
  }

  /// The transport's name: `tcp`.
  public var scheme: String { List.text(of: value).scheme }

  /// Calls the visitor's method for the transport, with its type.
  /// - Throws: what the visitor throws; what it has no method for is `.wrongSocketKind`, with the address.
  @inlinable
  public func visit<V: EndpointVisitor>(with visitor: inout V) throws(V.Failure) -> V.Outcome {
    try List.visit(value, with: &visitor)
  }
}

extension Endpoint: LosslessStringConvertible {
  /// Reads what ``init(parsing:)`` reads; nil for anything else.
  public init?(_ description: String) {
    do throws(EndpointError) {
      self = try Endpoint(parsing: description)
    } catch {
      return nil
    }
  }

  /// The canonical text.
  public var description: String { List.text(of: value).description }
}
