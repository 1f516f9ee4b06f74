internal import CSocketKit
public import SocketKitCore

extension VsockContextID {
  /// Waits on this thread until this machine has a context ID: at boot the device comes late, and for a while without
  /// one.
  ///
  /// - Parameters:
  ///   - deadline: when to give up.
  ///   - period: how often to ask, at least every 10 ms: see ``VsockContextIDWatcher``.
  ///   - control: lets other threads cancel the wait or change its deadline.
  /// - Returns: the context ID.
  /// - Throws: `.timedOut`, `.cancelled`, `.permissionDenied`, `.tooManyDescriptors`. A missing /dev/vsock is waited for.
  public static func current(
    until deadline: Deadline, period: Duration = .milliseconds(100), control: WaitControl? = nil
  ) throws(SocketError) -> VsockContextID {
    var watcher = VsockContextIDWatcher(last: nil, period: period)
    while true {
      if let now = try watcher.next(until: deadline, control: control) { return now }
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
  /// What ``next(until:control:)`` found last; nil for none.
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
    until deadline: Deadline, control: WaitControl? = nil
  ) throws(SocketError) -> VsockContextID? {
    var wait = try WaitOperation(.contextID, until: deadline, strategy: .park, control: control)
    // Something to wait at that never is ready.
    let silent = try Self.makeSilentDescriptor()
    while true {
      let now = try ask()
      if now != last {
        last = now
        return now
      }
      let again = min(deadline, .after(period))
      repeat {
        try wait.block(on: silent.raw, for: .readable, until: again)
      } while !again.hasPassed
    }
  }

  private static func makeSilentDescriptor() throws(SocketError) -> Descriptor {
    let result = IOResult(raw: csk_eventfd())
    if result.isFailure { throw SocketError(result, .contextID) }
    return unsafe Descriptor(unsafeOwning: RawDescriptor(Int32(truncatingIfNeeded: result.raw)))
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
