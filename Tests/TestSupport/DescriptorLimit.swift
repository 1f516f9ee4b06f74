internal import Glibc

/// Runs the body while this process can open no descriptor with this number or a greater one (RLIMIT_NOFILE), and then
/// sets the limit that there was before.
public func withDescriptorLimit<R>(_ number: Int32, _ body: () throws -> R) rethrows -> R {
  let resource = __rlimit_resource_t(RLIMIT_NOFILE.rawValue)
  var original = rlimit()
  // The C library accesses the structures only during the calls.
  let found = unsafe getrlimit(resource, &original)
  precondition(found == 0, "no limit of descriptors: errno \(errno)")
  func set(_ limit: rlimit) {
    var limit = limit
    // As above.
    let changed = unsafe setrlimit(resource, &limit)
    precondition(changed == 0, "the limit of descriptors cannot be set: errno \(errno)")
  }
  set(rlimit(rlim_cur: rlim_t(number), rlim_max: original.rlim_max))
  defer { set(original) }
  return try body()
}
