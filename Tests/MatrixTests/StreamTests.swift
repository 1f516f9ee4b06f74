import SocketKitConformance
import TestSupport
import Testing

@Suite(.exclusive) struct StreamTests {
  @Test(arguments: Streams.tcp4.rules) func tcp4(_ rule: ConformanceRule) { check(rule) }
  @Test(arguments: Streams.tcp6.rules) func tcp6(_ rule: ConformanceRule) { check(rule) }
  @Test(arguments: Streams.unixPath.rules) func unixPath(_ rule: ConformanceRule) { check(rule) }
  @Test(arguments: Streams.unixAbstract.rules) func unixAbstract(_ rule: ConformanceRule) { check(rule) }
  @Test(arguments: Streams.unixPair.rules) func unixPair(_ rule: ConformanceRule) { check(rule) }
}
