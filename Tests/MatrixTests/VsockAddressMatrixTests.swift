import SocketKit
import SocketKitConformance
import TestSupport
import Testing

enum VsockAddresses {
  static let samples: [VsockAddress] = [
    .any(port: .any), .any(port: 0), .local(port: 1), .host(port: 1024), .host(port: 1023),
    VsockAddress(contextID: .hypervisor, port: 1), VsockAddress(contextID: 3, port: 5000),
    VsockAddress(contextID: 3, port: 5000, flags: .toHost), VsockAddress(contextID: 4_294_967_294, port: 4_294_967_294),
  ]
  static let suite = SocketAddressSuite("vsock", samples: samples)
}

/// Addresses are only bytes and text: these rules run everywhere.
@Suite struct VsockAddressRules {
  @Test(arguments: VsockAddresses.suite.rules) func address(_ rule: ConformanceRule) { check(rule) }
}
