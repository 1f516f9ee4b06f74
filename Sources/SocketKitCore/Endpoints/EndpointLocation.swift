/// The part of an address after the scheme: the location of a transport's peer, before a lookup of any name in it.
///
/// An address type that needs no name lookup conforms itself, as ``UnixAddress`` does. A transport whose names must be
/// resolved has a separate location type, such as ``IPLocation``.
///
/// Reading ``endpointBody`` must return an equal value. The ``endpointBody`` of a value is its canonical text.
public protocol EndpointLocation: Hashable, Sendable {
  /// Reads the body of an address, such as `//localhost:80` in `tcp://localhost:80`. Looks up the names of this host's
  /// interfaces, but no other names.
  /// - Throws: ``EndpointError/malformed(_:code:)``, which explains what is wrong.
  init(endpointBody: String) throws(EndpointError)

  /// The body in its canonical form.
  var endpointBody: String { get }
}
