/// The events for which a poller watches a descriptor. An empty interest pauses a registration.
@frozen
public struct Interest: OptionSet, BitwiseCopyable, Hashable, Sendable {
  /// The bits of epoll_ctl(2). poll(2) uses the same bits, but not all of them.
  public let rawValue: UInt32
  @inlinable
  public init(rawValue: UInt32) { self.rawValue = rawValue }

  /// There is data to read or a connection to accept, or the stream has ended (EPOLLIN).
  @inlinable public static var readable: Self { Self(rawValue: 0x1) }
  /// There is room to write, or a connect has finished (EPOLLOUT).
  @inlinable public static var writable: Self { Self(rawValue: 0x4) }
  /// Urgent data, or an exceptional condition (EPOLLPRI).
  @inlinable public static var priority: Self { Self(rawValue: 0x2) }
  /// The peer has ended its writing side (EPOLLRDHUP).
  @inlinable public static var readClosed: Self { Self(rawValue: 0x2000) }
  /// Changes that calls of other threads make to a socket that holds bytes: ``Watchable/announceChanges()``. Only for
  /// results of ``Watchable/sources(for:)``. Waiting calls wake up for it; pollers do not.
  @inlinable public static var changes: Self { Self(rawValue: 0x1_0000) }

  /// Whether a bit concerns the direction of reading.
  @inlinable var hasReading: Bool { rawValue & 0x2003 != 0 }

  /// The bits that the kernel receives: those that have a name here, without ``changes``.
  @inlinable public var events: Interest { intersection(Interest(rawValue: 0x2007)) }
}

/// How a poller reports a descriptor that is ready. The empty value is level triggering: every wait reports the
/// descriptor as long as it is ready. ``PollerCapabilities`` lists the triggers that a poller supports.
@frozen
public struct Trigger: OptionSet, BitwiseCopyable, Hashable, Sendable {
  /// The bits of epoll_ctl(2).
  public let rawValue: UInt32
  @inlinable
  public init(rawValue: UInt32) { self.rawValue = rawValue }

  /// Report a change once, when it happens, and not again while the descriptor stays ready (EPOLLET). Read or write
  /// until the call returns nil; otherwise the poller never reports the rest.
  @inlinable public static var edge: Self { Self(rawValue: 1 << 31) }
  /// Report once, then stop watching until the registration is modified (EPOLLONESHOT).
  @inlinable public static var oneShot: Self { Self(rawValue: 1 << 30) }
  /// Wake at least one, but not all, of several pollers that watch the same descriptor (EPOLLEXCLUSIVE, Linux 4.5).
  /// Such a registration cannot be modified.
  @inlinable public static var exclusive: Self { Self(rawValue: 1 << 28) }

  /// The bits that have a name here. The kernel receives no other bits of the raw value.
  @inlinable public var known: Trigger { intersection([.edge, .oneShot, .exclusive]) }
}

/// The readiness that a poller found. Flags are hints: a call on a descriptor reported as ready may still return nil,
/// but the poller always reports a descriptor that is ready.
@frozen
public struct Readiness: OptionSet, BitwiseCopyable, Hashable, Sendable {
  public let rawValue: UInt32
  @inlinable
  public init(rawValue: UInt32) { self.rawValue = rawValue }

  /// A read or an accept would not block; the end of the stream counts as readable.
  @inlinable public static var readable: Self { Self(rawValue: 0x1) }
  /// An exceptional condition (EPOLLPRI), such as urgent data on a TCP socket: poll(2).
  @inlinable public static var priority: Self { Self(rawValue: 0x2) }
  /// A write would not block.
  @inlinable public static var writable: Self { Self(rawValue: 0x4) }
  /// The socket has an error, which the next operation throws (EPOLLERR). Always reported.
  @inlinable public static var error: Self { Self(rawValue: 0x8) }
  /// Both directions have ended (EPOLLHUP). Always reported.
  @inlinable public static var hangUp: Self { Self(rawValue: 0x10) }
  /// The descriptor was closed while registered (POLLNVAL): deregister it. Only the system call of `PollPoller` can
  /// report it.
  @inlinable public static var invalid: Self { Self(rawValue: 0x20) }
  /// The peer has ended its writing side (EPOLLRDHUP).
  @inlinable public static var readClosed: Self { Self(rawValue: 0x2000) }
}
