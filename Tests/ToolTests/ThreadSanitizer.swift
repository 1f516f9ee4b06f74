import Glibc
import Testing

/// What of the benchmark does not hold under ThreadSanitizer.
enum ThreadSanitizer {
  // The name outlives the call, and the result is not used as a pointer.
  static let isOn = unsafe dlsym(nil, "__tsan_init") != nil
  static let wakes: Comment = "ThreadSanitizer has a thread in every process that wakes ten times a second"
  static let sends: Comment = "under ThreadSanitizer batches go one by one, and the kernel's count of calls differs"
}
