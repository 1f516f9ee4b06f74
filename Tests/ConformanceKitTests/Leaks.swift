import Glibc
import Synchronization

/// Descriptors that broken conformers forget: closed at the end of the test, so that a leak does not outlive it.
enum Leaks {
  private static let numbers = Mutex<[Int32]>([])

  static func add(_ number: Int32) { numbers.withLock { $0.append(number) } }

  static func sweep() {
    numbers.withLock { numbers in
      for number in numbers { close(number) }
      numbers = []
    }
  }
}
