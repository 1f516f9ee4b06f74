import SocketKit
import SocketKitConformance
import TestSupport
import Testing

@Suite(.guestOnly) struct VsockEndpointRules {
  static let suite = EndpointSuite<VsockStreamSocket>(
    "vsock", samples: VsockAddresses.samples, addresses: VsockAddresses.samples)
  @Test(arguments: suite.rules) func endpoint(_ rule: ConformanceRule) { check(rule) }
}
