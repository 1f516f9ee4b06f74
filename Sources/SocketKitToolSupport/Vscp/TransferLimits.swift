internal import SocketKitCore

/// How long a transfer may take, and how long nothing may move.
struct TransferLimits {
  let total: Deadline
  let idle: Duration?

  /// For a connection that has come about just now.
  init(timeout: Duration?, idle: Duration?) {
    total = timeout.map { .after($0) } ?? .never
    self.idle = idle
  }

  static let none = TransferLimits(timeout: nil, idle: nil)

  /// For the next step.
  var next: Deadline {
    guard let idle else { return total }
    return min(total, .after(idle))
  }
}

/// The size of the buffers between file and socket, in bytes.
let transferBufferSize = 256 * 1024
