import LengthPrefixed
import SocketKitConformance
import SocketKitCore
import SocketKitUnix
import Testing

/// Over a base that cuts everywhere: what it counts is what was moved, not what was asked for.
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
