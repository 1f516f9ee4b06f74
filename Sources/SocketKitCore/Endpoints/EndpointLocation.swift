/// What stands behind the scheme of an address: where a transport's peer is, before any name in it is looked up.
///
/// An address type whose text says everything conforms itself, as ``UnixAddress`` does; where names must be resolved
/// the location is a type of its own: ``IPLocation``.
///
/// Text and value belong together: reading ``endpointBody`` gives an equal value, and the text of what was read is the
/// canonical one.
public protocol EndpointLocation: Hashable, Sendable {
  /// Reads the body of an address: `//localhost:80` of `tcp://localhost:80`. Nothing is looked up but the names of this
  /// host's interfaces.
  /// - Throws: ``EndpointError/malformed(_:code:)``, which says what is wrong.
  init(endpointBody: String) throws(EndpointError)

  /// The body in its canonical form.
  var endpointBody: String { get }
}
