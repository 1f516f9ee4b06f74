import Testing

/// The tests of this package, one at a time: a rule counts the descriptors of the process, so other tests must not open
/// any meanwhile.
@Suite(.serialized) enum OneAtATime {
  @Suite struct FramedSocketTests {}
  @Suite struct MeteredSocketTests {}
}
