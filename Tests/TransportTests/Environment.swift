import Glibc

/// The environment variables of this process.
enum Environment {
  static func value(of name: String) -> String? {
    // The text is copied at once. No other thread changes the environment meanwhile: tests that do run in a process of
    // their own.
    unsafe getenv(name).map { unsafe String(cString: $0) }
  }
}
