public import SocketKitCore

extension VsockContextID {
  /// Waits on this thread until this machine has a context ID: at boot the device comes late, and for a while without
  /// one.
  ///
  /// - Parameters:
  ///   - limit: how long to wait, and how: ``SocketKitCore/WaitLimit``.
  ///   - period: how often to ask, at least every 10 ms: see ``VsockContextIDWatcher``.
  /// - Returns: the context ID.
  /// - Throws: `.timedOut`, `.cancelled`, `.permissionDenied`, `.tooManyDescriptors`. A missing /dev/vsock is waited for.
  public static func current(
    until limit: some WaitLimit, period: Duration = .milliseconds(100)
  ) throws(SocketError) -> VsockContextID {
    var watcher = VsockContextIDWatcher(last: nil, period: period)
    while true {
      if let now = try watcher.next(until: limit) { return now }
    }
  }
}

/// Tells when this machine's context ID changes: after it was moved or restored from a snapshot, and when its transport
/// comes or goes.
///
/// ```swift
/// var watcher = VsockContextIDWatcher(last: try VsockContextID.current())
/// while true { use(try watcher.next(until: .never, control: control)) }
/// ```
/// The kernel has no event for that: /dev/vsock cannot be polled, and device events (netlink) tell of modules and devices,
/// not of a changed ID. So a waiting thread asks again and again, once in a period, three system calls each time; between
/// them it sleeps. A change is noticed at most a period late, and one that is undone within a period not at all.
public struct VsockContextIDWatcher: Sendable {
  /// What ``next(until:)`` found last; nil for none.
  public private(set) var last: VsockContextID?
  /// How often the kernel is asked.
  public let period: Duration
  private let ask: @Sendable () throws(SocketError) -> VsockContextID?

  /// - Parameters:
  ///   - last: the context ID that the program knows of; nil for none.
  ///   - period: how often to ask; below 10 ms it is 10 ms.
  public init(last: VsockContextID?, period: Duration = .seconds(1)) {
    self.init(last: last, period: period) { () throws(SocketError) in try Self.askKernel() }
  }

  /// A watcher that asks something else than the kernel: a hypervisor's own interface, a test.
  /// - Parameter ask: gives the context ID of this moment, nil for none.
  public init(
    last: VsockContextID?, period: Duration = .seconds(1),
    asking ask: @escaping @Sendable () throws(SocketError) -> VsockContextID?
  ) {
    self.last = last
    self.period = max(period, .milliseconds(10))
    self.ask = ask
  }

  /// Waits on this thread until the context ID is another than ``last``.
  ///
  /// - Returns: the new one; nil when the machine has none any more.
  /// - Throws: `.timedOut`, `.cancelled`, `.permissionDenied`, `.tooManyDescriptors`; ``last`` stays then.
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
      // The module may come later, and may go.
      if error.code == .noSuchPath { return nil }
      throw error
    }
  }
}
