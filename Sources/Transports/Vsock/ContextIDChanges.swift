public import SocketKitCore

extension VsockContextID {
  /// Waits on this thread until this machine has a context ID.
  ///
  /// At boot, the vsock device may appear late, and the machine may have no context ID for some time.
  ///
  /// - Parameters:
  ///   - limit: how long to wait, and how the thread waits: ``/SocketKitCore/WaitLimit``.
  ///   - period: the time between two queries, at least 10 ms: see ``VsockContextIDWatcher``.
  /// - Returns: the context ID.
  /// - Throws: `.timedOut`, `.cancelled`, `.permissionDenied`, `.tooManyDescriptors`. A missing /dev/vsock is not an
  ///   error: the call waits until it appears.
  public static func current(
    until limit: some WaitLimit, period: Duration = .milliseconds(100)
  ) throws(SocketError) -> VsockContextID {
    var watcher = VsockContextIDWatcher(last: nil, period: period)
    while true {
      if let now = try watcher.next(until: limit) { return now }
    }
  }
}

/// Reports changes of this machine's context ID.
///
/// The ID changes when the machine is moved or restored from a snapshot, and when its vsock transport appears or
/// disappears.
///
/// ```swift
/// var watcher = VsockContextIDWatcher(last: try VsockContextID.current())
/// while true { use(try watcher.next(until: .never.cancellable(by: control))) }
/// ```
/// The kernel reports no event for such a change: /dev/vsock cannot be polled, and device events (netlink) report
/// modules and devices, not a changed ID. The waiting thread therefore queries the ID once per period. Each query makes
/// three system calls. Between two queries, the thread sleeps. A change is detected at most one period late. A change
/// that is reverted within one period is not detected.
public struct VsockContextIDWatcher: Sendable {
  /// The context ID that ``next(until:)`` returned last, or the initial context ID before the first return. Nil means
  /// that the machine had no context ID.
  public private(set) var last: VsockContextID?
  /// The time between two queries.
  public let period: Duration
  private let ask: @Sendable () throws(SocketError) -> VsockContextID?

  /// Creates a watcher.
  ///
  /// - Parameters:
  ///   - last: the context ID that the program uses now; nil if the machine had none.
  ///   - period: the time between two queries; values below 10 ms are raised to 10 ms.
  ///   - ask: a function that returns the current context ID, or nil if the machine has none. By default, the watcher
  ///     queries the kernel. Pass a function to query another source, such as a hypervisor's own interface, or to
  ///     supply the IDs of a test.
  public init(
    last: VsockContextID?, period: Duration = .seconds(1),
    asking ask: (@Sendable () throws(SocketError) -> VsockContextID?)? = nil
  ) {
    self.last = last
    self.period = max(period, .milliseconds(10))
    // This code does not use `??`: the compiler (Swift 6.3) crashes on that operator here, because the closure has
    // typed throws.
    if let ask { self.ask = ask } else { self.ask = { () throws(SocketError) in try Self.askKernel() } }
  }

  /// Waits on this thread until the context ID differs from ``last``.
  ///
  /// - Returns: the new context ID; nil when the machine no longer has a context ID.
  /// - Throws: `.timedOut`, `.cancelled`, `.permissionDenied`, `.tooManyDescriptors`. On failure, ``last`` is
  ///   unchanged.
  public mutating func next(
    until limit: some WaitLimit
  ) throws(SocketError) -> VsockContextID? {
    var wait = try WaitOperation(.contextID, until: limit)
    while true {
      let now = try ask()
      if now != last {
        last = now
        return now
      }
      let again = Deadline.after(period)
      repeat { try wait.pause(until: again) } while !again.hasPassed
    }
  }

  private static func askKernel() throws(SocketError) -> VsockContextID? {
    do throws(SocketError) {
      return try VsockContextID.current()
    } catch {
      // The vsock module may be loaded or unloaded later.
      if error.code == .noSuchPath { return nil }
      throw error
    }
  }
}
