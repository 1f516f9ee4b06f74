import Testing

/// Runs the tests of this package one at a time. A rule counts the descriptors of the process, so no other test may
/// open a descriptor at the same time.
@Suite(.serialized) enum OneAtATime {
  @Suite struct FramedSocketTests {}
  @Suite struct MeteredSocketTests {}
}
