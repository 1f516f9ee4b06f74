import LengthPrefixed
import SocketKitConformance
import SocketKitCore
import SocketKitUnix
import Testing

/// Tests the wrapper over a base that shortens reads and writes. The wrapper must count the transferred bytes, not the
/// requested bytes.
private let metered = StreamSocketSuite("MeteredSocket") {
  try UnixStreamSocket.pair()
} wrapping: {
  MeteredSocket($0)
}

extension OneAtATime.MeteredSocketTests {
  @Test(arguments: metered.rules) func keeps(_ rule: ConformanceRule) {
    #expect(rule.run() == .passed, "\(rule.summary)")
  }
}
