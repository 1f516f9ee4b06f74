import SocketKit
import SocketKitConformance
import TestSupport
import Testing

/// A TCP transport whose text form has a fault.
private struct OddTransport<Fault: EndpointFault>: ~Copyable, StreamSocket, KernelSocket, Transport, Acceptable {
  typealias Options = TCPSocketOptions
  typealias Address = IPSocketAddress
  typealias Endpoint = IPEndpoint
  private let owned: Descriptor

  init(owning descriptor: consuming Descriptor) { owned = descriptor }
  var descriptor: RawDescriptor { owned.raw }
  consuming func releaseDescriptor() -> Descriptor { owned }
  static var capabilities: SocketCapabilities { .halfClose }
  static var kinds: [SocketKind] { TCPSocket.kinds }

  static var endpointFormat: EndpointFormat<IPEndpoint, IPSocketAddress> {
    EndpointFormat(
      scheme: Fault.scheme,
      parse: { (body) throws(SocketError) in try Fault.read(body) },
      body: { $0.body },
      endpoint: { Fault.endpoint($0) },
      addresses: { (endpoint, limit) throws(SocketError) in try endpoint.addresses(until: limit) })
  }
}

/// An IP transport that gives its endpoints a scheme and reads nothing.
private struct ForgetfulTransport: ~Copyable, StreamSocket, KernelSocket, Transport {
  typealias Options = TCPSocketOptions
  typealias Address = IPSocketAddress
  private let owned: Descriptor

  init(owning descriptor: consuming Descriptor) { owned = descriptor }
  var descriptor: RawDescriptor { owned.raw }
  consuming func releaseDescriptor() -> Descriptor { owned }
  static var capabilities: SocketCapabilities { .halfClose }
  static var kinds: [SocketKind] { TCPSocket.kinds }
  static var endpointFormat: EndpointFormat<IPSocketAddress, IPSocketAddress> {
    EndpointFormat(
      scheme: "odd", parse: { (body) throws(SocketError) in throw .malformed("\(body) is not read.") },
      body: { $0.description })
  }
}

private protocol EndpointFault: Sendable {
  static var scheme: String { get }
  static func read(_ body: String) throws(SocketError) -> IPEndpoint
  static func endpoint(_ address: IPSocketAddress) -> IPEndpoint
}

extension EndpointFault {
  static var scheme: String { "odd" }
  static func read(_ body: String) throws(SocketError) -> IPEndpoint { try IPEndpoint(body: body) }
  static func endpoint(_ address: IPSocketAddress) -> IPEndpoint { .address(address) }
}

private enum NoEndpointFault: EndpointFault {}
private enum UpperCaseScheme: EndpointFault {
  static var scheme: String { "Odd" }
}
private enum LosesThePort: EndpointFault {
  static func endpoint(_ address: IPSocketAddress) -> IPEndpoint { .address(address.with(port: 0)) }
}
private enum IgnoresTheEnd: EndpointFault {
  static func read(_ body: String) throws(SocketError) -> IPEndpoint {
    try IPEndpoint(body: String(body.filter { $0 != "\n" && $0 != "\0" }))
  }
}
private enum ReadsAnotherPort: EndpointFault {
  static func read(_ body: String) throws(SocketError) -> IPEndpoint {
    switch try IPEndpoint(body: body) {
    case .address(let address): .address(address.with(port: 1))
    case .host(let name, _): .host(name, port: 1)
    }
  }
}

private let addresses: [IPSocketAddress] = [.loopback(port: 80), .loopbackIPv6(port: 7)]

private func endpoints<F: EndpointFault>(_ fault: F.Type) -> EndpointSuite<OddTransport<F>> {
  EndpointSuite("odd", samples: addresses.map { .address($0) } + [.host("localhost", port: 80)], addresses: addresses)
}

@Suite(.exclusive) struct EndpointSaboteurTests {
  static let saboteurs = [
    Saboteur("has a scheme in upper case", "endpoint.scheme", endpoints(UpperCaseScheme.self), sound),
    Saboteur("parses a wrong port", "endpoint.text.round-trip", endpoints(ReadsAnotherPort.self), sound),
    Saboteur(
      "rejects every text", "endpoint.text.round-trip",
      EndpointSuite<ForgetfulTransport>("odd", samples: addresses, addresses: addresses), sound),
    Saboteur("has a scheme in upper case", "endpoint.text.list", endpoints(UpperCaseScheme.self), sound),
    Saboteur(
      "ignores line feeds and zero bytes in the text", "endpoint.text.garbage", endpoints(IgnoresTheEnd.self), sound),
    Saboteur("loses the port", "endpoint.address", endpoints(LosesThePort.self), sound),
  ]
  private static var sound: EndpointSuite<OddTransport<NoEndpointFault>> { endpoints(NoEndpointFault.self) }

  @Test(arguments: saboteurs) func caught(_ saboteur: Saboteur) throws { try saboteur.mustBeCaught() }
}
