internal import Glibc

/// The value of an environment variable; nil when it is not set.
public func environmentVariable(_ name: String) -> String? {
  // The text is copied before anything changes the environment: the tests that do so run alone.
  unsafe getenv(name).map { unsafe String(cString: $0) }
}
