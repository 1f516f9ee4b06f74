import Glibc
import Testing

/// A limit of the number of descriptors (RLIMIT_NOFILE) that this process has for a while.
struct DescriptorLimit {
  private static let resource = __rlimit_resource_t(RLIMIT_NOFILE.rawValue)
  private var original = rlimit()

  /// Sets the limit: the first number that no descriptor can have.
  init(_ number: Int32) {
    // The C library accesses the structures only during the calls.
    let found = unsafe getrlimit(Self.resource, &original)
    var limit = original
    limit.rlim_cur = rlim_t(number)
    let changed = unsafe setrlimit(Self.resource, &limit)
    #expect(found == 0 && changed == 0)
  }

  /// Sets the limit that there was before.
  func restore() {
    var limit = original
    // As above.
    let changed = unsafe setrlimit(Self.resource, &limit)
    #expect(changed == 0)
  }
}
