internal import SocketKitCore

/// The time limits of a transfer: for the whole transfer, and for periods in which no data is transferred.
struct TransferLimits {
  let total: Deadline
  let idle: Duration?

  /// Starts the limits; call this when the connection has been established.
  init(timeout: Duration?, idle: Duration?) {
    total = timeout.map { .after($0) } ?? .never
    self.idle = idle
  }

  static let none = TransferLimits(timeout: nil, idle: nil)

  /// The deadline for the next step.
  var next: Deadline {
    guard let idle else { return total }
    return min(total, .after(idle))
  }
}

/// The size of the buffers between file and socket, in bytes.
let transferBufferSize = 256 * 1024
